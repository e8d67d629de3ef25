"""The beats of a film: in order, apart from each other, and the best there are."""

import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelmake.editing import beats


def film(*parts):
    """Segments and scores from (start, end, score)."""
    segments = [{"id": n, "start": start, "end": end} for n, (start, end, _) in enumerate(parts)]
    return segments, {n: score for n, (_, _, score) in enumerate(parts)}


def choose(parts, duration=100, rising=3):
    return [
        (beat, each["id"]) for beat, each in beats.choose(*film(*parts), duration, rising=rising)
    ]


times = st.tuples(st.integers(0, 95), st.integers(1, 30), st.none() | st.integers(0, 10)).map(
    lambda drawn: (drawn[0], min(drawn[0] + drawn[1], 100), drawn[2])
)
films = st.lists(times, max_size=12).map(lambda parts: sorted(parts, key=lambda part: part[:2]))


@given(films, st.integers(0, 4))
@settings(max_examples=400)
def test_whatever_the_film_its_beats_tell_it(parts, rising):
    segments, scores = film(*parts)
    found = beats.choose(segments, scores, 100, rising)
    names = [beat for beat, _ in found]
    assert [name for name, _ in itertools.groupby(names)] == [
        name for name in ("setup", "rising", "climax", "resolution") if name in names
    ]
    for name in ("setup", "climax", "resolution"):
        assert names.count(name) <= 1
    assert names.count("rising") <= rising
    for (_, one), (_, other) in itertools.pairwise(found):
        assert one["end"] <= other["start"]
    known = [score for score in scores.values() if score is not None]
    if parts:
        climax = dict(found)["climax"]
        assert scores[climax["id"]] == max(known, default=None)
        usable = [each for each in segments if not known or scores[each["id"]] is not None]
        assert all(each in usable for _, each in found)
        assert ("setup" in names) == any(each["end"] <= climax["start"] for each in usable)
        assert ("resolution" in names) == any(each["start"] >= climax["end"] for each in usable)
    else:
        assert not found


def rising_by_hand(parts, rising):
    """The best length and total score of rising beats: every set of segments is tried."""
    segments, scores = film(*parts)
    found = beats.choose(segments, scores, 100, rising)
    names = dict(found)
    if "setup" not in names or not rising:
        return 0, 0
    start, end = names["setup"]["end"], names["climax"]["start"]
    usable = [each for each in segments if scores[each["id"]] is not None] or segments
    between = [each for each in usable if each["start"] >= start and each["end"] <= end]

    def part(each):
        return min(
            int(((each["start"] + each["end"]) / 2 - start) / (end - start) * rising), rising - 1
        )

    best = (0, 0)
    for size in range(1, rising + 1):
        for chosen in itertools.combinations(between, size):
            apart = all(a["end"] <= b["start"] for a, b in itertools.pairwise(chosen))
            if apart and len({part(each) for each in chosen}) == size:
                best = max(best, (size, sum(scores[each["id"]] or 0 for each in chosen)))
    return best


@given(films, st.integers(0, 4))
@settings(max_examples=400)
def test_as_many_beats_rise_as_can_with_the_highest_scores(parts, rising):
    segments, scores = film(*parts)
    found = [each for beat, each in beats.choose(segments, scores, 100, rising) if beat == "rising"]
    total = sum(scores[each["id"]] or 0 for each in found)
    assert (len(found), total) == rising_by_hand(parts, rising)


def tenths(scores=None, **others):
    """Ten segments of ten seconds; their scores are `scores`, the fourth's is `s3`."""
    return [
        (start, start + 10, others.get(f"s{start // 10}", scores)) for start in range(0, 100, 10)
    ]


@pytest.mark.parametrize(
    ("parts", "setup", "rising", "climax", "resolution"),
    [
        # All the same: time decides.
        (tenths(5), 0, [1, 3, 5], 7, 9),
        (tenths(None), 0, [1, 3, 5], 7, 9),
        # The highest is the climax, wherever it is.
        (tenths(5, s4=9), 0, [1, 2, 3], 4, 9),
        (tenths(5, s0=9), None, [], 0, 9),
        (tenths(5, s9=9), 0, [2, 4, 7], 9, None),
        # The best of the first quarter, and of the last.
        (tenths(5, s2=6, s3=8, s6=9, s7=6, s8=7), 2, [3, 4, 5], 6, 8),
        # The best of each third between.
        (tenths(5, s3=6, s6=8, s8=9), 0, [2, 3, 6], 8, 9),
        # Those without a score don't count where there are others, a score of 0 does.
        (tenths(None, s3=0, s4=2, s6=0), 3, [], 4, 6),
        ([(0, 30, 3)], None, [], 0, None),
    ],
)
def test_beats_of_a_film(parts, setup, rising, climax, resolution):
    expected = [("setup", setup), *(("rising", each) for each in rising)]
    expected += [("climax", climax), ("resolution", resolution)]
    assert choose(parts) == [(beat, number) for beat, number in expected if number is not None]


def test_many_candidates_take_no_time():
    """Three hours with 100 candidates a minute."""
    parts = [(n * 0.6, n * 0.6 + 15 + n % 45, n * 7 % 11) for n in range(18000)]
    started = time.monotonic()
    assert len(choose(parts, duration=10800, rising=20)) == 23
    assert time.monotonic() - started < 10
