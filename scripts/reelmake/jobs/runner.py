"""Runs the work of a script as a job: its log, its signals, and what becomes of its errors.

Every script runs its work inside `job(…)`.
"""

import contextlib
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from reelmake.foundation import units
from reelmake.foundation.errors import OUT_OF_MEMORY, Kind, StageError, UserError, explain
from reelmake.foundation.text import printable
from reelmake.jobs import signals
from reelmake.jobs import terminal as shown
from reelmake.jobs.job import Job
from reelmake.jobs.run_context import RunContext
from reelmake.library import failed_stages, job_records, measures, run_lock
from reelmake.library.stages import STAGES

Instead = Callable[[Job, str, Kind], None]
"""Publishes what says that the job's artifact can't be made: of an error, and its class."""


@contextlib.contextmanager
def job(
    sidecar: str, log: str, run: Mapping[str, Any], instead: Instead | None = None
) -> Iterator[Job]:
    """Run the block as the job that makes what `sidecar` says, logging to `log`.

    run: the fields of its `RunContext`. instead: of a stage that its film can go on without
    (`Stage.can_fail`): where the block fails, this is called, and the job ends well; its record
    says that it failed. Not where a signal stopped it.

    Standard output and error of the block, its engines' included, go to the log. A failure
    ends the process with status 1, one sentence on the terminal, the same in the record;
    a traceback is for the log, and only for errors that nobody foresaw.
    """
    terminal = _redirect(log)
    at_work = run_lock.hold_job()
    try:
        this = Job(sidecar, log, RunContext(**run), terminal)
    except (TypeError, LookupError):
        os.write(terminal, f"reelmake: {sidecar} is gone or damaged; run again\n".encode())
        os._exit(1)
    for number in signals.SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, this.on_signal)
    if not this.is_made:
        this.save()
    try:
        _require_space(this)
        this.instead = instead
        yield this
        # Done: were it stopped now, Snakemake would take away what has been published.
        _ignore_signals()
    except KeyboardInterrupt:
        _fail(this, terminal, "stopped from outside; the next run takes it up again", "killed")
    except StageError as error:
        failure = _vanished(this) or error if error.kind == "input" else error
        _fail(this, terminal, str(failure), failure.kind)
    except UserError as error:
        _fail(this, terminal, str(error), "engine")
    except MemoryError:
        _fail(this, terminal, OUT_OF_MEMORY, "resources")
    except OSError as error:
        log_traceback()
        _fail(this, terminal, *explain(error))
    except Exception as error:
        log_traceback()
        message = f"{type(error).__name__}: {error}; the log has the details: {log}"
        _fail(this, terminal, message, "engine")
    else:
        if this.record["state"] != "done":  # else it is the record of the job before, which made it
            this.record |= {"state": "done", "ended": round(time.time(), 3)}
        this.record["made"] = measures.count(this.stage, this.results) | this.made
        this.save()
        this.forget_journals()
        at_work.close()
        os.close(terminal)  # this process may do more jobs


def _require_space(this: Job) -> None:
    """Stop the run before the disk is full: each job would fail, and so would Snakemake.

    Raises StageError.
    """
    free, least = shutil.disk_usage(this.results).free, this.run.min_free
    if free < least:
        this.say(
            f"the run stops: only {units.show_bytes(free)} are free in {this.results.parent} "
            f"(min_free: {units.show_bytes(least)}); free some space, then run again"
        )
        run_lock.stop_run()
        raise StageError("not started: too little space is free (min_free)", kind="resources")


def _ignore_signals() -> None:
    for number in signals.SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _redirect(log: str) -> int:
    """Send file descriptors 1 and 2 to the log (llama.cpp writes to them); return the old 2."""
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    terminal = os.dup(2)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for standard in (1, 2):
        os.dup2(descriptor, standard)
    os.close(descriptor)
    return terminal


def _vanished(this: Job) -> StageError | None:
    """What an engine calls a broken file may be one that is gone, or has changed, meanwhile."""
    try:
        if not STAGES[this.stage].urls:  # it makes what the others read
            this.source()
    except StageError as error:
        return error
    return None


def _fail(this: Job, terminal: int, cause: str, kind: Kind) -> None:
    _ignore_signals()  # another one must not keep the reason from being written
    message = printable(f"{this.video}: {this.stage}: {cause}")
    this.record |= job_records.failure(message, kind)
    goes_on = kind != "killed" and _publishes_instead(this, message, kind)
    if goes_on:
        this.record["made"] = measures.count(this.stage, this.results)
    this.save()
    if goes_on:
        this.say(f"without {this.stage}: {message}")
    elif not shown.shows_failures():
        shown.write(terminal, message)
    with contextlib.suppress(OSError):  # the log's disk may be full, too
        sys.stdout.flush()
        print(message, file=sys.stderr, flush=True)
    # Threads of an engine may be at work still; the artifact was not published.
    os._exit(0 if goes_on else 1)


def _publishes_instead(this: Job, message: str, kind: Kind) -> bool:
    """Whether what says that the artifact can't be made is published in its place. One that was
    made for the same before stays."""
    if this.instead is None or failed_stages.keeps(this.results, this.fingerprint, this.before):
        return False
    try:
        this.instead(this, message, kind)
    except (OSError, ValueError):
        log_traceback()
        return False
    return True


def log_traceback() -> None:
    """Write to the log where the error in hand comes from; on a full disk, nothing."""
    with contextlib.suppress(OSError):
        traceback.print_exc()
        sys.stderr.flush()
