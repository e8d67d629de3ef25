"""One run at a time for one library, and none while jobs of a killed one are still at work.

Both locks are the kernel's (flock) on files in `.snakemake/`: they end with the process that
holds them, however it ends, so nothing is ever left locked. For machines that don't see each
other's locks a run has a claim, too (`run_claim`).
"""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

from reelmake.foundation import artifact_files, file_locks, process_identity, slurm, text
from reelmake.foundation.errors import UserError
from reelmake.library import run_claim

FOLDER = Path(".snakemake")
ENDING = 1800.0
"""Seconds that jobs of a run that was killed have to end after their items."""
COMPLETING = 60.0
"""Seconds that the processes of a job may still be there when it counts as over."""
_SAID = FOLDER / "reelmake.said"


class Held:
    """The library, held for a run until it is closed, or the process ends."""

    def __init__(self, file: IO[str], claim: run_claim.Claim):
        self._file, self._claim = file, claim

    def fileno(self) -> int:
        """The descriptor of a file that was written just now."""
        return self._file.fileno()

    def __enter__(self) -> "Held":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let another run have it."""
        self._claim.release()
        self._file.close()


def hold_library(say: Callable[[str], None] = lambda line: None) -> Held:
    """Hold the library for a run.

    say: told where that takes time, since jobs of a run before are to end.

    Snakemake's own lock comes only after it has built its graph, which is when sidecars change,
    and outlives a run that is killed: what such a run left is cleared away here. Raises UserError
    while another run, or a job that outlived its run, is at work, or may be on another machine.
    """
    file = _open("reelmake.lock")
    holder = read_owner()
    if not file_locks.try_lock(file):
        file.close()
        raise UserError(
            f"another run is processing this library ({process_identity.describe(holder)}); "
            "wait for it, or stop it, then run again"
        )
    claim = None
    try:
        claim = run_claim.Claim(FOLDER, lost=lambda: _stop_this_run(say))
        had_jobs = _end_jobs_of_the_dead(say)
        _refuse_while_jobs_work(patience=COMPLETING if had_jobs else 0.0)
        if not claim.took_over:
            _clear_locks_of_the_dead(holder)
        else:  # its machine has not renewed its claim
            _clear_locks()
    except UserError:
        if claim is not None:
            claim.release()
        file.close()
        raise
    shutil.rmtree(_SAID, ignore_errors=True)
    file.truncate(0)
    file.write(json.dumps(process_identity.this_process()))
    file.flush()
    return Held(file, claim)


def _stop_this_run(say: Callable[[str], None]) -> None:
    say("another run has taken this library, since this one was not heard of: it stops")
    os.kill(os.getpid(), signal.SIGTERM)


def stop_run() -> None:
    """Ask the run that this job is of to start no more jobs: the one that holds the library, or,
    where that is on another machine, the one over a share here."""
    holder = read_owner()
    if process_identity.is_alive(holder):
        with contextlib.suppress(OSError):
            os.kill(holder["pid"], signal.SIGTERM)
        return
    import psutil

    with contextlib.suppress(psutil.Error):
        for parent in psutil.Process().parents():
            words = parent.cmdline()
            if "--nolock" in words and "snakemake" in " ".join(words):
                parent.send_signal(signal.SIGTERM)
                return


def read_owner() -> process_identity.Owner:
    """The run that holds the library, or held it last; empty where there was none."""
    found = artifact_files.read_json(FOLDER / "reelmake.lock")
    return cast(process_identity.Owner, found) if isinstance(found, dict) else {}


def hold_job() -> IO[str]:
    """Say that a job is at work, until the file is closed or the process ends."""
    file = _open("reelmake.jobs.lock")
    file_locks.try_lock(file, shared=True)
    return file


def _end_jobs_of_the_dead(say: Callable[[str], None]) -> bool:
    """End what a run before this one, which was killed, has left to a cluster: take off the queue
    what waits, and have what runs end after its items. This run goes on with it.

    Returns whether there was any.
    """
    if not (FOLDER / "reelmake.shares").exists():
        return False
    left = slurm.jobs(Path())
    if not left:
        return False
    waiting = sum(job.state in slurm.WAITING for job in left)
    say(
        f"{text.count(len(left), 'job')} of a run that was killed: {waiting} taken off the queue, "
        f"{len(left) - waiting} told to end after their items; waiting for them"
    )
    slurm.stop(left)
    end = time.monotonic() + ENDING
    while left := slurm.jobs(Path()):
        if time.monotonic() > end:
            ids = text.some([job.id for job in left])
            raise UserError(
                f"jobs of a run that was killed do not end ({ids}); scancel them, then run again"
            )
        time.sleep(1)
    return True


def _refuse_while_jobs_work(patience: float) -> None:
    """patience: seconds to wait for jobs that are known to be about to end."""
    end = time.monotonic() + patience
    with _open("reelmake.jobs.lock") as jobs:
        while not file_locks.try_lock(jobs):
            if time.monotonic() < end:
                time.sleep(0.2)
                continue
            raise UserError(
                "jobs of an earlier run, which was killed, are still at work in this library; "
                "wait until they end, or stop them, then run again"
            )


def _clear_locks_of_the_dead(holder: process_identity.Owner) -> None:
    """Remove Snakemake's lock of a run that can't remove it any more.

    Where locks work, holding ours proves that the last holder is gone. Whether it is on another
    machine, with which this one may share no locks, nobody can prove.
    """
    locks = FOLDER / "locks"
    if not holder or not locks.is_dir() or not os.listdir(locks):
        return
    if process_identity.is_alive(holder) is not False:
        raise UserError(
            "another run may be processing this library "
            f"({process_identity.describe(holder)}); where you know that it is gone, "
            "`snakemake --unlock` lets you run again"
        )
    _clear_locks()


def _clear_locks() -> None:
    for file in (FOLDER / "locks").glob("*.lock"):
        file.unlink(missing_ok=True)


def is_first_to_say(what: str, line: str) -> bool:
    """Whether no job of this run has asked that of the same text before.

    line: what is said, which `said` tells later.
    """
    name = hashlib.sha256(what.encode(errors="replace")).hexdigest()[:16]
    try:
        _SAID.mkdir(exist_ok=True)
        with (_SAID / name).open("x") as file:
            file.write(line)
    except FileExistsError:
        return False
    except OSError:
        return True
    return True


def said() -> list[str]:
    """What the jobs of this run had to say to people so far."""
    try:
        return [path.read_text(errors="replace") for path in sorted(_SAID.iterdir())]
    except OSError:
        return []


def _open(name: str) -> IO[str]:
    FOLDER.mkdir(exist_ok=True)
    return (FOLDER / name).open("a+")
