"""The transcript of a film's sound, heard chunk by chunk."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from reelmake.foundation import resumable_items
from reelmake.foundation.errors import StageError
from reelmake.foundation.journal import Journal
from reelmake.foundation.resumable_items import Items
from reelmake.models import whisper
from reelmake.models.audio_chunks import RATE, Sound, next_cut

VOICED_ENOUGH = 1.0
"""Seconds of voice activity from which on a transcript must have a word: less may be a cough."""

Chunk = dict[str, Any]
"""A transcribed piece, as it is journaled: {"start", "stop" (samples of the sound), "revision"
(the model's), "language", "language_probability", "voiced" (seconds), "segments"}."""


def transcribe(
    sound: Sound,
    settings: dict[str, Any],
    model: str,
    device: str = "auto",
    threads: int = 4,
    progress: Callable[[int, int], None] = lambda done, total: None,
    journal: Journal | None = None,
    item: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext,
) -> dict[str, Any]:
    """The transcript of one film's sound, as `schemas/transcript.schema.json` has it.

    sound: 16 kHz mono; sample 0 is the film's time zero. settings: the config section
    `transcription`. model: a name on the hub, or a folder. progress: told the seconds done and
    in all. journal: keeps each chunk, and knows those of an earlier job. item: entered for each
    chunk, which a signal lets finish. Raises StageError.
    """
    duration = len(sound) / RATE
    transcript: dict[str, Any] = {
        "language": settings["language"],
        "language_probability": None,
        "duration": round(duration, 3),
        "mode": "batched" if settings["batch_size"] else "sequential",
        "model": {"name": Path(model).name, "revision": None},
        "voiced_seconds": 0.0,
        "voiced_share": None,
        "segments": [],
    }
    if not len(sound):  # a film without sound
        return transcript
    folder = whisper.folder(model)
    transcript["model"]["revision"] = whisper.revision(folder)
    with whisper.errors(model):
        chunks = resumable_items.finish(
            _Chunks(folder, sound, settings, device, threads, progress), journal, item, progress
        )
    # What is heard in silence tells no language.
    first = next((chunk for chunk in chunks if chunk["voiced"]), chunks[0])
    segments = [segment for chunk in chunks for segment in chunk["segments"]]
    voiced = sum(chunk["voiced"] for chunk in chunks)
    spoken = _covered(
        (word["start"], word["end"])
        for segment in segments
        for word in segment["words"] or [segment]
    )
    transcript |= {
        "language": first["language"],
        "language_probability": first["language_probability"],
        "voiced_seconds": round(voiced, 3),
        "voiced_share": round(min(1.0, spoken / voiced), 4) if voiced else None,
        "segments": [{"id": number} | segment for number, segment in enumerate(segments)],
    }
    if not segments and voiced >= VOICED_ENOUGH and not settings["allow_empty"]:
        if journal:
            journal.close(done=True)  # the next run asks the model again
        raise StageError(
            f"{voiced:.1f} s of voice activity, but the model {model} heard no word; "
            "choose another model or language, or accept it with transcription.allow_empty",
            kind="engine",
        )
    return transcript


class _Piece(NamedTuple):
    """A chunk that is to be heard: where it starts (in samples), and the language if it is known.

    Where it stops is found by listening for a pause.
    """

    start: int
    language: str | None


class _Chunks(Items[_Piece, Chunk]):
    """The sound in chunks, cut at pauses."""

    def __init__(
        self,
        folder: str,
        sound: Sound,
        settings: dict[str, Any],
        device: str,
        threads: int,
        progress: Callable[[int, int], None],
    ):
        self._folder, self._sound, self._settings = folder, sound, settings
        self._device, self._threads, self._progress = device, threads, progress
        self._revision = whisper.revision(folder)
        self._length = max(RATE, round(settings["chunk_minutes"] * 60 * RATE))

    def following(self, results: Sequence[Chunk]) -> _Piece | None:
        start = results[-1]["stop"] if results else 0
        if start >= len(self._sound):
            return None
        spoken = (chunk["language"] for chunk in results if chunk["voiced"])
        return _Piece(start, self._settings["language"] or next(spoken, None))

    def count(self, results: Sequence[Chunk]) -> tuple[int, int]:
        return (results[-1]["stop"] if results else 0) // RATE, len(self._sound) // RATE

    def identity(self, item: _Piece) -> tuple[int, str | None]:
        return item.start, self._revision

    def entry(self, item: _Piece, result: Chunk) -> Chunk:
        return result

    def read_entry(self, entry: Chunk) -> tuple[tuple[int, str | None], Chunk]:
        return (entry["start"], entry["revision"]), entry

    @contextlib.contextmanager
    def worker(self) -> Iterator[Callable[[_Piece], Chunk]]:
        hearing = whisper.Speech(self._folder, self._settings, self._device, self._threads)
        yield lambda piece: self._hear(hearing, piece)

    def _hear(self, hearing: whisper.Speech, piece: _Piece) -> Chunk:
        sound, start = self._sound, piece.start
        stop = next_cut(sound, start, self._length, whisper.voiced_words)
        heard = hearing.transcribe(sound[start:stop], piece.language)
        # A model may hear the last word end after the sound; the next chunk must not overlap it.
        latest = stop / RATE if stop < len(sound) else float("inf")
        segments = []
        for segment in heard.segments:
            segments.append(_record(segment, start / RATE, latest))
            self._progress(int(segments[-1]["end"]), len(sound) // RATE)
        return {
            "start": start,
            "stop": stop,
            "language": heard.language,
            "language_probability": round(float(heard.probability), 4),
            "voiced": heard.voiced,
            "segments": segments,
            "revision": self._revision,
        }


def _record(segment: Any, offset: float, latest: float) -> dict[str, Any]:
    """A segment with the film's times: `offset` is added, and none is after `latest`."""

    def time(seconds: float) -> float:
        return min(round(float(offset + seconds), 3), round(latest, 3))

    return {
        "start": time(segment.start),
        "end": time(segment.end),
        "text": segment.text.strip(),
        "avg_logprob": round(float(segment.avg_logprob), 4),
        "no_speech_prob": round(float(segment.no_speech_prob), 4),
        "compression_ratio": round(float(segment.compression_ratio), 4),
        "words": [
            {
                "word": word.word.strip(),
                "start": time(word.start),
                "end": time(word.end),
                "probability": round(float(word.probability), 4),
            }
            for word in segment.words or []
        ],
    }


def _covered(spans: Iterable[tuple[float, float]]) -> float:
    """Seconds that the spans cover together, overlaps counted once."""
    total, reached = 0.0, 0.0
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total
