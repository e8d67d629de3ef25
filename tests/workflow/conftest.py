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
def spoken_film(tmp_path_factory) -> Path:
    """A video of about 8 s with two or three sentences and scenes. Do not change it."""
    path = tmp_path_factory.mktemp("spoken_film") / "spoken_film.mp4"
    make_video(path, *random_story(seed=1, seconds=8), width=320, height=180)
    return path


@pytest.fixture(scope="session")
def finished(tmp_path_factory, spoken_film) -> Workspace:
    """A library of two finished videos. Only look at it, or copy it."""
    folder = tmp_path_factory.mktemp("finished")
    workspace = Workspace(folder / "work", folder / "videos")
    shutil.copy(spoken_film, workspace.videos / "one.mp4")
    make_video(workspace.videos / "two.mp4", *random_story(seed=2, seconds=5), 320, 180)
    workspace.run()
    workspace.run()  # from now on it is known to be finished without a full check
    return workspace


@pytest.fixture(scope="session")
def complete(finished, tmp_path_factory) -> Workspace:
    """The same, with every stage. Only look at it, or copy it."""
    library = finished.copy(tmp_path_factory.mktemp("complete") / "work")
    del library.config["stages"]
    library.run()
    library.run()
    return library
