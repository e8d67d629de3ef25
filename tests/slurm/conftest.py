"""Runs on a private Slurm."""

import tempfile
from pathlib import Path

import pytest
from cluster import Cluster, missing, no_mounts
from on_cluster import PLUGINS, OnCluster

from make_video import make_video, random_story
from workspace import Workspace


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    if lacking := missing():
        pytest.skip(f"no Slurm on this machine: it lacks {lacking}")
    if not PLUGINS.is_dir():
        pytest.skip("Snakemake's executors for clusters are not installed: make setup")
    lacking = no_mounts()
    with tempfile.TemporaryDirectory() as folder:  # not below what the nodes mount
        (Path(folder) / "disk").mkdir()
        found = Cluster(
            Path(folder) / "cluster",
            patience=10,
            shared=None if lacking else tmp_path_factory.getbasetemp(),
            local=Path(folder) / "disk",
        )
        found.start()
        yield found
        found.stop()


@pytest.fixture(scope="session")
def films(tmp_path_factory) -> Path:
    """Six short films."""
    folder = tmp_path_factory.mktemp("films")
    for number in range(6):
        story = random_story(seed=40 + number, seconds=4)
        make_video(folder / f"film {number}.mp4", *story, 160, 90)
    return folder


@pytest.fixture
def library(cluster, films, tmp_path) -> OnCluster:
    """A library of the films, never run."""
    found = OnCluster(tmp_path / "work", films)
    found.cluster = cluster
    found.logger = "reelmake"
    found.config["hardware"] = {"device": "cpu", "threads": 1}
    found.config["cache"] = {"dir": str(cluster.local / "cache"), "shared": str(tmp_path / "cache")}
    yield found
    cluster.ask("scancel", "--user=root")
    cluster.wait(lambda: not cluster.jobs(), "jobs do not end")


@pytest.fixture(scope="session")
def local(films, tmp_path_factory) -> Workspace:
    """The same films, run on this machine alone, with every stage. Only look at it."""
    found = Workspace(tmp_path_factory.mktemp("local") / "work", films)
    found.config["hardware"] = {"device": "cpu", "threads": 1}
    del found.config["stages"]
    found.run()
    return found
