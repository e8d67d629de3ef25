"""The real workflow on real media with the real engines and the tiny models."""

import shutil
from pathlib import Path

import pytest

from make_video import make_video, random_story
from workspace import Workspace


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    """An empty library."""
    return Workspace(tmp_path / "work", tmp_path / "videos")


@pytest.fixture(scope="session")
def spoken_film(shared) -> Path:
    """A video of about 8 s with two or three sentences and scenes. Do not change it."""
    name = "spoken_film.mp4"

    def make(folder):
        make_video(folder / name, *random_story(seed=1, seconds=8), width=320, height=180)

    return shared("spoken film", make) / name


@pytest.fixture(scope="session")
def finished(shared, spoken_film, tmp_path_factory) -> Workspace:
    """A library of two finished videos. Only look at it, or copy it."""

    def make(folder):
        library = Workspace(folder / "work", folder / "videos")
        shutil.copy(spoken_film, library.videos / "one.mp4")
        make_video(library.videos / "two.mp4", *random_story(seed=2, seconds=5), 320, 180)
        library.run()
        library.run()  # from now on it is known to be finished without a full check

    folder = shared("finished", make)
    library = Workspace(folder / "work", folder / "videos")
    # A copy for each process that tests: two runs at once in one library are refused.
    return library.copy(tmp_path_factory.mktemp("finished") / "work")


def every_stage(library: Workspace) -> None:
    """Have a library's runs make all that there is."""
    del library.config["stages"]
    library.config["translations"]["languages"] = ["de"]


@pytest.fixture(scope="session")
def complete(shared, finished, tmp_path_factory) -> Workspace:
    """The same, with every stage. Only look at it, or copy it."""

    def make(folder):
        library = finished.copy(folder / "work")
        every_stage(library)
        library.run()
        library.run()

    library = Workspace(shared("complete", make) / "work", finished.videos)
    every_stage(library)
    return library.copy(tmp_path_factory.mktemp("complete") / "work")
