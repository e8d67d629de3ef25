"""A string-out: moments of films on one timeline for an editor, as cuts or as markers.

Pure: everything is counted in whole frames, those of a film in its own rate, those of the timeline
in the timeline's, so that every format that is written says the same.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from reelmake.editing.frame_rate import Cadence
from reelmake.editing.timecode import Timecode


class Moment(NamedTuple):
    """A part of a film: seconds of film time. label: a few words. note: why, or what is said."""

    source: Path
    start: float
    end: float
    label: str
    note: str | None = None


@dataclass(frozen=True)
class Film:
    """What an editor has to know of a film.

    start: its start timecode, where it has one. size: width and height in pixels, upright; None:
    no pictures. channels: of the sound; 0: none. sample_rate: in Hz.
    """

    source: Path
    cadence: Cadence
    start: Timecode | None = None
    size: tuple[int, int] | None = None
    channels: int = 0
    sample_rate: int = 0

    @property
    def rate(self) -> Fraction:
        """Frames per second, exactly."""
        return self.cadence.rate

    @property
    def zero(self) -> int:
        """The number of its first frame: by its timecode, or 0."""
        return 0 if self.start is None else self.start.at(self.rate)

    @property
    def drop(self) -> bool:
        """Whether its timecode is drop-frame."""
        return self.start is not None and self.start.drop

    def at(self, rate: Fraction) -> "Film":
        """The same film in frames of another rate."""
        return self if rate == self.rate else replace(self, cadence=self.cadence.at(rate))


class Cut(NamedTuple):
    """Frames [start, end) of a film, from 0, and where they stand: `length` frames of the timeline
    from frame `at` on, from 0."""

    film: Film
    start: int
    end: int
    at: int
    length: int
    label: str
    note: str | None


class Mark(NamedTuple):
    """Frames [start, end) of the film of the cut with that number; and where that is on the
    timeline."""

    cut: int
    start: int
    end: int
    at: int
    length: int
    label: str
    note: str | None


@dataclass(frozen=True)
class StringOut:
    """rate: of the timeline. drop: whether its timecode is drop-frame, as that of all films that
    have one. first: the number of its first frame. No cut is empty, and there is one at least."""

    name: str
    rate: Fraction
    drop: bool
    first: int
    cuts: tuple[Cut, ...]
    marks: tuple[Mark, ...] = ()

    @property
    def length(self) -> int:
        """Frames of the timeline."""
        return self.cuts[-1].at + self.cuts[-1].length

    @property
    def films(self) -> list[Film]:
        """Those in it, each once, in the order in which they come."""
        return list({cut.film.source: cut.film for cut in self.cuts}.values())


def cuts(
    name: str,
    moments: Sequence[Moment],
    films: Mapping[Path, Film],
    rate: Callable[[Fraction], Fraction] = lambda rate: rate,
) -> StringOut:
    """Each moment as a cut, one after the other in the order given, from timecode zero on.

    moments: one at least. films: those of the moments, by their source. rate: at which a film of
    that rate is counted, where a format does not know all.
    The timeline has the rate that most cuts have.
    """
    used = [films[moment.source].at(rate(films[moment.source].rate)) for moment in moments]
    common = Counter(film.rate for film in used).most_common(1)[0][0]
    placed: list[Cut] = []
    at = 0
    for moment, film in zip(moments, used, strict=True):
        start, end = _frames(moment, film)
        length = _length(end - start, film.rate, common)
        placed.append(Cut(film, start, end, at, length, moment.label, moment.note))
        at += length
    timed = [film.drop for film in used if film.start is not None]
    return StringOut(name, common, bool(timed) and all(timed), 0, tuple(placed))


def markers(
    name: str,
    moments: Sequence[Moment],
    films: Mapping[Path, Film],
    rate: Callable[[Fraction], Fraction] = lambda rate: rate,
) -> StringOut:
    """Each film whole, with a marker for each of its moments; parameters as of `cuts`.

    A single film has its own timecode on the timeline, too.
    """
    whole = []
    for source in dict.fromkeys(moment.source for moment in moments):
        film = films[source]
        whole.append(Moment(source, 0.0, float(film.cadence.time(film.cadence.frames)), ""))
    made = cuts(name, whole, films, rate)
    named = [cut._replace(label=cut.film.source.name) for cut in made.cuts]
    number = {cut.film.source: number for number, cut in enumerate(named)}
    marks = []
    for moment in moments:
        cut = named[number[moment.source]]
        start, end = _frames(moment, cut.film)
        at = min(round(start / cut.film.rate * made.rate), cut.length - 1)
        length = min(_length(end - start, cut.film.rate, made.rate), cut.length - at)
        marks.append(
            Mark(number[moment.source], start, end, cut.at + at, length, moment.label, moment.note)
        )
    first = named[0].film.zero if len(named) == 1 else 0
    return replace(made, first=first, cuts=tuple(named), marks=tuple(marks))


def _frames(moment: Moment, film: Film) -> tuple[int, int]:
    """The frames of a moment; one at least, within the film."""
    frame, last = film.cadence.frame, film.cadence.frames
    start = min(max(0, frame(moment.start)), last - 1)
    return start, min(max(start + 1, frame(moment.end)), last)


def _length(frames: int, rate: Fraction, wanted: Fraction) -> int:
    return max(1, round(frames / rate * wanted))
