"""Which segments tell the film: its beats, chosen by score and time alone.

A film begins with its setup, rises to its climax, and ends with its resolution. Candidates are
the segments that have a score, or all of them where none has: then time decides, so that such a
film has beats, too.
"""

import bisect
from collections.abc import Iterator
from typing import Any, NamedTuple

CLIMAX = 0.75
"""Where in a film its climax is looked for among the segments of the highest score: most films
have it about there."""
EDGE = 0.25
"""The part of a film that counts as its beginning, and as its end."""

Segment = dict[str, Any]
Beat = tuple[str, Segment]


def choose(
    segments: list[Segment], scores: dict[int, int | None], duration: float, rising: int
) -> list[Beat]:
    """The beats in the order of time, none overlapping another: ("climax", segment), ….

    segments: of segments.json. scores: by their ids, 0 to 10. duration: of the film, seconds.
    rising: how many `rising` beats there may be.

    The climax has the highest score; of several, it is the one nearest to three quarters of the
    film. The setup is the best before the climax that begins within the film's first quarter,
    or else the first there is; the resolution is the best after it that ends within the last
    quarter, or else the last. What lies between setup and climax is divided into `rising` equal
    parts; of each comes one, by the middle of the segments: as many as possible, and then the
    ones with the highest scores together.
    """
    scored = [each for each in segments if scores.get(each["id"]) is not None] or segments
    if not scored:
        return []

    def score(segment: Segment) -> int:
        return scores.get(segment["id"]) or 0

    climax = min(
        scored, key=lambda each: (-score(each), abs(_middle(each) - CLIMAX * duration), each["id"])
    )
    before = [each for each in scored if each["end"] <= climax["start"] and each != climax]
    after = [
        each for each in scored if each["start"] >= climax["end"] and each["end"] > climax["start"]
    ]
    beats = [("climax", climax)]
    if before:
        early = [each for each in before if each["start"] <= EDGE * duration]
        setup = (
            min(early, key=lambda each: (-score(each), each["start"], each["id"]))
            if early
            else min(before, key=lambda each: (each["start"], each["id"]))
        )
        between = [each for each in before if each["start"] >= setup["end"] and each != setup]
        stretch = (setup["end"], climax["start"])
        chain = _chain([(each, score(each)) for each in between], *stretch, rising)
        beats = [("setup", setup), *(("rising", each) for each in chain), *beats]
    if after:
        late = [each for each in after if each["end"] >= (1 - EDGE) * duration]
        beats.append(
            (
                "resolution",
                max(late, key=lambda each: (score(each), each["end"], -each["id"]))
                if late
                else max(after, key=lambda each: (each["end"], -each["id"])),
            )
        )
    return beats


class _Chain(NamedTuple):
    """Segments one after the other. length: how many; total: of their scores."""

    length: int
    total: int
    nearness: float  # of the segments to the middles of their parts: decides between equals
    segments: tuple[Segment, ...]
    end: float

    @property
    def value(self) -> tuple[int, int, float]:
        return self[:3]


def _chain(
    candidates: list[tuple[Segment, int]], start: float, end: float, parts: int
) -> tuple[Segment, ...]:
    """The best chain of segments, at most one a part of the time between start and end.

    Exact: part by part, `best` holds the chains that nothing shorter in time is as good as, in
    the order of their ends and of their values.
    """
    best = [_Chain(0, 0, 0.0, (), start)]
    for part, inside in enumerate(_divided(candidates, start, end, parts)):
        centre = start + (end - start) * (part + 0.5) / parts
        ends = [chain.end for chain in best]
        longer = []
        for segment, score in inside:
            chain = best[bisect.bisect_right(ends, segment["start"]) - 1]
            longer.append(
                _Chain(
                    chain.length + 1,
                    chain.total + score,
                    chain.nearness - abs(_middle(segment) - centre),
                    (*chain.segments, segment),
                    segment["end"],
                )
            )
        best = list(_improving(sorted(best + longer, key=_by_end)))
    return best[-1].segments


def _divided(
    candidates: list[tuple[Segment, int]], start: float, end: float, parts: int
) -> list[list[tuple[Segment, int]]]:
    """The candidates of each part, by their middles."""
    found: list[list[tuple[Segment, int]]] = [[] for _ in range(parts)]
    for segment, score in candidates if parts else ():
        share = (_middle(segment) - start) / (end - start) if end > start else 0.0
        found[min(max(int(share * parts), 0), parts - 1)].append((segment, score))
    return found


def _by_end(chain: _Chain) -> tuple[float, int, int, float]:
    return chain.end, -chain.length, -chain.total, -chain.nearness


def _improving(chains: list[_Chain]) -> Iterator[_Chain]:
    """Those that are better than all that end before."""
    last = None
    for chain in chains:
        if last is None or chain.value > last.value:
            last = chain
            yield chain


def _middle(segment: Segment) -> float:
    middle: float = (segment["start"] + segment["end"]) / 2
    return middle
