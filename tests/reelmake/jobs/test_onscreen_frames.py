"""The text in a film's pictures, read frame by frame."""

import signal
import subprocess
import sys

import pytest

import make_media
from onscreen_job import FONT, OnscreenJob, drawn, film, read, texts
from reelmake.foundation import artifact_files
from reelmake.foundation.errors import StageError
from reelmake.jobs import onscreen_frames
from reelmake.media import film_frames
from reelmake.models.text_reader import TextReader
from workspace import ROOT


@pytest.fixture(scope="module")
def slides(tmp_path_factory):
    """Two slides of two seconds each, and nothing for two more."""
    pictures = [drawn("Agenda for today", "by Ada"), drawn("Results 2031"), drawn()]
    return film(tmp_path_factory.mktemp("slides") / "slides.mp4", pictures)


def test_what_keyframes_show(slides, tmp_path):
    this = OnscreenJob(tmp_path)
    found = read(this, slides, 1.0, 3.0, 5.0)
    artifact_files.validate(found, "onscreen")
    assert texts(found) == ["Agenda for today", "by Ada", "Results 2031"]
    assert [line["start"] for line in found["lines"]] == [1.0, 1.0, 3.0]
    assert (found["frames"], found["frames_with_text"], found["skipped_frames"]) == (3, 2, 0)
    assert this.said == [(0, 3), (1, 3), (2, 3), (3, 3)]
    box = found["lines"][0]["box"]
    assert (box["left"], box["top"]) == pytest.approx((20 / 320, 22 / 180), abs=0.04)


def test_frames_between_keyframes(slides, tmp_path):
    found = read(OnscreenJob(tmp_path, every_seconds=1), slides, 1.0, 3.0)
    spans = {line["text"]: (line["start"], line["end"], line["frames"]) for line in found["lines"]}
    assert spans == {
        "Agenda for today": (1.0, 1.0, 1),
        "by Ada": (1.0, 1.0, 1),
        "Results 2031": (2.0, 3.0, 2),
    }
    assert found["frames"] == 5


def test_lines_of_which_the_model_is_not_sure_are_left_out(slides, tmp_path):
    found = read(OnscreenJob(tmp_path, min_confidence=1.0), slides, 1.0)
    assert found["lines"] == [] and found["frames_with_text"] == 0 and found["frames"] == 1


def test_a_film_without_pictures_has_none(tmp_path):
    found = read(OnscreenJob(tmp_path), make_media.beeping(tmp_path / "a.m4a", 1))
    artifact_files.validate(found, "onscreen")
    assert found == {"frames": 0, "frames_with_text": 0, "skipped_frames": 0, "lines": []}


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_film_is_read_as_people_see_it(tmp_path, degrees):
    """As phones record: the pictures lie, and the file says how they are to be turned."""
    upright = drawn("Platform 9", size=(180, 180))
    plain = film(tmp_path / "plain.mp4", [upright.rotate(-degrees)], 1.0)
    turned = tmp_path / "turned.mp4"
    make_media.ffmpeg("-display_rotation", degrees, "-i", plain, "-c", "copy", turned)
    found = read(OnscreenJob(tmp_path), turned, 0.5)
    assert texts(found) == ["Platform 9"]
    box = found["lines"][0]["box"]
    assert (box["left"], box["top"]) == pytest.approx((20 / 180, 22 / 180), abs=0.05)


def test_a_mirrored_film(tmp_path):
    from PIL import ImageOps

    plain = film(tmp_path / "plain.mp4", [ImageOps.mirror(drawn("Platform 9"))], 1.0)
    assert "Platform 9" not in texts(read(OnscreenJob(tmp_path / "a"), plain, 0.5))
    mirrored = tmp_path / "mirrored.mp4"
    make_media.ffmpeg("-display_hflip", "-i", plain, "-c", "copy", mirrored)
    assert texts(read(OnscreenJob(tmp_path / "b"), mirrored, 0.5)) == ["Platform 9"]


def test_a_huge_frame_is_made_smaller(tmp_path, monkeypatch):
    font = FONT.font_variant(size=200)
    path = film(tmp_path / "8k.mp4", [drawn("HUGE", size=(4096, 2160), font=font)], 0.2)
    sizes = []
    read_one = TextReader.read
    monkeypatch.setattr(
        TextReader, "read", lambda self, image: sizes.append(image.shape) or read_one(self, image)
    )
    found = read(OnscreenJob(tmp_path, max_resolution=320), path, 0.0)
    assert texts(found) == ["HUGE"] and sizes == [(169, 320, 3)]


def test_a_tiny_frame(tmp_path):
    path = film(tmp_path / "a.mp4", [drawn(size=(16, 16))], 1.0)
    assert read(OnscreenJob(tmp_path), path, 0.5)["frames"] == 1


def test_frames_that_do_not_decode_are_counted(slides, tmp_path, monkeypatch, capsys):
    between = film_frames.Frames.between

    def damaged(self, start, end):
        return iter(()) if start == 3.0 else between(self, start, end)

    monkeypatch.setattr(film_frames.Frames, "between", damaged)
    this = OnscreenJob(tmp_path)
    found = read(this, slides, 1.0, 3.0)
    assert (found["frames"], found["skipped_frames"], this.record["items_failed"]) == (1, 1, 1)
    assert "3.00 s: no frame decodes" in capsys.readouterr().out
    with pytest.raises(StageError, match=r"slides\.mp4: no frame can be decoded: get an intact"):
        read(OnscreenJob(tmp_path / "all"), slides, 3.0)


KILLED = """
import os, signal, sys
from pathlib import Path
from onscreen_job import OnscreenJob, read
class Killed(OnscreenJob):
    def progress(self, done, total):
        if done >= 2:
            os.kill(os.getpid(), signal.SIGKILL)
read(Killed(Path(sys.argv[1])), Path(sys.argv[2]), 1.0, 3.0, 5.0)
"""


def test_a_killed_job_goes_on_after_its_last_frame(slides, tmp_path, monkeypatch):
    path = ":".join([str(ROOT / name) for name in ("scripts", "tests")])
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), str(slides)],
        env={"PYTHONPATH": path},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    looked = []
    between = film_frames.Frames.between
    monkeypatch.setattr(
        film_frames.Frames,
        "between",
        lambda self, start, end: looked.append(start) or between(self, start, end),
    )
    this = OnscreenJob(tmp_path)
    found = read(this, slides, 1.0, 3.0, 5.0)
    assert looked == [5.0] and this.said == [(2, 3), (3, 3)]
    assert texts(found) == ["Agenda for today", "by Ada", "Results 2031"]
    # Where all are journaled, no engine is loaded.
    monkeypatch.setattr(onscreen_frames.text_reader, "loaded", None)
    assert read(OnscreenJob(tmp_path), slides, 1.0, 3.0, 5.0) == found
