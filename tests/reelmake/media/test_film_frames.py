"""Frames by time, as ffmpeg and people see them."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from reelmake.foundation import artifact_files
from reelmake.media import film_frames, probing

Film = Callable[[str], Path]

COUNTED = ["count.mp4", "count.mkv", "count.ts", "count.avi"]
SOUND = [
    *("together.mp4", "late.mp4", "late.mkv", "late.ts", "early.mp4", "early.mkv", "start.ts"),
    *("gap.mkv", "two.mkv", "song.m4a", "8k.wav", "stereo.mka", "5.1.wav"),
]
PICTURES = [
    *("cfr.mp4", "vfr.mkv", "rotated.mp4", "ten bit.mp4", "odd.mkv"),
    *("one frame.mp4", "one frame.mkv", *COUNTED),
]
WHOLE = ["whole.avi", "whole.flv", "whole.mkv", "fragments.mp4"]


def probe(path: Path) -> dict:
    """The facts, checked against the schema as the job does."""
    found = probing.probe(path)
    artifact_files.validate({"content": "0" * 64} | found, "media")
    return found


def main_video(found: dict) -> dict:
    return next(stream for stream in found["streams"] if stream["index"] == found["video"])


def gray(shown: film_frames.Shown) -> float:
    return float(shown.frame.to_ndarray(format="gray").mean())


@pytest.mark.parametrize("name", COUNTED)
def test_windows_hold_the_frames_of_their_times(film: Film, name: str) -> None:
    """In any order, whatever was read before, and whichever way the container seeks."""
    found = probe(film(name))
    order = np.random.default_rng(7).permutation(190)[:25]
    with film_frames.Frames(film(name), found["video"], found["start_time"]) as frames:
        every = list(frames.between(0, 100))
        levels = [gray(shown) for shown in every]
        # One step of luma is 4; the codec may err by 1.
        assert np.abs(np.diff(levels[:50]) - 4.7).max() < 2.5
        for first in [*order, 3, 4, 6, 198]:
            start = every[first].time
            window = list(frames.between(start, start + 0.08))
            expected = every[first : first + 2]
            assert [shown.time for shown in window] == [shown.time for shown in expected]
            assert [gray(shown) for shown in window] == [gray(shown) for shown in expected]


def test_window_begins_with_the_frame_on_screen(film: Film) -> None:
    with film_frames.Frames(film("vfr.mkv"), 0, 0.0) as frames:
        # 10 frames a second from 2 s on: the one of 2.4 s is shown until 2.5 s.
        assert [s.time for s in frames.between(2.45, 2.55)] == [2.4, 2.5]
        assert [s.time for s in frames.between(6.999, 60)] == [6.98]
        assert [s.time for s in frames.between(-5, 0.01)] == [0.0]


def test_a_window_left_early_does_not_spoil_the_next(film: Film) -> None:
    with film_frames.Frames(film("count.mp4"), 0, 0.0) as frames:
        assert next(frames.between(1.0, 4.0)).time == 1.0
        assert next(frames.between(1.2, 4.0)).time == 1.2
        assert next(frames.between(0.4, 4.0)).time == 0.4


def test_seeking_decodes_little(film: Film) -> None:
    """The last second of 8 s: from the keyframe at 6 s, not from the beginning."""
    with film_frames.Frames(film("count.mp4"), 0, 0.0) as frames:
        shown = list(frames._from(7.0))
    assert shown[0].time == 6.0


def test_streams_are_read_from_the_start_where_seeking_fails(
    film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(film_frames.Frames, "_seek", lambda self, time: False)
    with film_frames.Frames(film("count.mp4"), 0, 0.0) as frames:
        assert [s.time for s in frames.between(5.0, 5.08)] == [5.0, 5.04]
        assert [s.time for s in frames.between(1.0, 1.08)] == [1.0, 1.04]


def test_seeks_that_land_too_late_go_further_back(
    film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    seek = film_frames.Frames._seek
    monkeypatch.setattr(film_frames.Frames, "_seek", lambda self, time: seek(self, time + 3))
    with film_frames.Frames(film("count.mp4"), 0, 0.0) as frames:
        assert [s.time for s in frames.between(5.0, 5.08)] == [5.0, 5.04]


def test_film_time_rounds_as_ffmpeg_does() -> None:
    assert film_frames.film_time(126902, Fraction(1, 90000), 1.4) == pytest.approx(902 / 90000)
    assert film_frames.film_time(3, Fraction(1, 25), 0.05) == pytest.approx(2 / 25)
