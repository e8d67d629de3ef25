"""Scenes begin where the pictures change, in film time, at any frame rate."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

import make_media
from reelmake.foundation import artifact_files
from reelmake.foundation.errors import StageError
from reelmake.library import config
from reelmake.media import ffmpeg, probing, scenes

Film = Callable[[str], Path]


def given(**settings: object) -> dict:
    return config.load({"scenes": settings})["scenes"]


def detect(path: Path, **settings: object) -> dict:
    found = scenes.detect(path, probing.probe(path), given(**settings), ffmpeg.binary())
    artifact_files.validate(found, "scenes")
    bounds = found["scenes"]
    for before, after in itertools.pairwise(bounds):
        assert before["end"] == after["start"]
        assert before["end_frame"] == after["start_frame"]
    assert [scene["id"] for scene in bounds] == list(range(len(bounds)))
    if bounds:
        assert bounds[0]["start_frame"] == 0
        assert bounds[-1]["end_frame"] == found["frames"]
        assert bounds[-1]["end"] - bounds[0]["start"] == pytest.approx(found["duration"], abs=1e-5)
    return found


def starts(found: dict) -> list[float]:
    return [scene["start"] for scene in found["scenes"]]


@pytest.mark.parametrize("detector", ["adaptive", "content"])
def test_cuts_of_constant_and_variable_frame_rates(film: Film, detector: str) -> None:
    found = detect(film("cfr.mp4"), detector=detector)
    assert starts(found) == [0, 2, 4]
    assert (found["fps"], found["frames"], found["duration"]) == (25, 150, 6)
    found = detect(film("vfr.mkv"), detector=detector)
    assert starts(found) == [0, 2, 5]
    assert found["scenes"][-1]["end"] == pytest.approx(7)
    assert [s["start_frame"] for s in found["scenes"]] == [0, 50, 80]
    assert found["fps"] == pytest.approx(180 / 7, abs=1e-4)


def test_hash_finds_the_cuts_between_different_pictures(tmp_path: Path) -> None:
    graph = (
        f"testsrc=s={make_media.SIZE}:r=25:d=2[a];smptebars=s={make_media.SIZE}:r=25:d=2[b];"
        "[a][b]concat=n=2"
    )
    path = make_media.video(tmp_path / "film.mp4", graph)
    assert starts(detect(path, detector="hash")) == [0, 2]


def test_threshold_finds_the_fade_to_black(tmp_path: Path) -> None:
    size = f"s={make_media.SIZE}:r=25:d=3"
    graph = (
        f"color=white:{size},fade=out:st=2.4:d=0.4[a];color=gray:{size},fade=in:st=0.2:d=0.4[b];"
        "[a][b]concat=n=2"
    )
    path = make_media.video(tmp_path / "film.mp4", graph)
    first, second = starts(detect(path, detector="threshold"))
    assert first == 0
    assert 2.8 < second < 3.2


def test_film_time_counts_from_the_first_stream(film: Film) -> None:
    """The picture starts 1 s after the sound; its flash at 3 s is two cuts, too short for one."""
    found = detect(film("early.mkv"), detector="content", min_seconds=0.01)
    assert starts(found)[:2] == [1, 3]
    assert found["scenes"][0]["start_frame"] == 0
    found = detect(film("start.ts"))
    assert starts(found)[:2] == [pytest.approx(0.010022), pytest.approx(3.010022)]


@pytest.mark.parametrize("name", ["one frame.mp4", "one frame.mkv"])
@pytest.mark.parametrize("detector", ["adaptive", "content", "threshold", "hash"])
def test_one_frame_is_one_scene(film: Film, name: str, detector: str) -> None:
    found = detect(film(name), detector=detector)
    (scene,) = found["scenes"]
    assert (scene["start"], scene["end"]) == (0, pytest.approx(0.04, abs=0.001))
    assert (scene["start_frame"], scene["end_frame"]) == (0, 1)


@pytest.mark.parametrize("name", ["rotated.mp4", "ten bit.mp4", "odd.mkv"])
def test_unusual_pictures(film: Film, name: str) -> None:
    assert starts(detect(film(name))) == ([0] if name == "rotated.mp4" else [0, 1])


def test_sound_only_has_no_scenes(film: Film) -> None:
    for name in ("song.m4a", "stereo.mka"):
        assert detect(film(name))["scenes"] == []


def test_no_frame_at_all_is_refused(film: Film) -> None:
    path = film("no frames.mp4")
    with pytest.raises(StageError) as caught:
        detect(path)
    assert str(path) in str(caught.value)


def test_an_ffmpeg_that_gives_nothing_is_refused(film: Film, tmp_path: Path) -> None:
    path, program = film("cfr.mp4"), tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    with pytest.raises(StageError, match="not one frame"):
        scenes.detect(path, probing.probe(path), given(), str(program))


def test_the_settings_reach_the_detector(film: Film) -> None:
    path = film("cfr.mp4")
    assert starts(detect(path, min_seconds=3)) == [0]
    assert starts(detect(path, min_seconds=2)) == [0, 2, 4]
    assert starts(detect(path, min_content=200)) == [0]
    assert starts(detect(path, detector="content", threshold=250)) == [0]


def test_a_last_scene_that_is_too_short_belongs_to_the_one_before(tmp_path: Path) -> None:
    parts = [("red", 2, 25), ("blue", 2, 25), ("white", 0.4, 25)]
    path = make_media.video(tmp_path / "film.mkv", make_media.cuts(parts))
    found = detect(path)
    assert starts(found) == [0, 2]
    assert found["scenes"][-1]["end"] == pytest.approx(4.4)
    assert starts(detect(path, min_seconds=0.3)) == [0, 2, 4]


def test_progress_is_told_in_frames(film: Film) -> None:
    told: list[tuple[int, int]] = []
    path = film("cfr.mp4")
    scenes.detect(
        path, probing.probe(path), given(), ffmpeg.binary(), progress=lambda *now: told.append(now)
    )
    assert told == [(100, 150), (150, 150)]


def test_boundaries_are_frames_in_order() -> None:
    times = [0.0, 0.5, 1.0, 1.5, 2.0]
    # Twice the same cut, one at the first frame, one between frames, one past the end.
    assert scenes._boundaries(times, [1.0, 0.0, 1.0, 0.7, 9.0], 2.5, 0.6) == [0, 2, 5]
    assert scenes._boundaries(times, [1.0, 2.0], 2.5, 0.6) == [0, 2, 5]
    assert scenes._boundaries(times, [2.0], 2.5, 0.5) == [0, 4, 5]
