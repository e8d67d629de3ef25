"""The transcript of a film's sound, heard chunk by chunk."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from reelmake.foundation import resumable_items
from reelmake.foundation.errors import StageError
from reelmake.foundation.journal import Journal
from reelmake.foundation.resumable_items import Items
from reelmake.models import hearing, voices, whisper
from reelmake.models.audio_chunks import RATE, Samples, Sound, WavFile, next_cut
from reelmake.models.endpoint import Address
from reelmake.models.served_speech import ServedSpeech

VOICED_ENOUGH = 1.0
"""Seconds of voice activity from which on a transcript must have a word: less may be a cough."""

Chunk = dict[str, Any]
"""A transcribed piece, as it is journaled: {"start", "stop" (samples of the sound), "revision"
(the model's), "languages" (spans), "places" (how likely each language was where it was looked for,
of the chunks before as well), "voiced" and "sure" (seconds), "segments", "dropped", "unheard"
(spans)}. Times are the film's."""


def transcribe(
    sound: Sound,
    settings: dict[str, Any],
    model: str,
    device: str = "auto",
    threads: int = 4,
    progress: Callable[[int, int], None] = lambda done, total: None,
    journal: Journal | None = None,
    item: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext,
    server: Address | None = None,
    found: Callable[[str], None] = lambda model: None,
) -> dict[str, Any]:
    """The transcript of one film's sound, as `schemas/transcript.schema.json` has it.

    sound: 16 kHz mono; sample 0 is the film's time zero. settings: the config section
    `transcription`. model: a name on the hub, or a folder. progress: told the seconds done and
    in all. journal: keeps each chunk, and knows those of an earlier job. item: entered for each
    chunk, which a signal lets finish. server: one that has the model. found: told its name as
    the server lists it. Raises StageError.
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
        "languages": [],
        "segments": [],
        "dropped": [],
        "unheard": [],
    }
    if not len(sound):  # a film without sound
        return transcript
    revision = None

    @contextlib.contextmanager
    def loaded() -> Iterator[whisper.Speech | ServedSpeech]:
        if server:
            with ServedSpeech(server, model, settings) as served:
                found(served.model)
                yield served
        else:
            with whisper.loaded(folder, settings, device, threads) as speech:
                yield speech

    if server:
        transcript["model"] = {"name": model, "revision": None, "endpoint": True}
    else:
        folder = whisper.folder(model)
        transcript["model"]["revision"] = revision = whisper.revision(folder)
    with whisper.errors(model):
        chunks = resumable_items.finish(
            _Chunks(loaded, revision, sound, settings, progress), journal, item, progress
        )
    segments = [segment for chunk in chunks for segment in chunk["segments"]]
    voiced = sum(chunk["voiced"] for chunk in chunks)
    spoken = voices.seconds(
        (word["start"], word["end"])
        for segment in segments
        for word in segment["words"] or [segment]
    )
    languages = _languages([span for chunk in chunks for span in chunk["languages"]])
    transcript |= _most_spoken(languages, settings["language"]) | {
        "languages": languages,
        "voiced_seconds": round(voiced, 3),
        "voiced_share": round(min(1.0, spoken / voiced), 4) if voiced else None,
        "segments": [{"id": number} | segment for number, segment in enumerate(segments)],
        "dropped": [segment for chunk in chunks for segment in chunk["dropped"]],
        "unheard": [
            {"start": round(start, 3), "end": round(end, 3)}
            for chunk in chunks
            for start, end in chunk["unheard"]
        ],
    }
    sure = sum(chunk["sure"] for chunk in chunks)
    if not segments and sure >= VOICED_ENOUGH and not settings["allow_empty"]:
        if journal:
            journal.close(done=True)  # the next run asks the model again
        raise StageError(
            f"{sure:.1f} s of voice activity, but the model {model} heard no word; "
            "choose another model or language, or accept it with transcription.allow_empty",
            kind="engine",
        )
    return transcript


class _Piece(NamedTuple):
    """A chunk that is to be heard: where it starts (in samples), the language if it is known, and
    how likely each was in the places of the chunks before.

    Where it stops is found by listening for a pause.
    """

    start: int
    language: str | None
    places: dict[str, float]


class _Chunks(Items[_Piece, Chunk]):
    """The sound in chunks, cut at pauses. loaded: gives what hears."""

    def __init__(
        self,
        loaded: Callable[[], contextlib.AbstractContextManager[whisper.Speech | ServedSpeech]],
        revision: str | None,
        sound: Sound,
        settings: dict[str, Any],
        progress: Callable[[int, int], None],
    ):
        self._loaded, self._revision, self._progress = loaded, revision, progress
        self._sound, self._settings = sound, settings
        self._length = max(RATE, round(settings["chunk_minutes"] * 60 * RATE))

    def following(self, results: Sequence[Chunk]) -> _Piece | None:
        start = results[-1]["stop"] if results else 0
        if start >= len(self._sound):
            return None
        places = results[-1]["places"] if results else {}
        language = self._settings["language"]
        if not language and (self._is_filtered or self._settings["multilingual"] is False):
            spoken = [span for chunk in results for span in chunk["languages"]]
            language = next((name for start, end, name, _ in spoken if end > start), None)
        return _Piece(start, language, places)

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
        with self._loaded() as speech:
            yield lambda piece: self._hear(speech, piece)

    def _hear(self, speech: whisper.Speech | ServedSpeech, piece: _Piece) -> Chunk:
        sound, start = self._sound, piece.start
        offset, total = start / RATE, len(sound) // RATE
        stop = next_cut(sound, start, self._length, whisper.voiced_words)
        # A model may hear the last word end after the sound; the next chunk must not overlap it.
        latest = stop / RATE if stop < len(sound) else float("inf")

        def time(seconds: float) -> float:
            return min(round(offset + seconds, 3), round(latest, 3))

        def heard(seconds: float) -> None:
            self._progress(int(min(time(seconds), total)), total)

        hear = hearing.Hearing(speech, self._settings, heard)
        method = hear.filtered if self._is_filtered else hear.chunk
        channels = sound.channels() if isinstance(sound, WavFile) else []
        if channels:
            found = _each([channel[start:stop] for channel in channels], piece, method)
        else:
            found = method(sound[start:stop], piece.language, piece.places)
        return {
            "start": start,
            "stop": stop,
            "revision": self._revision,
            "segments": [_shifted(segment, time) for segment in found.segments],
            "dropped": [_shifted(segment, time) for segment in found.dropped],
            "languages": [(time(begin), time(end), *rest) for begin, end, *rest in found.languages],
            "places": found.places,
            "voiced": found.voiced,
            "sure": found.sure,
            "unheard": [(begin + offset, end + offset) for begin, end in found.unheard],
        }

    @property
    def _is_filtered(self) -> bool:
        return bool(self._settings["vad_method"] == "filter")


def _each(
    channels: Sequence[Samples],
    piece: _Piece,
    method: Callable[[Samples, str | None, Mapping[str, float]], hearing.Chunk],
) -> hearing.Chunk:
    """What is said on a left and a right microphone, each heard by itself."""
    left, right = channels
    places: Mapping[str, float] = piece.places
    found = []
    for name, samples, other in (("left", left, right), ("right", right, left)):
        heard = method(voices.alone(samples, other), piece.language, places)
        found.append(heard)
        places = heard.places
        for segment in heard.segments:
            segment["speaker"] = name
    one, two = found
    return hearing.Chunk(
        sorted(one.segments + two.segments, key=lambda segment: float(segment["start"])),
        one.dropped + two.dropped,
        sorted(one.languages + two.languages, key=lambda span: span[:3]),
        two.places,
        one.voiced + two.voiced,
        one.sure + two.sure,
        sorted(one.unheard + two.unheard),
    )


def _shifted(segment: dict[str, Any], time: Callable[[float], float]) -> dict[str, Any]:
    """A segment with the film's times."""
    made = segment | {"start": time(segment["start"]), "end": time(segment["end"])}
    if "words" in segment:
        made["words"] = [_shifted(word, time) for word in segment["words"]]
    return made


def _languages(spans: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
    """From when to when each language is spoken, as the transcript has it."""
    names = ("start", "end", "language", "probability")
    return [dict(zip(names, span, strict=True)) for span in spans]


def _most_spoken(languages: Sequence[dict[str, Any]], given: str | None) -> dict[str, Any]:
    """The language of the film, and how likely it is where it is spoken: null where it was given,
    or nobody speaks."""
    lengths: dict[str, float] = {}
    for span in languages:
        lengths[span["language"]] = lengths.get(span["language"], 0.0) + span["end"] - span["start"]
    if not lengths:
        return {"language": given, "language_probability": None}
    language = max(lengths, key=lambda name: lengths[name])
    told = [
        (span["end"] - span["start"], span["probability"])
        for span in languages
        if span["language"] == language and span["probability"] is not None
    ]
    whole = sum(length for length, _ in told)
    sure = sum(length * likely for length, likely in told) / whole if whole else None
    if told and not whole:
        sure = told[0][1]
    return {
        "language": language,
        "language_probability": None if sure is None else round(sure, 4),
    }
