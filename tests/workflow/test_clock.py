"""A clock that was moved back: what is there seems to come from the future."""

import os
from pathlib import Path

import pytest

from workspace import Workspace, jobs, snapshot

DAY = 86_400 * 10**9
OTHER = ("--config", "keyframes={quality: 50}")
STALE = ["describe_scenes x2", "extract_keyframes x2", "write_manifest x2"]
EVERY_LOOK = ("--config", "prune=false")

SLOW_CLOCK = """
import time

plain, plain_ns = time.time, time.time_ns
time.time = lambda: plain() - 86_400
time.time_ns = lambda: plain_ns() - 86_400 * 10**9
"""


@pytest.fixture
def library(finished, tmp_path) -> Workspace:
    """The finished library, made tomorrow. Its manifests know that."""
    library = finished.copy(tmp_path / "work")
    library.config["cache"] = {"dir": "cache"}
    put_off(library.folder)
    library.run()  # writes the times into the manifests
    return library


def put_off(folder: Path) -> None:
    """Give all its files times of tomorrow."""
    for path in folder.rglob("*"):
        stat = path.lstat()
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + DAY), follow_symlinks=False)


def test_nothing_to_do_stays_nothing_to_do(library):
    before = snapshot(library.folder / "results")
    assert library.plan() == []
    assert "Nothing to be done" in library.run()
    assert snapshot(library.folder / "results") == before
    for args in (EVERY_LOOK, ["results/one/transcript.srt"]):
        assert "Nothing to be done" in library.run(*args)
        library.reel("verify")
    assert library.plan() == library.plan(*EVERY_LOOK) == []


def test_a_changed_setting_is_noticed(library, finished):
    before = library.artifacts()
    assert library.plan(*OTHER) == STALE
    assert jobs(library.run(*OTHER)) == STALE
    assert library.artifacts() != before
    assert library.plan(*OTHER) == library.plan(*OTHER, "prune=false") == []
    # And back, without the cache: all is computed again, from what is right.
    library.config["cache"] = False
    assert library.plan() == STALE
    assert jobs(library.run()) == STALE
    assert library.artifacts() == before
    assert library.plan() == library.plan(*EVERY_LOOK) == []


def test_what_lacks_is_made_from_what_comes_from_the_future(library):
    """Snakemake refuses an output that is older than an input."""
    before = library.artifacts()
    library.result("one", "scenes.json").unlink()
    library.result("two", "transcript.srt").unlink()
    library.run()
    assert library.artifacts() == before
    assert library.plan() == library.plan(*EVERY_LOOK) == []


def test_a_source_of_another_time_is_noticed(library, tmp_path):
    source = tmp_path / "videos" / "one.mp4"
    source.parent.mkdir()
    source.write_bytes((library.videos / "one.mp4").read_bytes())
    stat = source.stat()
    os.utime(source, ns=(stat.st_atime_ns, stat.st_mtime_ns + DAY))
    library.config["videos"] = str(source)
    library.run()
    assert library.plan() == []
    os.utime(source)
    assert "probe_media" in library.plan()
    library.run(env=library.without_engines())
    assert library.plan() == []


def test_processes_that_tell_another_time_than_the_file_system(workspace, finished, tmp_path):
    """As with a file server whose clock is ahead."""
    (tmp_path / "sitecustomize.py").write_text(SLOW_CLOCK)
    slow = {"env": {"PYTHONPATH": str(tmp_path)}}
    workspace.config["videos"] = str(finished.videos)
    workspace.config["settle_seconds"] = 0.1
    workspace.run(**slow)
    assert workspace.artifacts() == finished.artifacts()
    assert "Nothing to be done" in workspace.run(**slow)
    assert "Nothing to be done" in workspace.run()
    assert jobs(workspace.run("-n", *OTHER, **slow)) == STALE
    assert jobs(workspace.run(*OTHER, **slow)) == STALE
    assert jobs(workspace.run("-n", *OTHER, **slow)) == []
