"""Several ranked lists made one."""

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

K = 60
"""How much a place further back counts less: the larger, the less. 60 is usual since Cormack,
Clarke and Buettcher, 2009."""

Item = TypeVar("Item", bound=Hashable)


def fused(lists: Iterable[Sequence[Item]]) -> dict[Item, float]:
    """The score of each item, best first: the sum over the lists of 1 / (60 + its place, from 1).

    Reciprocal rank fusion: what is far up in several lists comes first, however differently each of
    them measures. lists: best first, each item once.
    """
    scores: dict[Item, float] = {}
    for ranked in lists:
        for place, item in enumerate(ranked, 1):
            scores[item] = scores.get(item, 0.0) + 1 / (K + place)
    return dict(sorted(scores.items(), key=lambda each: -each[1]))
