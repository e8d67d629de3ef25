"""Power cuts, signals, and a second run at the same time."""

import os
import random
import signal
import time

import pytest

from workspace import ARTIFACTS, Workspace, snapshot, wait_for


@pytest.fixture
def library(workspace, finished):
    """An empty library of the videos of the finished one."""
    workspace.videos = finished.videos
    workspace.config["videos"] = str(finished.videos)
    return workspace


def kill_group(process, number=signal.SIGKILL):
    os.killpg(process.pid, number)
    return process.communicate(timeout=60)[0]


def test_after_kills_at_random_moments_the_artifacts_are_the_same(library, finished):
    rng = random.Random(7)
    for _ in range(5):
        process = library.start()
        time.sleep(rng.uniform(1.5, 6))
        kill_group(process)
        # Whatever has its final name is whole.
        done = artifacts_so_far(library)
        assert done.items() <= finished.artifacts().items()
    library.run()
    assert library.artifacts() == finished.artifacts()
    assert not list((library.folder / "results").rglob("*.tmp-*"))
    assert library.plan() == []


def artifacts_so_far(library: Workspace) -> dict[str, bytes]:
    """What an interrupted run has published, folders' files apart: they come with a list."""
    found = {}
    for path in (library.folder / "results").glob("*/*"):
        known = path.name in ARTIFACTS or path.suffix == ".msgpack"
        if path.is_file() and known and not path.name.startswith("."):
            found[f"{path.parent.name}/{path.name}/{path.name}"] = path.read_bytes()
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_run_goes_on_where_it_was(library, finished, number):
    process = library.start()
    wait_for(lambda: library.result("one", "jobs", "scenes.json").exists())
    kill_group(process, number)
    assert process.returncode != 0
    assert artifacts_so_far(library).items() <= finished.artifacts().items()
    library.run()
    assert library.artifacts() == finished.artifacts()


def test_a_second_run_is_refused_and_changes_nothing(library):
    first = library.start()
    try:
        wait_for(lambda: library.result("one", "jobs", "media.json").exists())
        sidecars = [library.result(video, "fingerprints") for video in ("one", "two")]
        before = [snapshot(folder) for folder in sidecars]
        for args in ([], ["--config", "scenes={threshold: 9}"], ["results/one/scenes.json"]):
            second = library.run(*args, ok=False)
            assert f"another run is processing this library (process {first.pid} on" in second
            assert "Traceback" not in second
        assert [snapshot(folder) for folder in sidecars] == before
        library.run("-n")  # looking is allowed
    finally:
        output, _ = first.communicate(timeout=120)
    assert first.returncode == 0, output
    assert library.plan() == []
