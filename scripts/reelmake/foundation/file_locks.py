"""Locks between processes that the kernel frees when their owner dies.

The only module that imports filelock.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import filelock


def acquire(path: Path, timeout: float) -> "filelock.BaseFileLock | None":
    """The lock, or None where another process has held it for `timeout` seconds.

    Raises OSError where a file can't be locked.
    """
    import filelock

    # filelock's fallback where there is no flock is a file that would outlive its owner.
    lock = filelock.FileLock(path, poll_interval=0.1, fallback_to_soft=False, thread_local=False)
    try:
        lock.acquire(timeout)
    except filelock.Timeout:
        return None
    return lock


def release(lock: "filelock.BaseFileLock") -> None:
    """Let the lock go and leave no file: who waits for that one notices and makes another."""
    Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()
