"""Long sound in pieces: read from its file when needed, cut where nobody speaks."""

import wave
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reelmake.foundation.errors import StageError

RATE = 16_000
"""Samples a second that Whisper hears."""

SHORTEST_PAUSE = RATE // 10
"""Shorter ones lie inside a word: the closure of a plosive takes up to 0.1 s."""

Samples = NDArray[np.float32]


class WavFile:
    """The samples of a 16 kHz 16-bit WAV file: `wav[start:stop]` reads only those.

    They are float32 in [-1, 1), of all channels mixed. channel: only of this one, counted from 0.
    Raises StageError for another form.
    """

    def __init__(self, path: Path, channel: int | None = None):
        self._path, self._channel = path, channel
        with wave.open(str(path), "rb") as file:
            shape = (file.getframerate(), file.getsampwidth())
            self._length, self._count = file.getnframes(), file.getnchannels()
        if shape != (RATE, 2) or self._count > 2:
            raise StageError(
                f"{path}: not 16 kHz 16-bit: {shape}; delete it, the next run makes it again",
                kind="engine",
            )

    def channels(self) -> list["WavFile"]:
        """Each channel by itself, where there are several."""
        if self._count == 1:
            return []
        return [WavFile(self._path, number) for number in range(self._count)]

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, span: slice) -> Samples:
        start, stop, _ = span.indices(self._length)
        with wave.open(str(self._path), "rb") as file:
            file.setpos(start)
            samples = np.frombuffer(file.readframes(stop - start), np.int16)
        made = samples.astype(np.float32) / np.float32(32768)
        if self._count == 1:
            return made
        parts = made.reshape(-1, self._count)
        mixed: Samples = (
            parts.mean(axis=1) if self._channel is None else parts[:, self._channel].copy()
        )
        return mixed


Sound = WavFile | Samples


def next_cut(
    sound: Sound,
    start: int,
    length: int,
    voiced: Callable[[Samples], Iterable[tuple[int, int]]],
) -> int:
    """Where the chunk that begins at `start` ends, at most `length` samples later.

    In the middle of the longest pause of the chunk's last quarter, or, where nobody pauses, at
    its quietest place. voiced: the spans of a sound in which somebody speaks, in order.
    """
    stop = start + length
    if stop >= len(sound):
        return len(sound)
    first = stop - length // 4
    # A second on each side, from which voice activity detection learns what goes on.
    begin = max(start, first - RATE)
    around = sound[begin : stop + RATE]
    pauses = _pauses(voiced(around), first - begin, stop - begin)
    longest = max(pauses, key=lambda pause: pause[1] - pause[0], default=(0, 0))
    if longest[1] - longest[0] >= SHORTEST_PAUSE:
        return begin + sum(longest) // 2
    return first + _quietest(around[first - begin : stop - begin])


def _pauses(voiced: Iterable[tuple[int, int]], first: int, stop: int) -> list[tuple[int, int]]:
    """What lies between the voiced spans, from `first` to `stop`."""
    bounds = [(first, first), *voiced, (stop, stop)]
    gaps = [(max(one[1], first), min(other[0], stop)) for one, other in pairwise(bounds)]
    return [(begin, end) for begin, end in gaps if begin < end]


def _quietest(samples: Samples) -> int:
    """The middle of the 0.1 s with the least energy."""
    width = min(SHORTEST_PAUSE, len(samples))
    energy = np.concatenate(([0.0], np.cumsum(np.square(samples, dtype=np.float64))))
    return int(np.argmin(energy[width:] - energy[:-width])) + width // 2
