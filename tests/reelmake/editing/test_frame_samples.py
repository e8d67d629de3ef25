"""Which frames are looked at for text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelmake.editing import frame_samples

SECONDS = st.floats(0, 1000, allow_nan=False)


def test_keyframes_alone():
    assert frame_samples.times([5.0, 1.0, 1.0], 20.0, None) == [1.0, 5.0]
    assert frame_samples.times([], 20.0, 1.0) == []  # a film without pictures


def test_frames_between_them_are_spread_evenly():
    assert frame_samples.times([1.0, 5.0], 6.0, 2.0) == [1.0, 3.0, 5.0]
    assert frame_samples.times([2.0], 4.0, 1.0) == [1.0, 2.0, 3.0]
    assert frame_samples.times([2.0], 1.0, 1.0) == [1.0, 2.0]  # longer than it says


@given(st.lists(SECONDS, min_size=1, max_size=20), SECONDS, st.floats(0.5, 100))
def test_no_gap_is_longer(keyframes, duration, every):
    found = frame_samples.times(keyframes, duration, every)
    assert found == sorted(set(found)) and {round(time, 6) for time in keyframes} <= set(found)
    ends = [*found, max(duration, found[-1])]
    gaps = [end - start for start, end in zip([0.0, *found], ends, strict=True)]
    assert max(gaps) <= every + 1e-4
    assert len(found) <= (ends[-1] / every) + 2 * len(keyframes) + 1


@pytest.mark.parametrize("every", [0.1, 0.3, 1 / 3])
def test_rounding_adds_no_frame(every):
    assert len(frame_samples.times([every * 3], every * 6, every)) == 5
