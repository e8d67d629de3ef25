"""A lock is one process's, until it lets go or dies."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from reelmake.foundation import file_locks

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"

HOLD = """
    import sys
    from pathlib import Path
    from reelmake.foundation import file_locks
    lock = file_locks.acquire(Path(sys.argv[1]), timeout=0)
    print(lock is not None, flush=True)
    sys.stdin.readline()
    file_locks.release(lock)
"""


def python(code: str, *args) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, args)],
        env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.lock"


@pytest.fixture
def holder(path):
    """Another process, which has the lock."""
    process = python(HOLD, path)
    assert process.stdout.readline() == "True\n"
    yield process
    process.kill()
    process.communicate()


def test_a_lock_is_free_once_and_leaves_no_file(path):
    lock = file_locks.acquire(path, timeout=0)
    assert file_locks.acquire(path, timeout=0) is None
    file_locks.release(lock)
    assert not path.exists()
    again = file_locks.acquire(path, timeout=0)
    assert again is not None
    file_locks.release(again)


def test_the_lock_of_a_killed_process_is_free(path, holder):
    assert file_locks.acquire(path, timeout=0) is None
    holder.kill()
    holder.wait()
    assert path.exists()
    lock = file_locks.acquire(path, timeout=0)
    assert lock is not None
    file_locks.release(lock)
    assert not path.exists()


def test_who_waits_gets_the_lock_once_it_is_released(path, holder):
    got = []
    waiter = threading.Thread(target=lambda: got.append(file_locks.acquire(path, timeout=60)))
    waiter.start()
    time.sleep(2 * file_locks.POLL)
    assert got == []
    holder.communicate("\n")
    waiter.join()
    assert got[0] is not None
    assert os.path.samestat(os.stat(path), os.fstat(got[0].fileno()))
    assert file_locks.acquire(path, timeout=0) is None
    file_locks.release(got[0])


def test_the_lock_of_a_file_that_was_removed_is_not_taken_for_the_lock(path, monkeypatch):
    """Its owner releases it between our opening its file and our locking it."""
    owner = file_locks.acquire(path, timeout=0)
    attempt = file_locks._try

    def release_first(file, shared):
        if not owner.closed:
            file_locks.release(owner)
        return attempt(file, shared)

    monkeypatch.setattr(file_locks, "_try", release_first)
    lock = file_locks.acquire(path, timeout=0)
    assert os.path.samestat(os.stat(path), os.fstat(lock.fileno()))
    file_locks.release(lock)


def test_a_release_takes_no_other_locks_file_away(path):
    first = file_locks.acquire(path, timeout=0)
    path.unlink()  # as who empties the folder does
    second = file_locks.acquire(path, timeout=0)
    file_locks.release(first)
    assert file_locks.acquire(path, timeout=0) is None
    file_locks.release(second)


def test_programs_that_the_owner_started_do_not_hold_its_lock(path):
    code = """
        import subprocess, sys, time
        from pathlib import Path
        from reelmake.foundation import file_locks
        lock = file_locks.acquire(Path(sys.argv[1]), timeout=0)
        print(subprocess.Popen(["sleep", "60"], close_fds=False, stdout=sys.stderr).pid, flush=True)
        time.sleep(60)
    """
    owner = python(code, path)
    program = int(owner.stdout.readline())
    owner.kill()
    owner.communicate()
    lock = file_locks.acquire(path, timeout=0)
    os.kill(program, signal.SIGKILL)  # which was there all the time
    assert lock is not None
    file_locks.release(lock)


def test_shared_locks_exclude_the_exclusive_one_only(path):
    path.touch()
    with path.open() as one, path.open() as two, path.open() as three:
        assert file_locks.try_lock(one, shared=True)
        assert file_locks.try_lock(two, shared=True)
        assert not file_locks.try_lock(three)
        one.close()
        assert not file_locks.try_lock(three)
        two.close()
        assert file_locks.try_lock(three)
        with path.open() as four:
            assert not file_locks.try_lock(four, shared=True)


def test_where_no_file_can_be_made_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        file_locks.acquire(tmp_path / "no folder" / "x.lock", timeout=0)


def test_many_processes_take_turns(path, tmp_path):
    code = """
        import sys
        from pathlib import Path
        from reelmake.foundation import file_locks
        count = Path(sys.argv[2])
        for _ in range(25):
            lock = file_locks.acquire(Path(sys.argv[1]), timeout=60)
            count.write_text(str(int(count.read_text()) + 1))
            file_locks.release(lock)
    """
    count = tmp_path / "count"
    count.write_text("0")
    workers = [python(code, path, count) for _ in range(4)]
    assert [worker.wait(timeout=60) for worker in workers] == [0] * 4
    assert count.read_text() == "100"
    assert not path.exists()
    for worker in workers:
        worker.communicate()
