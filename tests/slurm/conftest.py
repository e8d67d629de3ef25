"""Runs on a private Slurm."""

import os
import sys
from pathlib import Path

import pytest
from cluster import Cluster, missing

from make_video import make_video, random_story
from workspace import ROOT, Workspace

PLUGINS = Path(sys.prefix) / "cluster"
"""Where `make setup` puts Snakemake's executors for clusters: each run would load them."""


class OnCluster(Workspace):
    """A library whose runs are submitted.

    cluster: where to. profile: which of `profiles/`.
    """

    cluster: Cluster
    profile = "slurm"
    jobs, threads, memory, minutes = 3, 2, "1200", 60

    def start(self, *args, local: bool = False, **options):
        """A run; local: on this machine."""
        if local:
            return super().start(*args, **options)
        environment = self.cluster.environment | {
            "PYTHONPATH": os.pathsep.join([str(PLUGINS), str(ROOT / "scripts")])
        }
        own = [
            *("--profile", str(ROOT / "profiles" / self.profile), "--latency-wait", "30"),
            *("--jobs", str(self.jobs)),
            *("--set-threads", f"run_share={self.threads}", "--set-resources"),
            f"run_share:mem_mb={self.memory}",
            f"run_share:runtime={self.minutes}",
            *("--seconds-between-status-checks", "1"),
        ]
        if self.profile == "slurm":
            own += ["--slurm-status-command", "squeue"]
            own += ["--slurm-init-seconds-before-status-checks", "1"]
        return super().start(*own, *args, env=environment, **options)

    def command(self, *args: str) -> list[str]:
        found = super().command(*args)
        if "--profile" in args:  # jobs, not cores
            place = found.index("--cores")
            del found[place : place + 2]
        return found


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    if lacking := missing():
        pytest.skip(f"no Slurm on this machine: it lacks {lacking}")
    if not PLUGINS.is_dir():
        pytest.skip("Snakemake's executors for clusters are not installed: make setup")
    found = Cluster(tmp_path_factory.mktemp("slurm") / "cluster", patience=10)
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
