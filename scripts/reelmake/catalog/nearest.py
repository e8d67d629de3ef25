"""The rows of a table of vectors that lie nearest to a given one.

Of many rows the signs of their components are compared first, 384 of which take 48 bytes; those
that differ least are compared exactly. At a million rows that takes a fortieth of the time.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelmake.catalog.vector_files import Rows, packed

EXACT = 20_000
"""Up to so many rows are all compared exactly."""
AGAIN = 10
"""Rows that are compared exactly for each that is wanted."""
LEAST = 1_000
"""And so many at least."""
BLOCK = 16_384
"""Rows that are worked on together, so that they stay in the processor's cache."""

Range = tuple[int, int]
"""The first row, and the one after the last."""


class Found(NamedTuple):
    """rows: their numbers, the nearest first. cosines: of the angles."""

    rows: NDArray[np.int64]
    cosines: NDArray[np.float32]


def nearest(
    table: Rows,
    wanted: NDArray[np.float32],
    most: int,
    ranges: Sequence[Range],
    kinds: Sequence[int] | None = None,
) -> Found:
    """The rows nearest to `wanted`, a unit vector, `most` of them at most.

    ranges: where to look, in order, none over another. kinds: which rows to take; None: all.
    """
    count = sum(end - start for start, end in ranges)
    if count <= EXACT:
        rows = _all(ranges)
        if kinds is not None:
            rows = rows[~_others(table.rows["kind"][rows], kinds)]
    else:
        rows = _candidates(table, wanted, max(LEAST, most * AGAIN), ranges, kinds)
    return _ranked(table, wanted, most, rows)


def _candidates(
    table: Rows,
    wanted: NDArray[np.float32],
    count: int,
    ranges: Sequence[Range],
    kinds: Sequence[int] | None,
) -> NDArray[np.int64]:
    """The rows in whose signs the fewest bits differ: so many, and those that differ in as many
    as the last."""
    signs, bits = packed(wanted[None])[0], np.asarray(table.bits)
    differing = np.empty(len(bits), np.uint16)
    # Space that is used again: to get some for each block would take as long as the counting.
    unlike = np.empty((BLOCK, len(signs)), np.uint64)
    ones = np.empty((BLOCK, len(signs)), np.uint8)
    for start in range(0, len(bits), BLOCK):
        block, summed = bits[start : start + BLOCK], differing[start : start + BLOCK]
        rows = len(block)
        np.bitwise_xor(block, signs, out=unlike[:rows])
        np.bitwise_count(unlike[:rows], out=ones[:rows])
        summed[:] = ones[:rows, 0]
        for word in range(1, len(signs)):  # along the short axis, numpy's own sum is slow
            summed += ones[:rows, word]
    never = 64 * table.bits.shape[1] + 1
    before = 0
    for first, end in [*ranges, (len(differing), 0)]:
        differing[before:first] = never
        before = end
    if kinds is not None:
        differing[_others(table.rows["kind"], kinds)] = never
    counts = np.cumsum(np.bincount(differing, minlength=never + 1)[:never])
    farthest = min(int(np.searchsorted(counts, count)), never - 1)
    return np.flatnonzero(differing <= farthest)


def _ranked(table: Rows, wanted: NDArray[np.float32], most: int, rows: NDArray[np.int64]) -> Found:
    cosines = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), BLOCK):
        some = rows[start : start + BLOCK]
        some_vectors = table.vectors[some].astype(np.float32)
        # Not by @: the threads of the linear algebra would keep every core busy for so little.
        cosines[start : start + BLOCK] = np.einsum("ij,j->i", some_vectors, wanted)
    order = np.argsort(-cosines, kind="stable")[:most]
    return Found(rows[order], cosines[order])


def _others(kinds: NDArray[np.uint8], wanted: Sequence[int]) -> NDArray[np.bool_]:
    """Which rows are of none of these kinds."""
    is_other = np.ones(256, bool)
    is_other[list(wanted)] = False
    return is_other[kinds]


def _all(ranges: Sequence[Range]) -> NDArray[np.int64]:
    if not ranges:
        return np.empty(0, np.int64)
    return np.concatenate([np.arange(start, end) for start, end in ranges])
