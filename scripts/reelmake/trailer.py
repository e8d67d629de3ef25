"""Which shots of a film make its trailer. Pure: no film is read here.

Times are counted in frames of film time: whole numbers at the plan's frame rate, so that
pictures, sound, timeline and edit list are cut at the very same places.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

# What cameras and broadcasters use. Files round these (23.976), and so does media.json.
RATES = tuple(
    rate
    for whole in (24, 25, 30, 48, 50, 60)
    for rate in (Fraction(whole), Fraction(whole * 1000, 1001))
    if whole not in (25, 50) or rate.denominator == 1
)
# The rate of the cuts where there are no pictures, or a handful: a slide show's have to fade.
NO_PICTURES = Fraction(25)
SLOWEST, FASTEST = 10, 60
# Phones write films of "60" frames a second with up to 61 on average.
TOLERANCE = 0.03
# What timestamps are off by, in frames: microseconds in JSON, half a millisecond in Matroska.
EPSILON = Fraction(1, 20)
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
    """The shots in the order of the trailer, each overlapping the next by `fade` frames.

    rate: frames per second. film: how many frames the whole film has. offset: when its frame 0
    is shown, seconds of film time; the sound may begin a part of a frame before.
    """

    shots: tuple[Shot, ...]
    fade: int
    rate: Fraction
    film: int
    offset: float = 0.0

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
        if rate == self.rate:
            return self

        def frames(count: int) -> int:
            return round(count * rate / self.rate)

        shots = [(frames(shot.start), frames(shot.end), shot) for shot in self.shots]
        whole = tuple(shot._replace(start=a, end=max(b, a + 1)) for a, b, shot in shots)
        shortest = min(shot.end - shot.start for shot in whole)
        fade = min(frames(self.fade), shortest // 2)
        film = max(frames(self.film), max(shot.end for shot in whole))
        return Plan(whole, fade, rate, film, self.offset)


def plan(
    beats: Sequence[Mapping[str, Any]],
    borders: Iterable[float],
    length: float,
    rate: Fraction,
    seconds: float,
    crossfade: float,
    offset: float = 0.0,
) -> Plan:
    """The shots of a trailer of at most `seconds`: one of each beat, in the beats' order.

    beats: of narrative.json. borders: where scenes begin and end. length: of the film; it and
    all the times are seconds of film time. rate: frames per second. offset: of Plan.
    A shot lies within its beat, begins and ends on a border where one leaves it a second, and is
    never shorter than two of the cross-fades, which are shortened for that. Beats shorter than
    a second are left out while there are others, and so are those that there is no time for.
    A film without beats gets its beginning. There is always a shot, of one frame at least.
    """

    def frame(seconds: float) -> int:
        # As ffmpeg's filter fps does: so no shot begins or ends with a frame of another scene,
        # where frames come at uneven times, too.
        return round((Fraction(seconds) - Fraction(offset)) * rate)

    film = max(1, frame(length))
    time = max(1, min(film, math.floor(Fraction(seconds) * rate)))
    shortest = min(time, math.ceil(SHORTEST * rate))
    whole = [
        Shot(
            max(0, frame(beat["start"])),
            min(film, frame(beat["end"])),
            beat["beat"],
            beat["title"],
            beat["why"],
        )
        for beat in beats
    ]
    chosen = _chosen(whole, shortest, time // shortest)
    if not chosen:
        chosen = [Shot(0, film, "opening", None, None)]
    count = len(chosen)
    # So that as many shots of two fades fit both in the beats and in the time.
    least = min(beat.end - beat.start for beat in chosen)
    fade = min(round(Fraction(crossfade) * rate), least // 2, time // (2 * count))
    shortest = max(shortest, 2 * fade)
    cuts = sorted({frame(border) for border in borders})
    shots: dict[int, Shot] = {}
    left = time + (count - 1) * fade
    # The climax comes last: it gets what borders have taken from the others.
    order = sorted(range(count), key=lambda number: chosen[number].beat == "climax")
    for position, number in enumerate(order):
        rest = [chosen[other] for other in order[position:]]
        share = _shares(rest, shortest, left)[0]
        shots[number] = _cut(chosen[number], share, min(shortest, share), cuts)
        left -= shots[number].end - shots[number].start
    return Plan(tuple(shots[number] for number in range(count)), fade, rate, film, offset)


def frame_rate(media: Mapping[str, Any], scenes: Mapping[str, Any]) -> Fraction:
    """Frames per second of the trailer: the film's, on average, 60 at most.

    media, scenes: media.json and scenes.json. A faster film is brought to an even part of its
    rate. What the file says counts, exactly, unless the frames that were counted belie it.
    """
    stream = next((s for s in media["streams"] if s["index"] == media["video"]), None)
    counted, said = scenes["fps"], stream and stream["fps_average"]
    if stream is None or not (counted or said):
        return NO_PICTURES
    average = said if said and (not counted or abs(said / counted - 1) < 0.005) else counted
    if average < SLOWEST:
        return NO_PICTURES
    average /= math.ceil(average / (FASTEST * (1 + TOLERANCE)))
    near = min(RATES, key=lambda rate: abs(rate - average))
    if abs(near / average - 1) < 2e-4:  # 23.976 and 24 are five times as far apart
        return near
    return min(Fraction(average).limit_denominator(1001), Fraction(FASTEST))


def offset(media: Mapping[str, Any], rate: Fraction) -> float:
    """When the frames of the film are shown, as seconds after those of a clock of that rate."""
    stream = next((s for s in media["streams"] if s["index"] == media["video"]), None)
    start = Fraction(stream["start_time"] or 0) if stream else Fraction(0)
    return max(0.0, float(start - math.floor(start * rate + EPSILON) / rate))


def extent(media: Mapping[str, Any], scenes: Mapping[str, Any], seconds: float) -> float:
    """How long the film is (s): its pictures, or else its sound.

    seconds: what is taken for it where the file does not say.
    """
    if scenes["scenes"]:
        return float(scenes["scenes"][-1]["end"])
    return float(seconds if media["duration"] is None else media["duration"])


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
