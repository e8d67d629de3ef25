"""Who speaks when in a film's sound, piece by piece.

A segmentation model says when who of a few voices speaks in 10 s, a second model makes voice
prints, and clustering finds the same voices. sherpa-onnx does that with all the sound at once, and
compares each voice of each 10 s with each other; the more it compares, the more speakers it finds
that are none. So a film goes through it in pieces, and the voices of the pieces, and those that
are too many in one, are joined by their mean prints. The turns stay sherpa-onnx's.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from reelmake.foundation import resumable_items
from reelmake.foundation.journal import Journal
from reelmake.foundation.resumable_items import Items
from reelmake.models import sherpa, voice_clusters
from reelmake.models.audio_chunks import RATE, Sound, next_cut
from reelmake.models.sherpa import GAP, Diarizer, Engine, Span

PIECE = 600 * RATE
"""Samples of a piece; the last one may have a quarter more."""


class Turn(NamedTuple):
    """Somebody speaks from `start` to `end` (seconds of the film). Two at once are two turns.

    speaker: counted from 0, by who speaks first.
    """

    start: float
    end: float
    speaker: int


class Diarization(NamedTuple):
    """turns: by their start. prints: of each speaker the mean voice print, a unit vector; None
    where there was too little speech."""

    turns: list[Turn]
    prints: list[list[float] | None]


Piece = dict[str, Any]
"""A piece of the sound, as it is journaled: {"start", "stop" (samples), "turns" ([start, end,
voice], seconds of the film), "prints" (of each voice), "seconds" (how long each speaks)}. Voices
are counted in each piece anew."""


def diarize(
    sound: Sound,
    segmentation: Path,
    embedding: Path,
    count: int | None = None,
    threshold: float = 0.5,
    min_seconds: float = 0.3,
    device: str = "auto",
    threads: int = 4,
    progress: Callable[[int, int], None] = lambda done, total: None,
    journal: Journal | None = None,
    item: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext,
    piece: int = PIECE,
) -> Diarization:
    """Who speaks when in one film's sound.

    sound: 16 kHz mono; sample 0 is the film's time zero. segmentation, embedding: ONNX files, as
    `speaker_models.file` finds them. count: of speakers; None: found out. threshold: the largest
    distance (1 - cosine, 0 to 2) of two voice prints of 10 s that are one speaker's.
    min_seconds: shorter turns are left out. progress: told the seconds done and in all. journal:
    keeps each piece, and knows those of an earlier job. item: entered for each piece, which a
    signal lets finish. piece: samples of one. Raises StageError and MemoryError.
    """
    pieces: list[Piece] = []
    if len(sound):
        engine = Engine(segmentation, embedding, min_seconds, device, threads)
        items = _Pieces(engine, sound, threshold, piece, progress)
        with sherpa.errors(segmentation, embedding):
            pieces = resumable_items.finish(items, journal, item, progress)
    return _joined(pieces, count, threshold, min_seconds)


class _Pieces(Items[int, Piece]):
    """The sound in pieces, cut where it is quiet. An item is the sample at which one starts."""

    def __init__(
        self,
        engine: Engine,
        sound: Sound,
        threshold: float,
        length: int,
        progress: Callable[[int, int], None],
    ):
        self._engine, self._sound, self._progress = engine, sound, progress
        self._threshold, self._length = threshold, length

    def following(self, results: Sequence[Piece]) -> int | None:
        start = results[-1]["stop"] if results else 0
        return start if start < len(self._sound) else None

    def count(self, results: Sequence[Piece]) -> tuple[int, int]:
        return (results[-1]["stop"] if results else 0) // RATE, len(self._sound) // RATE

    def identity(self, item: int) -> int:
        return item

    def entry(self, item: int, result: Piece) -> Piece:
        return result

    def read_entry(self, entry: Piece) -> tuple[int, Piece]:
        return entry["start"], entry

    @contextlib.contextmanager
    def worker(self) -> Iterator[Callable[[int], Piece]]:
        with self._engine.loaded() as diarizer:
            yield lambda start: self._hear(diarizer, start)

    def _hear(self, diarizer: Diarizer, start: int) -> Piece:
        stop = len(self._sound)
        if stop - start > self._length * 5 // 4:
            # Nobody is asked where speech is: the quietest place of the last quarter will do.
            stop = next_cut(self._sound, start, self._length, lambda some: [(0, len(some))])
        samples, total = self._sound[start:stop], len(self._sound) // RATE

        def heard(share: float) -> None:
            self._progress(int((start + share * (stop - start)) / RATE), total)

        turns = diarizer.turns(samples, self._threshold, heard)
        voices = range(1 + max((voice for _, _, voice in turns), default=-1))
        prints = [diarizer.voice_print(samples, turns, voice) for voice in voices]
        return {
            "start": start,
            "stop": stop,
            "turns": [
                (start / RATE + begin, start / RATE + end, voice) for begin, end, voice in turns
            ],
            "prints": [None if each is None else each.tolist() for each in prints],
            "seconds": [sum(e - s for s, e, who in turns if who == voice) for voice in voices],
        }


def _joined(
    pieces: Sequence[Piece], count: int | None, threshold: float, min_seconds: float
) -> Diarization:
    """The turns of all pieces, with the film's speakers in place of the pieces' voices."""
    voices = [
        (number, voice)
        for number, piece in enumerate(pieces)
        for voice in range(len(piece["prints"]))
    ]
    known = {at: piece for at in voices if (piece := pieces[at[0]])["prints"][at[1]] is not None}
    prints = {at: np.array(piece["prints"][at[1]], np.float32) for at, piece in known.items()}
    seconds = {at: float(pieces[at[0]]["seconds"][at[1]]) for at in voices}
    joined = voice_clusters.join(
        [prints[at] for at in known], [seconds[at] for at in known], count, threshold
    )
    speaker_of = dict(zip(known, joined, strict=True))
    for at in voices:  # what has no print is nobody who is known
        speaker_of.setdefault(at, 1 + max(speaker_of.values(), default=-1))
    spans: dict[int, list[Span]] = {}
    for number, piece in enumerate(pieces):
        for start, end, voice in piece["turns"]:
            spans.setdefault(speaker_of[number, voice], []).append((start, end))
    turns = sorted(
        (start, end, speaker)
        for speaker, own in spans.items()
        for start, end in _merged(own)
        if end - start > min_seconds
    )
    order = list(dict.fromkeys(speaker for _, _, speaker in turns))
    means = []
    for speaker in order:
        own_prints = [at for at in known if speaker_of[at] == speaker]
        means.append(
            voice_clusters.mean(
                np.stack([prints[at] for at in own_prints]),
                np.array([seconds[at] for at in own_prints]),
            ).tolist()
            if own_prints
            else None
        )
    return Diarization(
        [Turn(round(start, 3), round(end, 3), order.index(who)) for start, end, who in turns], means
    )


def _merged(spans: Iterable[Span]) -> list[Span]:
    """Spans of one speaker without gaps that are shorter than `GAP`."""
    made: list[Span] = []
    for start, end in sorted(spans):
        if made and start - made[-1][1] < GAP:
            made[-1] = made[-1][0], max(end, made[-1][1])
        else:
            made.append((start, end))
    return made
