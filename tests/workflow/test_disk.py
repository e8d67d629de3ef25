"""Disks that are full or read-only: one sentence, nothing damaged, and the next run goes on."""

import os
import subprocess

import pytest

from faults import long, resize_disk, respect_permissions, small_disk
from workspace import Workspace

READ_ONLY, WRITABLE = 0o555, 0o755


@pytest.fixture
def library(workspace, finished) -> Workspace:
    """A library of one of the finished one's videos that has never been run."""
    workspace.config["videos"] = str(finished.videos / "one.mp4")
    workspace.config["min_free"] = "0 B"  # else the run stops before the disk is full
    return workspace


@pytest.fixture
def done(finished, tmp_path) -> Workspace:
    """A finished library that may be changed."""
    library = finished.copy(tmp_path / "done")
    library.config["cache"] = {"dir": "cache"}
    return library


def said(output: str) -> list[str]:
    """What reelmake said on the terminal."""
    assert "Traceback" not in output
    return [line for line in output.splitlines() if line.startswith("reelmake: ")]


def only_one(artifacts: dict[str, bytes]) -> dict[str, bytes]:
    return {name: content for name, content in artifacts.items() if name.startswith("one/")}


@pytest.mark.parametrize("size", ["16k", "60k", long("36k"), long("84k")])
def test_no_room_for_results(library, finished, size):
    """For the sidecars, which the run writes itself; for records, artifacts, sound."""
    folder = library.result("one")
    with small_disk(folder, size):
        lines = said(library.run(ok=False))
        full = [line for line in lines if "the disk is full" in line]
        assert full
        assert all("free some space" in line or "make room" in line for line in full)
        if size == "16k":
            assert "reelmake: results/one/fingerprints/" in full[0]
        assert library.published().items() <= finished.artifacts().items()
        assert not list(folder.rglob("*.tmp-*"))
        resize_disk(folder, "1m")
        library.run()
        assert library.artifacts() == only_one(finished.artifacts())
        assert library.plan() == []


@pytest.mark.parametrize("room", [100, long(8), long(200)])
def test_no_room_for_anything(library, finished, room):
    """Results, logs and what Snakemake keeps lie on one disk, as they mostly do."""
    with small_disk(library.folder, "10m"):
        library.config["cache"] = False
        library.run("-n")
        disk = os.statvfs(library.folder)
        used = (disk.f_blocks - disk.f_bfree) * disk.f_frsize
        resize_disk(library.folder, str(used + room * 1024))
        output = library.run(ok=False)
        assert "Traceback" not in output
        assert "the disk is full" in output or "No space left on device" in output
        resize_disk(library.folder, "10m")
        library.run()
        assert library.artifacts() == only_one(finished.artifacts())


@pytest.mark.parametrize("size", ["100k", long("8k"), long("140k")])
def test_no_room_for_the_cache(library, finished, tmp_path, size):
    """Which costs a line, not the run."""
    library.config["cache"] = {"dir": str(tmp_path / "small")}
    with small_disk(tmp_path / "small", size):
        (line,) = [line for line in said(library.run()) if "cache" in line]
        assert "can't be used and is left out" in line
        assert library.artifacts() == only_one(finished.artifacts())
        assert library.plan() == []


def set_mode(folder, mode: int) -> None:
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            path.chmod(mode)


def run(library: Workspace, *args: str, ok: bool = True) -> str:
    output = library.run(*args, ok=ok, preexec_fn=respect_permissions)
    assert "Traceback" not in output
    return output


def test_a_finished_library_may_be_read_only(done):
    set_mode(done.folder / "results", READ_ONLY)
    for args in (["-n"], [], ["--config", "prune=false"], ["results/one/scenes.json"]):
        assert "Nothing to be done" in run(done, *args)
    done.reel("verify", preexec_fn=respect_permissions)
    set_mode(done.folder / "results", WRITABLE)


@pytest.mark.parametrize(
    "args", [["--config", "scenes={threshold: 9}"], ["-R", "write_subtitles"], ["-F"]]
)
def test_a_read_only_library_with_work_to_do(done, args):
    before = done.artifacts()
    set_mode(done.folder / "results", READ_ONLY)
    message = "reelmake: results/one can't be written to; check the disk and the permissions"
    assert said(run(done, *args, ok=False)) == [message]
    assert done.artifacts() == before
    set_mode(done.folder / "results", WRITABLE)
    assert "Nothing to be done" in run(done)


def test_read_only_in_the_middle_of_a_library(library, finished):
    """A new video, and one that is not done."""
    (library.folder / "results").mkdir(mode=READ_ONLY)
    message = "reelmake: results can't be written to; check the disk and the permissions"
    assert said(run(library, ok=False)) == [message]
    (library.folder / "results").chmod(WRITABLE)
    run(library, "scenes")
    library.result("one", "keyframes.json").unlink()
    set_mode(library.result("one"), READ_ONLY)
    for target in ([], ["scenes"]):
        lines = said(run(library, *target, ok=False))
        assert lines == [message.replace("results", "results/one")]
    run(library, "results/one/keyframes.json", ok=False)
    set_mode(library.result("one"), WRITABLE)
    run(library)
    assert library.artifacts() == only_one(finished.artifacts())


def test_a_copy_on_a_read_only_disk_is_finished_too(done):
    """Though its times are others, which no manifest can be told."""
    results = done.folder / "results"
    for path in results.rglob("*"):
        os.utime(path)
    try:
        subprocess.run(["mount", "--bind", str(results), str(results)], check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this user may not mount")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(results)], check=True)
        assert "Nothing to be done" in done.run()
        assert said(done.run("-R", "write_subtitles", ok=False)) == [
            "reelmake: results/one can't be written to; check the disk and the permissions"
        ]
    finally:
        subprocess.run(["umount", str(results)], check=True)
