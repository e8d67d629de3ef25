"""Which candidates become highlights: those of the highest scores together, none overlapping.

Weighted interval scheduling with a limit on their number, solved exactly.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

Interval = tuple[float, float, int]
"""Start and end, seconds, and score, 0 or more."""


def select(
    segments: dict[str, Any], scores: dict[str, Any], settings: dict[str, Any]
) -> dict[str, Any]:
    """The highlights, as in schemas/highlights.schema.json.

    segments, scores: the artifacts of these names. settings: `threshold`, `max_count` (None: no
    limit) and `min_gap_seconds`. Segments without a score are left out.
    """
    scored = {each["id"]: each for each in scores["scores"] if each["score"] is not None}
    candidates = [
        {
            "id": segment["id"],
            "start": segment["start"],
            "end": segment["end"],
            "score": scored[segment["id"]]["score"],
            "reason": scored[segment["id"]]["reason"],
            "text": segment["text"],
        }
        for segment in segments["segments"]
        if segment["id"] in scored and scored[segment["id"]]["score"] >= settings["threshold"]
    ]
    intervals = [(each["start"], each["end"], each["score"]) for each in candidates]
    chosen = schedule(intervals, settings["max_count"], settings["min_gap_seconds"])
    return {
        "candidates": len(candidates),
        "highlights": [candidates[number] for number in chosen],
    }


def schedule(
    intervals: Sequence[Interval], max_count: int | None = None, min_gap: float = 0.0
) -> list[int]:
    """The numbers of the intervals with the highest total score, in the order of time.

    Each begins at least `min_gap` seconds after the end of the one before; at most `max_count`.
    Of sets with the same total: that with fewer intervals (a score of 0 adds nothing), then that
    whose first interval begins earlier, or ends earlier, or stands earlier in the list; then the
    same of their second, and so on. Times are compared to the microsecond.
    """
    if not intervals:
        return []
    order = sorted(range(len(intervals)), key=lambda number: (*_times(intervals[number]), number))
    starts, ends = np.array([_times(intervals[number]) for number in order], dtype=np.int64).T
    # The first interval that may follow each; one that ends with its start does not follow itself.
    follows = np.searchsorted(starts, ends + _microseconds(min_gap))
    follows = np.maximum(follows, np.arange(len(order)) + 1)
    # One number for both: no sum of the 1s reaches the least difference of scores.
    worth = np.array([intervals[number][2] for number in order], dtype=np.int64)
    worth = worth * (len(order) + 1) - 1

    # best[i]: the highest worth of at most n of the intervals from the i-th on; taken[n - 1]:
    # whether the i-th belongs to it. As bits, since n may be in the thousands.
    best = np.zeros(len(order) + 1, dtype=np.int64)
    taken = []
    for _ in range(len(order) if max_count is None else min(max_count, len(order))):
        if_taken = worth + best[follows]
        more = np.zeros_like(best)
        np.maximum.accumulate(if_taken[::-1], out=more[-2::-1])
        np.maximum(more, 0, out=more)
        if np.array_equal(more, best):
            break  # a higher limit changes nothing
        best = more
        taken.append(np.packbits(if_taken == best[:-1]))
    chosen = []
    at = 0
    for row in reversed(taken):
        bits = np.unpackbits(row[at // 8 :])[at % 8 :]
        if not bits.any():
            break
        at += int(bits.argmax())
        chosen.append(order[at])
        at = int(follows[at])
    return chosen


def _times(interval: Interval) -> tuple[int, int]:
    return _microseconds(interval[0]), _microseconds(interval[1])


def _microseconds(seconds: float) -> int:
    return round(seconds * 1_000_000)
