"""Keyframes are the pictures of their times, upright, and the best of their part."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

import make_media
from reelmake.foundation import artifact_files
from reelmake.foundation.errors import StageError
from reelmake.library import config
from reelmake.media import ffmpeg, keyframes, probing, scenes

Film = Callable[[str], Path]


def extract(path: Path, folder: Path, cuts: dict | None = None, **settings: object) -> list[dict]:
    facts = probing.probe(path)
    given = config.load({"keyframes": settings})
    cuts = cuts or scenes.detect(path, facts, given["scenes"], ffmpeg.binary())
    found = keyframes.extract(path, facts, cuts, given["keyframes"], folder)
    artifact_files.validate(found, "keyframes")
    assert {entry.name for entry in folder.iterdir()} == {r["file"] for r in found["keyframes"]}
    for record in found["keyframes"]:
        height, width, _ = image(folder, record).shape
        assert (record["width"], record["height"]) == (width, height)
    return found["keyframes"]


def image(folder: Path, record: dict) -> np.ndarray:
    return cv2.imdecode(np.frombuffer((folder / record["file"]).read_bytes(), np.uint8), 1)


def one_scene(start: float, end: float, fps: float = 25) -> dict:
    scene = {"id": 0, "start": start, "end": end}
    scene |= {"start_frame": round(start * fps), "end_frame": round(end * fps)}
    return {"scenes": [scene]}


def test_one_picture_a_scene_of_its_color(film: Film, tmp_path: Path) -> None:
    records = extract(film("vfr.mkv"), tmp_path)
    assert [r["file"] for r in records] == [f"scene000{n}_1.jpg" for n in range(3)]
    assert [r["scene_id"] for r in records] == [0, 1, 2]
    colors = [image(tmp_path, r).mean((0, 1)).argmax() for r in records[:2]]
    assert colors == [2, 0]  # BGR: red, blue
    assert image(tmp_path, records[2]).min() > 200
    for record, (start, end) in zip(records, [(0, 2), (2, 5), (5, 7)], strict=True):
        assert start + 0.1 < record["timestamp"] < end - 0.1
        assert record["faces"] is None


@pytest.mark.parametrize("name", ["count.mp4", "count.mkv", "count.ts"])
@pytest.mark.parametrize("strategy", ["sharpest", "middle", "first"])
def test_the_picture_is_the_frame_of_its_time_and_number(
    film: Film, tmp_path: Path, name: str, strategy: str
) -> None:
    records = extract(film(name), tmp_path, one_scene(0, 8), strategy=strategy, per_scene=4)
    assert len(records) == 4
    for record in records:
        assert record["frame"] == round(record["timestamp"] * 25)
        # Full-range gray of the limited-range luma, a step is 4.7.
        expected = (make_media.luma(record["frame"]) - 16) * 255 / 219
        assert image(tmp_path, record).mean() == pytest.approx(expected, abs=2)


def test_first_and_middle_are_where_they_are_said_to_be(film: Film, tmp_path: Path) -> None:
    path = film("cfr.mp4")
    firsts = extract(path, tmp_path, strategy="first")
    assert [r["timestamp"] for r in firsts] == [0, 2, 4]
    assert [r["frame"] for r in firsts] == [0, 50, 100]
    middles = extract(path, tmp_path, strategy="middle")
    assert [r["timestamp"] for r in middles] == [1, 3, 5]
    halves = extract(path, tmp_path, strategy="first", per_scene=2)
    assert [r["timestamp"] for r in halves] == [0, 1, 2, 3, 4, 5]


@pytest.fixture
def blurred(tmp_path: Path) -> Path:
    """6 s of a detailed picture, blurred but for a moment around 3.4 s; sharper still at 1 s."""
    graph = (
        f"testsrc=s={make_media.SIZE}:r=25:d=6,"
        "gblur=sigma=4:enable='not(between(t,3.35,3.45)+between(t,0.95,1.05))',"
        "noise=alls=60:allf=t:enable='between(t,0.95,1.05)'"
    )
    return make_media.video(tmp_path / "blurred.mp4", graph, "-qp", "10")


def test_the_sharpest_of_the_window_is_taken(blurred: Path, tmp_path: Path) -> None:
    folder = tmp_path / "keyframes"
    folder.mkdir()
    (record,) = extract(blurred, folder, one_scene(0, 6), nth_frame=1)
    assert record["timestamp"] in (3.36, 3.40, 3.44)
    (wider,) = extract(blurred, folder, one_scene(0, 6), nth_frame=1, window_seconds=6)
    assert wider["timestamp"] in (0.96, 1.0, 1.04)
    assert wider["sharpness"] > record["sharpness"]
    (middle,) = extract(blurred, folder, one_scene(0, 6), strategy="middle")
    assert middle["timestamp"] == 3
    assert middle["sharpness"] < record["sharpness"]


def test_only_every_nth_frame_is_looked_at(
    blurred: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []
    measured = keyframes._measured
    monkeypatch.setattr(
        keyframes, "_measured", lambda one, *rest: seen.append(one.time) or measured(one, *rest)
    )
    folder = tmp_path / "keyframes"
    folder.mkdir()
    extract(blurred, folder, one_scene(0, 6), nth_frame=5)
    assert seen == [2.0, 2.2, 2.4, 2.6, 2.8, 3.0, 3.2, 3.4, 3.6, 3.8]


def test_the_ends_of_a_scene_are_left_out(blurred: Path, tmp_path: Path) -> None:
    """The sharp moment at 3.4 s is where this scene begins: a transition, perhaps."""
    folder = tmp_path / "keyframes"
    folder.mkdir()
    (record,) = extract(blurred, folder, one_scene(3.4, 5.4), nth_frame=1)
    assert 3.6 <= record["timestamp"] <= 5.2


def test_a_phones_film_is_upright(film: Film, tmp_path: Path) -> None:
    (record,) = extract(film("rotated.mp4"), tmp_path)
    assert (record["width"], record["height"]) == (90, 160)
    picture = image(tmp_path, record)
    assert picture[20, 45].argmax() == 0  # blue above
    assert picture[140, 45].argmax() == 2  # red below


@pytest.mark.parametrize(
    ("name", "size"), [("odd.mkv", (161, 91)), ("ten bit.mp4", (160, 90)), ("start.ts", (160, 90))]
)
def test_unusual_films(film: Film, tmp_path: Path, name: str, size: tuple[int, int]) -> None:
    for record in extract(film(name), tmp_path):
        assert (record["width"], record["height"]) == size


def test_pictures_are_limited_in_size_and_quality(film: Film, tmp_path: Path) -> None:
    path = film("whole.mkv")
    (record,) = extract(path, tmp_path, max_resolution=100)
    assert (record["width"], record["height"]) == (100, 56)
    (record,) = extract(path, tmp_path)
    fine = (tmp_path / record["file"]).stat().st_size
    (record,) = extract(path, tmp_path, quality=20)
    assert (tmp_path / record["file"]).stat().st_size < fine / 2


def test_one_frame_stands_for_its_film_once(film: Film, tmp_path: Path) -> None:
    for strategy in ("sharpest", "middle", "first"):
        (record,) = extract(film("one frame.mp4"), tmp_path, per_scene=3, strategy=strategy)
        assert (record["frame"], record["timestamp"]) == (0, 0)


def test_frames_with_a_face_win(tmp_path: Path) -> None:
    """A soft face for a moment in a sharp scene without one."""
    face = Path(__file__).parents[2] / "data" / "face.jpg"
    film, folder = tmp_path / "film.mp4", tmp_path / "keyframes"
    folder.mkdir()
    make_media.ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=6", "-i", face),
        *("-filter_complex", "[1]boxblur=1[f];[0][f]overlay=enable='between(t,3.3,3.7)'"),
        *("-c:v", "libx264", film),
    )
    (record,) = extract(film, folder, one_scene(0, 6), face_filter=True)
    assert 3.3 <= record["timestamp"] <= 3.7
    assert record["faces"] == 1
    (record,) = extract(film, folder, one_scene(0, 6))
    assert not 3.3 <= record["timestamp"] <= 3.7
    assert record["faces"] is None


def test_no_face_is_found_where_there_is_none(blurred: Path, tmp_path: Path) -> None:
    folder = tmp_path / "keyframes"
    folder.mkdir()
    (record,) = extract(blurred, folder, one_scene(0, 6), face_filter=True)
    assert record["faces"] == 0


def test_the_same_film_gives_the_same_bytes(film: Film, tmp_path: Path) -> None:
    results = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        records = extract(film("cfr.mp4"), tmp_path / name)
        results.append((records, [(tmp_path / name / r["file"]).read_bytes() for r in records]))
    assert results[0] == results[1]


def test_a_scene_without_frames_is_passed_over_and_counted(film: Film, tmp_path: Path) -> None:
    path = film("count.mp4")
    facts = probing.probe(path)
    cuts = one_scene(0, 8)
    cuts["scenes"].append({"id": 1, "start": 8.0, "end": 20, "start_frame": 200, "end_frame": 500})
    found = keyframes.extract(path, facts, cuts, config.load({})["keyframes"], tmp_path)
    assert [r["scene_id"] for r in found["keyframes"]] == [0]
    assert found["skipped_scenes"] == 1


def test_a_film_without_keyframes_is_refused_and_sound_only_is_not(
    film: Film, tmp_path: Path
) -> None:
    path = film("no frames.mp4")
    with pytest.raises(StageError, match="no keyframe") as caught:
        keyframes.extract(
            path, probing.probe(path), one_scene(0, 6), config.load({})["keyframes"], tmp_path
        )
    assert str(path) in str(caught.value)
    assert extract(film("song.m4a"), tmp_path) == []


def test_progress_is_told_in_scenes(film: Film, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    path = film("cfr.mp4")
    facts = probing.probe(path)
    cuts = scenes.detect(path, facts, config.load({})["scenes"], ffmpeg.binary())
    keyframes.extract(
        path, facts, cuts, config.load({})["keyframes"], tmp_path, lambda *now: told.append(now)
    )
    assert told == [(1, 3), (2, 3), (3, 3)]
