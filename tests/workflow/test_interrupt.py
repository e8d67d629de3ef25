"""Signals, and a second run at the same time."""

import os
import signal

import pytest

from faults import kill_group
from workspace import snapshot, wait_for


@pytest.fixture
def library(workspace, finished):
    """An empty library of the videos of the finished one."""
    workspace.videos = finished.videos
    workspace.config["videos"] = str(finished.videos)
    return workspace


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_run_goes_on_where_it_was(library, finished, number):
    process = library.start()
    wait_for(lambda: library.result("one", "jobs", "scenes.json").exists())
    kill_group(process, number)
    assert process.returncode != 0
    assert library.published().items() <= finished.artifacts().items()
    library.run()
    assert library.artifacts() == finished.artifacts()


def test_a_second_run_is_refused_and_changes_nothing(library):
    first = library.start()
    try:
        wait_for(lambda: library.result("one", "jobs", "media.json").exists())
        os.killpg(first.pid, signal.SIGSTOP)  # else it may have ended before the last of these
        sidecars = [library.result(video, "fingerprints") for video in ("one", "two")]
        before = [snapshot(folder) for folder in sidecars]
        for args in ([], ["--config", "scenes={threshold: 9}"], ["results/one/scenes.json"]):
            second = library.run(*args, ok=False)
            assert f"another run is processing this library (process {first.pid} on" in second
            assert "Traceback" not in second
        assert [snapshot(folder) for folder in sidecars] == before
        library.run("-n")  # looking is allowed
    finally:
        os.killpg(first.pid, signal.SIGCONT)
        output, _ = first.communicate(timeout=120)
    assert first.returncode == 0, output
    assert library.plan() == []
