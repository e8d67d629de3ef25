"""Which voices of a film's pieces are the same speaker's."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
"""A voice print: of unit length."""

MEANS = 0.5
"""The share of the largest distance within a speaker up to which mean prints are one speaker's.

Means lie closer than the prints of single windows: with the demo's models those of a voice differ
by 0.02 from piece to piece, of different ones by 0.3 at least, where windows differ by 0.5.
"""
ENOUGH = 5.0
"""Seconds of speech from which on a voice may found a speaker: a print of less is unsure."""


def join(
    prints: Sequence[Vector], seconds: Sequence[float], count: int | None, threshold: float
) -> list[int]:
    """The speaker of each voice, numbered from 0.

    Voices that were heard long enough are clustered by the mean distance (1 - cosine) of their
    prints; the rest goes to the nearest of those speakers, and what is near to none is clustered
    by itself.

    prints, seconds: of each voice. count: of speakers; None: as many as `threshold`, the largest
    distance within one, leaves.
    """
    if not prints:
        return []
    matrix, weights = np.stack(prints), np.maximum(np.array(seconds, np.float64), 1e-3)
    by_length = np.argsort(-weights, kind="stable")
    least = max(1, count or 1)
    sure = np.sort(
        np.array(
            [
                voice
                for rank, voice in enumerate(by_length)
                if weights[voice] >= ENOUGH or rank < least
            ]
        )
    )
    found = np.full(len(prints), -1)
    found[sure] = _clusters(matrix[sure], count, threshold * MEANS)
    centers = np.stack(
        [mean(matrix[found == each], weights[found == each]) for each in range(found.max() + 1)]
    )
    for voice in np.flatnonzero(found < 0):
        distances = 1 - centers @ matrix[voice]
        nearest = int(np.argmin(distances))
        if count or distances[nearest] <= threshold:
            found[voice] = nearest
    left = np.flatnonzero(found < 0)
    if len(left):
        found[left] = len(centers) + _clusters(matrix[left], None, threshold)
    return [int(each) for each in found]


def mean(prints: NDArray[np.float32], weights: NDArray[np.float64]) -> Vector:
    """The weighted mean of prints (count, dims), at unit length."""
    summed = (prints * weights[:, None]).sum(axis=0)
    made: Vector = (summed / max(float(np.linalg.norm(summed)), 1e-12)).astype(np.float32)
    return made


def _clusters(prints: NDArray[np.float32], count: int | None, threshold: float) -> NDArray[np.int_]:
    """The cluster of each print, numbered from 0."""
    if len(prints) == 1:
        return np.zeros(1, np.int_)
    from scipy.cluster.hierarchy import fcluster, linkage

    tree = linkage(prints.astype(np.float64), "average", metric="cosine")
    tree[:, 2] = np.maximum(tree[:, 2], 0)  # rounded below nothing, which it refuses
    limit = (count, "maxclust") if count else (threshold, "distance")
    labels = fcluster(tree, *limit)
    made: NDArray[np.int_] = np.unique(labels, return_inverse=True)[1]
    return made
