"""A run that is asked to stop ends after the items in work, and nothing is lost."""

import contextlib
import os
import pty
import select
import signal
import socket
import subprocess
import time

import pytest

from make_video import make_video, random_story
from reelmake.foundation import process_identity
from workspace import wait_for


@pytest.fixture
def library(workspace):
    """Videos whose descriptions take a while."""
    for name in ("one", "two", "three"):
        make_video(workspace.videos / f"{name}.mp4", *random_story(len(name), 8), 320, 180)
    workspace.config["keyframes"] = {"per_scene": 30, "strategy": "first"}
    workspace.config["cache"] = False
    return workspace


def kept_by(library) -> set[str]:
    """The videos that have a description in their journal."""
    paths = library.folder.glob("results/*/journal/scenedesc.*")
    return {path.parents[1].name for path in paths if path.stat().st_size > 400}


def assert_goes_on(library) -> None:
    """The next run needs no other command, and takes up what was kept."""
    kept = kept_by(library)
    assert kept
    library.run()
    for video in kept:
        record = library.record(video, "scenedesc")
        assert record["items_resumed"] > 0, video
    assert len(list(library.folder.glob("results/*/manifest.json"))) == 3
    assert library.plan() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_run_alone_reaches_its_jobs(library, number):
    process = library.start()
    wait_for(lambda: kept_by(library))
    started = library.records("started")
    process.send_signal(number)
    asked = time.monotonic()
    output, _ = process.communicate(timeout=60)
    assert time.monotonic() - asked < 15
    assert process.returncode not in (0, None)
    assert "stopping after the items in work" in output
    assert "Traceback" not in output
    assert set(library.records("started")) == set(started)  # no new job
    states = set(library.records("state").values())
    assert "running" not in states
    assert_goes_on(library)


@pytest.mark.parametrize("times", [1, 2])
def test_control_c_in_a_terminal(library, times):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        library.command(),
        cwd=library.folder,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        preexec_fn=lambda: make_terminal(theirs),
    )
    os.close(theirs)
    output = b""
    try:
        while not kept_by(library):  # the journal comes and goes between two lines of output
            if select.select([ours], [], [], 0.02)[0]:
                output += os.read(ours, 10000)
        for _ in range(times):
            with contextlib.suppress(OSError):  # the first may have done
                os.write(ours, b"\x03")
            time.sleep(0.8)
        asked = time.monotonic()
        while True:
            try:
                output += os.read(ours, 10000)
            except OSError:  # the terminal is closed
                break
        process.wait(timeout=30)
    finally:
        process.kill()
        os.close(ours)
    assert time.monotonic() - asked < 15
    assert process.returncode not in (0, None)
    assert b"stopping after the items in work" in output
    assert b"Traceback" not in output, output.decode()
    assert_goes_on(library)


def make_terminal(descriptor: int) -> None:
    """Make this process the leader of a session with that terminal, as a shell's is."""
    import fcntl
    import termios

    os.setsid()
    fcntl.ioctl(descriptor, termios.TIOCSCTTY, 0)


def test_a_killed_run_needs_no_unlock(library):
    process = library.start()
    wait_for(lambda: kept_by(library))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert list((library.folder / ".snakemake" / "locks").iterdir())
    assert_goes_on(library)


def test_a_lock_of_another_machine_is_not_broken(library):
    process = library.start()
    wait_for(lambda: kept_by(library))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    lock = library.folder / ".snakemake" / "reelmake.lock"
    lock.write_text(lock.read_text().replace(socket.gethostname(), "elsewhere"))
    output = library.run(ok=False)
    assert (
        f"another run may be processing this library (process {process.pid} on elsewhere" in output
    )
    assert "snakemake --unlock" in output
    assert "Traceback" not in output
    library.run("--unlock")
    assert_goes_on(library)


def test_a_machine_that_was_started_again_holds_nothing(library, monkeypatch):
    """The process number may belong to somebody else by now."""
    me = process_identity.this_process()
    assert process_identity.is_alive(me) is True
    assert process_identity.is_alive(me | {"boot": "before"}) is False
    assert process_identity.is_alive(me | {"process": 1}) is False
    assert process_identity.is_alive(me | {"host": "elsewhere"}) is None
