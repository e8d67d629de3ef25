"""The highlights are the best set there is: checked against all sets."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelmake.editing.highlights import schedule, select
from reelmake.foundation import artifact_files
from reelmake.library import config


def all_sets(intervals, max_count, min_gap):
    """Every set that is allowed, as numbers in the order of time."""
    order = sorted(range(len(intervals)), key=lambda number: (*intervals[number][:2], number))
    most = len(order) if max_count is None else max_count
    for size in range(min(most, len(order)) + 1):
        for numbers in itertools.combinations(order, size):
            pairs = itertools.pairwise(numbers)
            if all(intervals[b][0] >= intervals[a][1] + min_gap for a, b in pairs):
                yield numbers


def best_set(intervals, max_count, min_gap):
    """The documented order: highest total, fewest, earliest."""
    return min(
        all_sets(intervals, max_count, min_gap),
        key=lambda numbers: (
            -sum(intervals[number][2] for number in numbers),
            len(numbers),
            [(*intervals[number][:2], number) for number in numbers],
        ),
    )


# Whole seconds, so that many touch, tie, or are just far enough apart.
INTERVALS = st.lists(
    st.tuples(st.integers(0, 20), st.integers(1, 7), st.integers(0, 10)).map(
        lambda parts: (float(parts[0]), float(parts[0] + parts[1]), parts[2])
    ),
    max_size=10,
)


@settings(max_examples=400, deadline=None)
@given(INTERVALS, st.sampled_from([None, 1, 2, 3, 5]), st.sampled_from([0.0, 1.0, 2.5]))
def test_the_best_of_all_sets(intervals, max_count, min_gap):
    chosen = schedule(intervals, max_count, min_gap)
    assert tuple(chosen) == best_set(intervals, max_count, min_gap)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(1, 3)), max_size=11), st.integers(1, 5))
def test_ties_are_broken_by_the_rule(spans, max_count):
    intervals = [(float(start), float(start + length), 5) for start, length in spans]
    assert tuple(schedule(intervals, max_count)) == best_set(intervals, max_count, 0.0)


@pytest.mark.parametrize(
    ("intervals", "max_count", "min_gap", "expected"),
    [
        ([], 3, 0, []),
        # The best single one is not in the best two.
        ([(0, 10, 6), (8, 20, 8), (18, 30, 6)], None, 0, [0, 2]),
        ([(0, 10, 6), (8, 20, 8), (18, 30, 6)], 1, 0, [1]),
        # Touching is no overlap, and a gap may be just as long as it has to be.
        ([(0, 10, 5), (10, 20, 5)], None, 0, [0, 1]),
        ([(0.0, 10.1, 5), (12.1, 20, 5)], None, 2.0, [0, 1]),
        ([(0.0, 10.1, 5), (12.099, 20, 5)], None, 2.0, [0]),
        ([(0.0, 0.1, 5), (0.3, 1, 5)], None, 0.2, [0, 1]),
        # Fewer; then earlier; a 0 adds nothing; the same twice.
        ([(0, 5, 3), (5, 10, 3), (0, 9, 6)], None, 0, [2]),
        ([(0, 10, 5), (1, 100, 6), (5, 8, 1), (20, 30, 1)], None, 0, [1]),
        ([(20, 30, 7), (0, 10, 7)], 1, 0, [1]),
        ([(0, 10, 0), (20, 30, 7)], None, 0, [1]),
        ([(0, 10, 0)], None, 0, []),
        ([(0, 10, 7), (0, 10, 7)], None, 0, [0]),
    ],
)
def test_small_cases(intervals, max_count, min_gap, expected):
    assert schedule(intervals, max_count, min_gap) == expected


def test_many_candidates_and_any_limit():
    intervals = [(float(10 * number), float(10 * number + 8), 1) for number in range(3000)]
    assert schedule(intervals, None) == list(range(3000))
    assert schedule(intervals, 2000) == list(range(2000))
    intervals[-1] = (*intervals[-1][:2], 2)
    assert schedule(intervals, 2) == [0, 2999]


def test_highlights_of_scored_segments():
    segments = {
        "segments": [
            {"id": number, "start": 10.0 * number, "end": 10.0 * number + 9, "text": f"t{number}"}
            for number in range(5)
        ]
    }
    scores = {
        "scores": [
            {"id": number, "score": score, "reason": None if score is None else f"r{number}"}
            for number, score in enumerate([6, 5, None, 9, 6])
        ]
    }
    given = config.load({"highlights": {"threshold": 6, "min_gap_seconds": 0}})["highlights"]
    found = select(segments, scores, given)
    artifact_files.validate(found, "highlights")
    assert found["candidates"] == 3
    assert [each["id"] for each in found["highlights"]] == [0, 3, 4]
    assert found["highlights"][1] == {
        "id": 3,
        "start": 30.0,
        "end": 39.0,
        "score": 9,
        "reason": "r3",
        "text": "t3",
    }
    found = select(segments, scores, given | {"max_count": 1, "threshold": 6.5})
    assert [each["id"] for each in found["highlights"]] == [3]
    assert select(segments, scores, given | {"threshold": 9.5})["highlights"] == []
    # Two seconds apart: the fourth and the fifth are not.
    found = select(segments, scores, given | {"min_gap_seconds": 2})
    assert [each["id"] for each in found["highlights"]] == [0, 3]
