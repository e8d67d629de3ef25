"""Which shots of a film make its trailer. Pure: no film is read here.

Times are counted in frames of film time: whole numbers at the plan's frame rate, so that
pictures, sound, timeline and edit list are cut at the very same places.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from reelmake.editing.frame_rate import Cadence

# Nobody sees what a shorter shot shows.
SHORTEST = 1.0
# A shot of the climax is so much longer than the others.
WEIGHTS = {"climax": Fraction(3, 2)}
# What is left out last where there is no time for every beat.
IMPORTANCE = {"climax": 3, "setup": 2, "resolution": 1}


class Shot(NamedTuple):
    """A part of the film, its cross-fades included: frames of film time, end exclusive.

    beat: its name in narrative.json; `opening` for a film without beats. title, why: a model's.
    """

    start: int
    end: int
    beat: str
    title: str | None
    why: str | None


@dataclass(frozen=True)
class Plan:
    """The shots in the order of the trailer, each overlapping the next by `fade` frames."""

    shots: tuple[Shot, ...]
    fade: int
    film: Cadence

    @property
    def length(self) -> int:
        """Frames of the trailer."""
        return sum(shot.end - shot.start for shot in self.shots) - self.fade * (len(self.shots) - 1)

    def places(self) -> list[int]:
        """The frame of the trailer with which each shot begins."""
        places = [0]
        for shot in self.shots[:-1]:
            places.append(places[-1] + shot.end - shot.start - self.fade)
        return places

    def at(self, rate: Fraction) -> "Plan":
        """The same at another frame rate; each cut is off by half a frame at most."""

        def frames(count: int) -> int:
            return round(count * rate / self.film.rate)

        shots = []
        for shot in self.shots:
            start = frames(shot.start)
            shots.append(shot._replace(start=start, end=max(start + 1, frames(shot.end))))
        least = min(shot.end - shot.start for shot in shots)
        return Plan(tuple(shots), min(frames(self.fade), least // 2), self.film.at(rate))


def plan(
    beats: Sequence[Mapping[str, Any]],
    borders: Iterable[float],
    film: Cadence,
    seconds: float,
    crossfade: float,
) -> Plan:
    """The shots of a trailer of at most `seconds`: one of each beat, in the beats' order.

    beats: of narrative.json. borders: where scenes begin and end, seconds of film time.
    crossfade: seconds.
    A shot lies within its beat, begins and ends on a border where one leaves it a second, and is
    never shorter than two of the cross-fades, which are shortened for that. Beats shorter than
    a second are left out while there are others, and so are those that there is no time for.
    A film without beats gets its beginning. There is always a shot, of one frame at least.
    """
    time = max(1, min(film.frames, math.floor(Fraction(seconds) * film.rate)))
    shortest = min(time, math.ceil(SHORTEST * film.rate))
    whole = [
        Shot(
            max(0, film.frame(beat["start"])),
            min(film.frames, film.frame(beat["end"])),
            beat["beat"],
            beat["title"],
            beat["why"],
        )
        for beat in beats
    ]
    chosen = _chosen(whole, shortest, time // shortest)
    if not chosen:
        chosen = [Shot(0, film.frames, "opening", None, None)]
    count = len(chosen)
    # So that as many shots of two fades fit both in the beats and in the time.
    least = min(beat.end - beat.start for beat in chosen)
    fade = min(round(Fraction(crossfade) * film.rate), least // 2, time // (2 * count))
    shortest = max(shortest, 2 * fade)
    cuts = sorted({film.frame(border) for border in borders})
    shots: dict[int, Shot] = {}
    left = time + (count - 1) * fade
    # The climax comes last: it gets what borders have taken from the others.
    order = sorted(range(count), key=lambda number: chosen[number].beat == "climax")
    for position, number in enumerate(order):
        rest = [chosen[other] for other in order[position:]]
        share = _shares(rest, shortest, left)[0]
        shots[number] = _cut(chosen[number], share, min(shortest, share), cuts)
        left -= shots[number].end - shots[number].start
    return Plan(tuple(shots[number] for number in range(count)), fade, film)


def _chosen(beats: list[Shot], shortest: int, most: int) -> list[Shot]:
    """At most so many beats: those long enough, or else the longest; the important ones first."""
    beats = [beat for beat in beats if beat.end > beat.start]
    enough = [beat for beat in beats if beat.end - beat.start >= shortest]
    beats = enough or sorted(beats, key=lambda beat: beat.start - beat.end)[:1]
    numbers = sorted(
        range(len(beats)),
        key=lambda number: -IMPORTANCE.get(beats[number].beat, 0),
    )[:most]
    return [beats[number] for number in sorted(numbers)]


def _shares(beats: Sequence[Shot], shortest: int, time: int) -> list[int]:
    """How many frames each beat gets: equal parts by weight, none more than it has."""

    def given(part: int) -> list[int]:
        return [
            min(
                beat.end - beat.start,
                max(shortest, math.floor(part * WEIGHTS.get(beat.beat, Fraction(1)))),
            )
            for beat in beats
        ]

    return given(_largest(lambda part: sum(given(part)) <= time, time))


def _largest(fits: Callable[[int], bool], most: int) -> int:
    """The largest number up to `most` that fits, if 0 and all below it do."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def _cut(beat: Shot, share: int, shortest: int, cuts: Sequence[int]) -> Shot:
    """The longest shot of up to `share` frames of the beat that has a border at both ends;
    without such borders one, then none."""

    def longest(starts: Iterable[int]) -> Shot | None:
        found: list[tuple[bool, int, Shot]] = []
        for start in starts:
            last = min(start + share, beat.end)
            ends = [end for end in cuts if start + shortest <= end <= last]
            end = max(ends, default=last)
            if end - start >= shortest:
                shot = beat._replace(start=start, end=end)
                found.append((bool(ends), end - start, shot))
        # Of those that are as long the first: max keeps it.
        return max(found, key=lambda entry: entry[:2])[2] if found else None

    inside = [start for start in cuts if beat.start <= start < beat.end]
    shot = longest(inside) or longest([beat.start])
    assert shot is not None  # the share is no longer than the beat, and no shorter than a shot
    return shot
