"""Films that look the same, from the hashes of their keyframes.

Comparing each keyframe with each takes the square of their number: 1.8 * 10^11 times for 600,000.
Two hashes that differ in few bits are mostly equal in one of their four quarters, so only
those are compared that are; that tells which films may be the same. Those are compared in full, in
order: a film that was encoded again, made smaller or put into another container shows the same
pictures one after the other.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
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
FEW = 8_000
"""Keyframes up to which each is compared with each after all: that takes a second at most."""
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
        if votes < min(2, fewest) or votes < fewest * SHARE / 6:
            continue
        pair = _compared(names[one], names[other], films[names[one]], films[names[other]])
        enough = pair.matched >= min(FEWEST, fewest)
        if enough and max(pair.share, pair.other_share) >= SHARE:
            found.append(pair)
    return sorted(found, key=lambda pair: (-min(pair.share, pair.other_share), pair))


def same_scenes(
    films: Mapping[str, Hashes], most: int, known: Collection[frozenset[str]] = ()
) -> list[tuple[int, str, int, str, int]]:
    """Pictures of different films that look the same, most alike first, each pair of films once:
    bits that differ, film, keyframe, the other film, its keyframe (its place in the film's hashes).

    known: pairs of films that are left out.
    """
    names = list(films)
    hashes, owners = _joined([films[name].hashes for name in names])
    starts = np.searchsorted(owners, np.arange(len(names)))
    places = {name: number for number, name in enumerate(names)}
    count = len(names)
    left_out = [sorted(places[name] for name in pair) for pair in known]
    codes = np.array([one * count + other for one, other in left_out], np.int64)
    best: dict[tuple[int, int], tuple[int, int, int]] = {}
    for one, other in _alike(hashes, owners):
        new = ~np.isin(owners[one] * count + owners[other], codes)
        one, other = one[new], other[new]
        bits = differing(hashes[one], hashes[other])
        for place in np.argsort(bits, kind="stable")[: most * 10]:
            a, b = int(one[place]), int(other[place])
            both, found = (int(owners[a]), int(owners[b])), (int(bits[place]), a, b)
            best[both] = min(best.get(both, found), found)
    return [
        (bits, names[owners[a]], int(a - starts[owners[a]]), names[owners[b]],
         int(b - starts[owners[b]]))
        for bits, a, b in sorted(best.values())[:most]
    ]  # fmt: skip


def _compared(name: str, other_name: str, film: Hashes, other: Hashes) -> Pair:
    # One after the other: those of two films of 8 hours would take gigabytes at once.
    rows = (differing(other.hashes, each) <= SAME for each in film.hashes)
    matched = longest_in_order(rows, len(other.hashes))
    return Pair(name, other_name, matched, matched / len(film.hashes), matched / len(other.hashes))


def longest_in_order(same: Iterable[npt.NDArray[np.bool_]], columns: int) -> int:
    """How many rows and columns can be matched, each once and in order, where `same`, row by row,
    allows it: the length of the longest common subsequence."""
    best = np.zeros(columns + 1, np.int32)
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


def _each_with_each(
    hashes: npt.NDArray[np.uint64], owners: Numbers
) -> Iterator[tuple[Numbers, Numbers]]:
    for start in range(0, len(hashes), 256):
        near = differing(hashes[start : start + 256, None], hashes[None, :]) <= SAME
        one, other = np.nonzero(near)
        one += start
        right = owners[one] < owners[other]
        yield one[right], other[right]


def _alike(hashes: npt.NDArray[np.uint64], owners: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
    """Places of hashes of two films that differ in few bits, the earlier film first; some come
    more than once."""
    if len(hashes) <= FEW:
        yield from _each_with_each(hashes, owners)
        return
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
