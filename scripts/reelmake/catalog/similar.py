"""Films that look the same, from the hashes of their keyframes.

Comparing each keyframe with each would take the square of their number: 1.8 * 10^11 times for
600,000. Two hashes that differ in few bits are mostly equal in one of their four quarters, so only
those are compared that are; that tells which films may be the same. Those are compared in full, in
order: a film that was encoded again, made smaller or put into another container shows the same
pictures one after the other.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from reelmake.catalog.picture_hashes import Hashes, differing

SAME = 10
"""Bits of 64 up to which two keyframes are taken for the same picture."""
SHARE = 0.6
"""Of a film's keyframes that another one has to have, in order."""
FEWEST = 3
"""Keyframes that have to be the same; of a film with fewer, all, and it has to be as long."""
LENGTH = 0.03
"""The share by which two films' lengths may differ that are the same."""
CROWD = 2_000
"""Keyframes with an equal quarter of their hashes, from which on it says nothing: an opening logo,
a studio, a slide."""
_QUARTERS = 4

Numbers = npt.NDArray[np.int64]


class Pair(NamedTuple):
    """Two films, by id. matched: keyframes that are the same, in order. share, other_share: of the
    keyframes of each that these are, 0 to 1."""

    film: str
    other: str
    matched: int
    share: float
    other_share: float


def pairs(films: Mapping[str, Hashes]) -> list[Pair]:
    """The films of which one has most of the other's keyframes, in order. Most alike first."""
    names = list(films)
    found = []
    for one, other, votes in _candidates([films[name].hashes for name in names]):
        fewest = min(len(films[names[one]].hashes), len(films[names[other]].hashes))
        if votes < min(FEWEST, fewest) or votes < fewest * SHARE / 3:
            continue
        pair = _compared(names[one], names[other], films[names[one]], films[names[other]])
        enough = pair.matched >= min(FEWEST, fewest)
        if enough and max(pair.share, pair.other_share) >= SHARE:
            found.append(pair)
    return sorted(found, key=lambda pair: (-min(pair.share, pair.other_share), pair))


def same_scenes(films: Mapping[str, Hashes], most: int) -> list[tuple[int, str, int, str, int]]:
    """Scenes of different films that look the same, most alike first: bits that differ, film,
    keyframe, the other film, its keyframe (each its place in the film's hashes)."""
    names = list(films)
    places = np.concatenate(
        [np.arange(len(film.hashes), dtype=np.int64) for film in films.values()]
        or [np.empty(0, np.int64)]
    )
    hashes, owners = _joined([films[name].hashes for name in names])
    best: set[tuple[int, int, int]] = set()
    for one, other in _alike(hashes, owners):
        bits = differing(hashes[one], hashes[other])
        order = np.argsort(bits, kind="stable")[:most]
        best |= {(int(bits[n]), int(one[n]), int(other[n])) for n in order}
    return [
        (bits, names[owners[a]], int(places[a]), names[owners[b]], int(places[b]))
        for bits, a, b in sorted(best)[:most]
    ]


def _compared(name: str, other_name: str, film: Hashes, other: Hashes) -> Pair:
    same = differing(film.hashes[:, None], other.hashes[None, :]) <= SAME
    matched = longest_in_order(same)
    return Pair(name, other_name, matched, matched / len(same), matched / same.shape[1])


def longest_in_order(same: npt.NDArray[np.bool_]) -> int:
    """How many rows and columns can be matched, each once and in order, where `same` allows it:
    the length of the longest common subsequence."""
    best = np.zeros(same.shape[1] + 1, np.int32)
    for row in same:
        best[1:] = np.maximum(best[1:], best[:-1] + row)
        np.maximum.accumulate(best, out=best)
    return int(best[-1])


def _candidates(hashes: list[npt.NDArray[np.uint64]]) -> Iterator[tuple[int, int, int]]:
    """Two films, by place, and how many keyframes of the first look like one of the second."""
    joined, owners = _joined(hashes)
    if not len(joined):
        return
    count, total = len(hashes), len(joined)
    found = [
        np.unique((owners[one] * count + owners[other]) * total + one)
        for one, other in _alike(joined, owners)
    ]
    if not found:
        return
    codes = np.unique(np.concatenate(found)) // total
    both, votes = np.unique(codes, return_counts=True)
    for pair, number in zip(both.tolist(), votes.tolist(), strict=True):
        yield pair // count, pair % count, number


def _joined(hashes: list[npt.NDArray[np.uint64]]) -> tuple[npt.NDArray[np.uint64], Numbers]:
    """All hashes in a row, and the film of each."""
    if not hashes:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    return np.concatenate(hashes), np.repeat(
        np.arange(len(hashes), dtype=np.int64), [len(each) for each in hashes]
    )


def _alike(
    hashes: npt.NDArray[np.uint64], owners: Numbers
) -> Iterator[tuple[Numbers, Numbers]]:
    """Places of hashes of two films that differ in few bits, the earlier film first; those that
    have more than one quarter in common come more than once."""
    for quarter in range(_QUARTERS):
        keys = ((hashes >> np.uint64(16 * quarter)) & np.uint64(0xFFFF)).astype(np.uint16)
        order = np.argsort(keys, kind="stable")
        sorted_keys = keys[order]
        starts = np.flatnonzero(np.r_[True, sorted_keys[1:] != sorted_keys[:-1]])
        sizes = np.diff(np.r_[starts, len(order)])
        ends = np.repeat(starts + sizes, sizes)  # of the group that each is in
        alive = np.flatnonzero(np.repeat(sizes <= CROWD, sizes))
        distance = 1
        while len(alive := alive[alive + distance < ends[alive]]):
            one, other = order[alive], order[alive + distance]
            near = differing(hashes[one], hashes[other]) <= SAME
            near &= owners[one] != owners[other]
            if near.any():
                yield one[near], other[near]
            distance += 1
