"""The shortcut past the full check is taken where nothing changed, and never where anything did."""

import dataclasses
import errno
import json
import os
import shutil
from pathlib import Path

import pytest

from make_library import make_library
from reelmake.foundation import artifact_files
from reelmake.library import config, finished_index, sidecars, stages
from reelmake.library.library import Library
from workspace import snapshot

VIDEOS = ["film00000", "film00001"]
ONE = Path("results/film00000")


@pytest.fixture
def look(tmp_path, monkeypatch):
    """`look(**config)` -> (unfinished videos, those that were checked in full), of two videos."""
    monkeypatch.chdir(tmp_path)
    make_library(2, {"videos": "videos"})

    def look(write=True, prune=True, **given):
        library = Library(
            config.load({"videos": "videos", "settle_seconds": 0} | given), write, print
        )
        checked = []

        def is_finished(video, wanted):
            checked.append(video)
            return Library.is_finished(library, video, wanted)

        library.is_finished = is_finished
        try:
            return library.prepare(prune), checked
        finally:
            library.release()

    return look


def test_the_second_look_checks_nothing_in_full(look):
    assert look() == ([], VIDEOS)
    assert look() == ([], [])
    assert look(write=False) == ([], [])


def test_no_sidecar_of_a_finished_video_is_read(look, monkeypatch):
    look()
    # Or the library costs a run with nothing to do a file and more a film.
    monkeypatch.setattr(sidecars, "read", lambda results, stage: pytest.fail(f"{results} {stage}"))
    assert look() == ([], [])


def test_a_dry_run_writes_no_shortcut(look, tmp_path):
    before = snapshot(tmp_path)
    assert look(write=False) == ([], VIDEOS)
    assert snapshot(tmp_path) == before
    look()
    os.utime("videos/film00000.mp4")
    before = snapshot(tmp_path)
    assert look(write=False) == (["film00000"], ["film00000"])
    assert snapshot(tmp_path) == before


def replace(path):
    """Other content of the same size, at another time."""
    path = Path(path)
    path.write_bytes(path.read_bytes()[::-1])
    os.utime(path, (1, 1))


def same_time(path):
    """Other content of another size, at the same time."""
    stat = os.stat(path)
    Path(path).write_bytes(Path(path).read_bytes() + b" ")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


CHANGES = {
    "artifact deleted": lambda: (ONE / "transcript.srt").unlink(),
    "artifact edited": lambda: replace(ONE / "scenes.json"),
    "artifact grown": lambda: same_time(ONE / "transcript.json"),
    "name with the id in it": lambda: (ONE / "film00000.scenedesc.msgpack").unlink(),
    "keyframe deleted": lambda: (ONE / "keyframes/scene0000_0.jpg").unlink(),
    "keyframe edited": lambda: same_time(ONE / "keyframes/scene0000_0.jpg"),
    "keyframe renamed": lambda: (ONE / "keyframes/scene0000_0.jpg").rename(ONE / "keyframes/x.jpg"),
    "folder deleted": lambda: shutil.rmtree(ONE / "keyframes"),
    "manifest deleted": lambda: (ONE / "manifest.json").unlink(),
    "manifest torn": lambda: os.truncate(ONE / "manifest.json", 100),
    "source replaced": lambda: replace("videos/film00000.mp4"),
    "source grown": lambda: same_time("videos/film00000.mp4"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_noticed(look, change):
    look()
    CHANGES[change]()
    assert look(write=False) == (["film00000"], ["film00000"])
    assert look() == (["film00000"], ["film00000"])
    assert look() == (["film00000"], ["film00000"])


def test_a_setting_and_a_stage_s_version_are_noticed(look, monkeypatch):
    look()
    assert look(write=False, scenes={"threshold": 8}) == (VIDEOS, VIDEOS)
    assert look(write=False, prune=False) == (VIDEOS, [])
    raised = dataclasses.replace(stages.STAGES["subtitles"], version=99)
    monkeypatch.setitem(stages.STAGES, "subtitles", raised)
    assert look() == (VIDEOS, VIDEOS)


def test_the_settings_of_one_video_are_noticed(look):
    Path("sheet.csv").write_text("source,id\nvideos/film00000.mp4,film00000\n")
    look()
    assert look(videos="sheet.csv") == ([], [])
    Path("sheet.csv").write_text("source,id,language\nvideos/film00000.mp4,film00000,de\n")
    assert look(videos="sheet.csv") == (["film00000"], ["film00000"])
    # Others that were not asked for are remembered still.
    assert look() == ([], ["film00000"])


def swapped(known):
    """What is known of the one video as that of the other."""
    one, other = VIDEOS
    return json.dumps({one: known[other], other: known[one]}).encode()


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: None,
        lambda whole: b"",
        lambda whole: whole[:50],
        lambda whole: b"\xff" + whole,
        lambda whole: b"[1]",
        lambda whole: json.dumps(dict.fromkeys(VIDEOS)).encode(),
        lambda whole: json.dumps({video: {} for video in VIDEOS}).encode(),
        lambda whole: swapped(json.loads(whole)),
    ],
)
def test_a_shortcut_that_is_gone_or_damaged_costs_a_full_check(look, damage):
    look()
    whole = finished_index.PATH.read_bytes()
    damaged = damage(whole)
    finished_index.PATH.unlink() if damaged is None else finished_index.PATH.write_bytes(damaged)
    (ONE / "transcript.srt").unlink()
    assert look() == (["film00000"], VIDEOS)
    assert look() == (["film00000"], ["film00000"])


def test_a_shortcut_that_cannot_be_written_is_no_error(look, monkeypatch):
    def full(*args, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(artifact_files, "write_bytes", full)
    assert look() == ([], VIDEOS)


def test_what_file_managers_leave_is_checked_once(look):
    look()
    (ONE / "keyframes" / ".DS_Store").touch()
    assert look() == ([], [])
    (ONE / "keyframes" / "Thumbs.db").touch()
    assert look() == ([], ["film00000"])
    assert look() == ([], [])


def test_a_copy_without_times_is_checked_by_content_until_it_is_written_down(look):
    look()
    os.utime(ONE / "transcript.txt", (1, 1))
    assert look() == ([], ["film00000"])  # and the manifest gets the new time
    assert look() == ([], ["film00000"])
    assert look() == ([], [])


def test_a_model_that_is_gone_takes_the_shortcut_too(look):
    Path("model.onnx").write_bytes(b"a model")
    settings = {"embeddings": {"text_model": "./model.onnx"}}
    for folder in ("videos", "results"):
        shutil.rmtree(folder)
    make_library(2, {"videos": "videos"} | settings)
    assert look(**settings) == ([], VIDEOS)
    Path("model.onnx").rename("elsewhere.onnx")
    assert look(**settings) == ([], [])


def test_a_film_and_a_model_that_are_gone_take_the_shortcut_too(look, tmp_path):
    Path("sheet.csv").write_text("source,id\nvideos/film00000.mp4,film00000\n")
    look()
    shutil.move("videos/film00000.mp4", tmp_path / "tape.mp4")
    assert look(videos="sheet.csv") == ([], [])
    (ONE / "transcript.srt").unlink()
    assert look(videos="sheet.csv") == (["film00000"], ["film00000"])
