"""Temporary sound does not pile up, however far its extraction runs ahead of who listens."""

import shutil
import threading
import time

import pytest

VIDEOS = [f"film{number}" for number in range(6)]


@pytest.fixture
def films(workspace, spoken_film):
    """A library of six videos, which are the same; without the cache, that would know them."""
    for video in VIDEOS:
        shutil.copy(spoken_film, workspace.videos / f"{video}.mp4")
    workspace.config["cache"] = {"enabled": False}
    workspace.config["hardware"] = {"device": "cpu", "threads": 1}
    return workspace


SLOW = """
import importlib, sys, time
time.sleep(2)
sys.path.remove(__file__.rpartition("/")[0])
del sys.modules["faster_whisper"]
importlib.import_module("faster_whisper")
"""


@pytest.fixture
def slowly(tmp_path):
    """An environment in which the engine takes its time, as it does with real films."""
    (tmp_path / "slow").mkdir()
    (tmp_path / "slow" / "faster_whisper.py").write_text(SLOW)
    return {"PYTHONPATH": str(tmp_path / "slow")}


class Watching(threading.Thread):
    """Looks at the sound that there is, all the time."""

    def __init__(self, library):
        super().__init__()
        self.results = library.folder / "results"
        self.most, self.left_out, self.done = 0, set(), False

    def run(self):
        while not self.done:
            sizes = {}
            for path in self.results.glob("*/audio.wav"):
                try:
                    sizes[path.parent.name] = path.stat().st_size
                except FileNotFoundError:
                    continue
            self.most = max(self.most, sum(size > 0 for size in sizes.values()))
            self.left_out |= {video for video, size in sizes.items() if not size}
            time.sleep(0.005)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.done = True
        self.join()


# As with one GPU: one job listens, the other core extracts what the next ones will listen to.
ONE_LISTENS = ("--set-resources", "transcribe:gpu=1")


def test_sound_of_no_more_videos_than_jobs_and_two_exists(films, finished, slowly):
    with Watching(films) as watching:
        films.run("transcripts", *ONE_LISTENS, env=slowly)
    assert watching.most == 4
    assert watching.left_out
    transcript = finished.result("one", "transcript.json").read_bytes()
    for video in VIDEOS:
        assert films.result(video, "transcript.json").read_bytes() == transcript
        assert not films.result(video, "audio.wav").exists()


def test_sound_that_is_kept_is_extracted_of_every_video(films):
    films.config["keep_audio"] = True
    films.run("transcripts", *ONE_LISTENS)
    assert all(films.result(video, "audio.wav").stat().st_size for video in VIDEOS)


def test_sound_does_not_pile_up_where_nobody_can_listen(films):
    films.config["transcription"]["model"] = str(films.folder / "no" / "model")
    films.run("transcripts", *ONE_LISTENS, ok=False)
    sizes = [films.result(video, "audio.wav").stat().st_size for video in VIDEOS]
    assert sum(size > 0 for size in sizes) <= 4
    assert len(sizes) == len(VIDEOS)
