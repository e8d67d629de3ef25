"""Where somebody speaks, and spans of sound in general.

Voice activity detection goes deaf to a quiet voice after a loud one (Silero keeps a state). So it
listens twice: to the sound, and to a copy in which every moment is about as loud as the others.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from reelmake.models.audio_chunks import RATE, Samples, next_cut

Time = TypeVar("Time", int, float)
Span = tuple[int, int]
"""From which sample to which."""
Detector = Callable[[Samples], Iterable[Span]]
"""What finds the voices of a sound, in order; pauses between words are left out."""

_MOMENT = RATE // 10
_AROUND = 20
"""Moments (of 0.1 s) over which the loudness is taken: a few words."""
_NEAR = 5
"""The same for what tells who of two speaks."""
_CLOSER = 2.0
"""How many times as loud a voice is at the microphone that it speaks into, at least."""
_LOUD, _SILENT = 0.1, 0.001
"""Of the range of samples: how loud every moment becomes (-20 dBFS), and what is too quiet to be
made louder (-60 dBFS)."""


def find(samples: Samples, detect: Detector, level: bool = True) -> list[Span]:
    """Where there is a voice, in order and apart.

    samples: 16 kHz. level: find quiet voices after loud ones, too.
    """
    found = list(detect(samples))
    if level:
        found += detect(levelled(samples))
    return joined(found)


def pieces(voices: Sequence[Span], length: int, silence: int, pad: int) -> list[Span]:
    """What is heard in one piece: voices with the pauses between them, in order and apart.

    voices: in order and apart. length: samples of the sound. silence: samples; a longer pause
    ends a piece. pad: samples before and after a voice that belong to the piece, where no other
    begins before.
    """
    bounds: list[Span] = []
    for start, end in voices:
        if bounds and start - bounds[-1][1] <= silence:
            bounds[-1] = (bounds[-1][0], end)
        else:
            bounds.append((start, end))
    made = []
    for number, (start, end) in enumerate(bounds):
        before = bounds[number - 1][1] if number else -start
        after = bounds[number + 1][0] if number + 1 < len(bounds) else 2 * length
        first = max(start - pad, (before + start) // 2, 0)
        made.append((first, min(end + pad, (end + after) // 2, length)))
    return made


def windows(samples: Samples, spans: Iterable[Span], longest: int, detect: Detector) -> list[Span]:
    """The spans, those that are longer than `longest` samples cut at pauses."""
    made = []
    for start, end in spans:
        part, begin = samples[start:end], 0
        while begin < len(part):
            stop = next_cut(part, begin, longest, detect)
            made.append((start + begin, start + stop))
            begin = stop
    return made


def levelled(samples: Samples) -> Samples:
    """The sound with every moment about as loud as the others, by the 2 s around it."""
    if not len(samples):
        return samples
    gain = _LOUD / np.maximum(_loudness(samples, _AROUND), _SILENT)
    made: Samples = np.clip(samples * _moment_by_moment(gain, len(samples)), -1, 1)
    return made


def as_loud_as_speech(samples: Samples) -> Samples:
    """The sound, louder or quieter as a whole, at -20 dBFS."""
    loudness = float(np.sqrt(np.mean(np.square(samples)))) if len(samples) else 0.0
    gain = np.float32(_LOUD / max(loudness, _SILENT))
    made: Samples = np.clip(samples * gain, -1, 1).astype(np.float32)
    return made


def alone(samples: Samples, other: Samples) -> Samples:
    """The sound of a microphone without what another one, which is as long, has louder: whoever
    speaks there is heard here as well."""
    if not len(samples):
        return samples
    here, there = (_loudness(each, _NEAR) for each in (samples, other))
    gain = np.where(there > here * _CLOSER, 0.0, 1.0)
    return samples * _moment_by_moment(gain, len(samples))


def joined(found: Iterable[tuple[Time, Time]]) -> list[tuple[Time, Time]]:
    """The spans in order, those that touch as one."""
    made: list[tuple[Time, Time]] = []
    for start, end in sorted(found):
        if made and start <= made[-1][1]:
            made[-1] = (made[-1][0], max(made[-1][1], end))
        else:
            made.append((start, end))
    return made


def without(
    span: tuple[Time, Time], others: Sequence[tuple[Time, Time]]
) -> list[tuple[Time, Time]]:
    """What of a span is in none of the others, which are in order and apart."""
    start, end = span
    left: list[tuple[Time, Time]] = []
    for other_start, other_end in others:
        if other_end <= start or other_start >= end:
            continue
        if other_start > start:
            left.append((start, other_start))
        start = max(start, other_end)
    if start < end:
        left.append((start, end))
    return left


def _loudness(samples: Samples, around: int) -> NDArray[np.float64]:
    """How loud each moment of 0.1 s is, with so many around it (root mean square)."""
    count = -(-len(samples) // _MOMENT)
    padded = np.zeros(count * _MOMENT, np.float32)
    padded[: len(samples)] = samples
    power = np.square(padded.reshape(count, _MOMENT)).mean(axis=1)
    around = min(around, count)
    # Sums of float32 may come out a little below zero.
    near: NDArray[np.float64] = np.convolve(power, np.ones(around) / around, "same").clip(0)
    return near**0.5


def _moment_by_moment(gain: NDArray[np.float64], length: int) -> Samples:
    """A factor for each sample, from the middle of a moment to that of the next, so that nothing
    clicks."""
    places = np.arange(length, dtype=np.float32) / _MOMENT - 0.5
    return np.interp(places, np.arange(len(gain)), gain).astype(np.float32)


def seconds(spans: Iterable[tuple[float, float]]) -> float:
    """How long the spans are together, overlaps counted once."""
    return sum(end - start for start, end in joined(spans))
