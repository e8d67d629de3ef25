"""One run at a time for one library, and none while jobs of a killed one are still at work.

Both locks are the kernel's (flock) on files in `.snakemake/`: they end with the process that
holds them, however it ends, so nothing is ever left locked.
"""

import fcntl
import hashlib
import os
import shutil
import socket
from pathlib import Path
from typing import IO

from reelmake.errors import UserError

FOLDER = Path(".snakemake")
_SAID = FOLDER / "reelmake.said"


def hold_library() -> IO[str]:
    """Hold the library for a run, until the file is closed.

    Snakemake's own lock comes only after it has built its graph, which is when sidecars change.
    Raises UserError while another run, or a job that outlived its run, is at work.
    """
    file = _open("reelmake.lock")
    if not _try(file, fcntl.LOCK_EX):
        file.seek(0)
        owner = file.read().strip()
        file.close()
        raise UserError(
            f"another run is processing this library ({owner}); "
            "wait for it, or stop it, then run again"
        )
    with _open("reelmake.jobs.lock") as jobs:
        if not _try(jobs, fcntl.LOCK_EX):
            file.close()
            raise UserError(
                "jobs of an earlier run, which was killed, are still at work in this library; "
                "wait until they end, or stop them, then run again"
            )
    shutil.rmtree(_SAID, ignore_errors=True)
    file.truncate(0)
    file.write(f"process {os.getpid()} on {socket.gethostname()}")
    file.flush()
    return file


def hold_job() -> IO[str]:
    """Say that a job is at work, until the file is closed or the process ends."""
    file = _open("reelmake.jobs.lock")
    _try(file, fcntl.LOCK_SH)
    return file


def is_first_to_say(what: str) -> bool:
    """Whether no job of this run has asked that of the same text before."""
    name = hashlib.sha256(what.encode(errors="replace")).hexdigest()[:16]
    try:
        _SAID.mkdir(exist_ok=True)
        (_SAID / name).touch(exist_ok=False)
    except FileExistsError:
        return False
    except OSError:
        return True
    return True


def _open(name: str) -> IO[str]:
    FOLDER.mkdir(exist_ok=True)
    return (FOLDER / name).open("a+")


def _try(file: IO[str], kind: int) -> bool:
    """Whether the lock was free. A file system without locks locks nobody out."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
