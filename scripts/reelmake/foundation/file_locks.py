"""Locks between processes that the kernel frees when their owner dies, however it dies (flock).

A program that the owner starts doesn't inherit them; a fork that starts none does, and holds them
until it ends, too.
"""

import contextlib
import fcntl
import os
import time
from pathlib import Path
from typing import IO

POLL = 0.1
"""Seconds between two looks at a lock that another process holds."""


def try_lock(file: IO[str] | int, shared: bool = False) -> bool:
    """Whether the lock was free, and is held now until the file is closed.

    file: an open file or its descriptor. shared: with others that share it, too. A file system
    without locks locks nobody out: there each lock is free.
    """
    try:
        return _try(file, shared)
    except OSError:
        return True


def acquire(path: Path, timeout: float) -> IO[str] | None:
    """The lock as an open file, or None where another process has held it for `timeout` seconds.

    path: absolute; the file is made where it is missing, its folder is not. Raises OSError where
    a file can't be locked.
    """
    end = time.monotonic() + timeout
    while True:
        with contextlib.ExitStack() as closed_otherwise:
            file = closed_otherwise.enter_context(path.open("a+"))
            locked = _try(file, shared=False)
            # Who releases a lock takes its file away: what is locked then is nobody's any more.
            if locked and _is_the_file_of(path, file):
                closed_otherwise.pop_all()
                return file
        if locked:  # the lock of a file that is gone: the next one is free, unless others are first
            continue
        if time.monotonic() >= end:
            return None
        time.sleep(POLL)


def release(lock: IO[str]) -> None:
    """Let a lock go that `acquire` gave, and leave no file."""
    path = Path(lock.name)
    with lock:
        if _is_the_file_of(path, lock):  # not another's, where somebody has emptied the folder
            path.unlink(missing_ok=True)


def _try(file: IO[str] | int, shared: bool) -> bool:
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_the_file_of(path: Path, file: IO[str]) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
