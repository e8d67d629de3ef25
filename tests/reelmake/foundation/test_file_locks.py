"""Locks that end with their owner, and leave nothing behind."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from reelmake.foundation import file_locks

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"

HOLD = """
import sys
from pathlib import Path
from reelmake.foundation import file_locks
lock = file_locks.acquire(Path(sys.argv[1]), timeout=0)
print("held" if lock else "busy", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def hold():
    """Processes that hold the lock of a path until their input ends."""
    started = []

    def start(path: Path) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(path)],
            env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        process.said = process.stdout.readline().strip()
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_one_holds_it_and_a_killed_one_no_more(hold, tmp_path):
    path = tmp_path / "a.lock"
    first = hold(path)
    assert first.said == "held"
    assert hold(path).said == "busy"
    assert file_locks.acquire(path, timeout=0) is None
    first.send_signal(signal.SIGKILL)
    first.wait()
    lock = file_locks.acquire(path, timeout=0)
    assert lock is not None
    file_locks.release(lock)
    assert not path.exists()


def test_who_waits_gets_it_though_its_file_goes(hold, tmp_path):
    path = tmp_path / "a.lock"
    ours = file_locks.acquire(path, timeout=0)
    got = []
    waiting = threading.Thread(target=lambda: got.append(file_locks.acquire(path, timeout=20)))
    waiting.start()
    file_locks.release(ours)
    waiting.join(timeout=20)
    assert got[0] is not None
    # It holds the file that has the name now, not one that was taken away.
    assert os.path.samestat(os.stat(path), os.fstat(got[0].fileno()))
    assert hold(path).said == "busy"
    file_locks.release(got[0])


def test_shared_locks_keep_only_exclusive_ones_out(tmp_path):
    path = tmp_path / "a"
    with path.open("a") as one, path.open("a") as two, path.open("a") as three:
        assert file_locks.try_lock(one, shared=True)
        assert file_locks.try_lock(two, shared=True)
        assert not file_locks.try_lock(three)
        one.close()
        assert not file_locks.try_lock(three)
        two.close()
        assert file_locks.try_lock(three)


def test_where_a_file_can_not_be_opened_it_is_an_error(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        file_locks.acquire(tmp_path / "no" / "folder", timeout=0)
