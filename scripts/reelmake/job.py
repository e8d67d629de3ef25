"""One job: its log, its record, and what becomes of its errors.

`results/V/jobs/S.json` says what happened to the stage S of the video V. Every script runs
its work inside `job(…)`.
"""

import contextlib
import errno
import importlib.metadata
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reelmake import artifact, lock, source
from reelmake.errors import Kind, StageError, UserError, printable
from reelmake.fingerprint import Fingerprint
from reelmake.stages import STAGES


class Job:
    """What a script knows of the job it is.

    stage, video: their names. fingerprint: what the artifact should be made from.
    settings: the stage's settings without their section: {"beam_size": 5, …}.
    results: the video's folder. record: the job record as it will be written.
    """

    def __init__(self, sidecar: str, log: str):
        self.sidecar = Path(sidecar)
        self.results = self.sidecar.parent.parent
        self.video = self.results.name
        self.fingerprint: Fingerprint = artifact.read_json(self.sidecar)
        self.stage: str = self.fingerprint["stage"]
        self.settings = {
            name.partition(".")[2]: value for name, value in self.fingerprint["settings"].items()
        }
        self._path = self.results / "jobs" / f"{self.stage}.json"
        self._saved = 0.0
        before = artifact.read_json(self._path) or {}
        again = before.get("key") == self.fingerprint["key"] and before.get("state") != "done"
        self.record: dict[str, Any] = {
            "state": "running",
            "key": self.fingerprint["key"],
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "attempt": before.get("attempt", 0) + 1 if again else 1,
            "started": round(time.time(), 3),
            "log": log,
            "engines": {
                package: importlib.metadata.version(package)
                for package in STAGES[self.stage].packages
            },
        }

    def progress(self, done: int, total: int) -> None:
        """Say how far the job is, in items; written at most once a second."""
        self.record |= {"items_done": done, "items_total": total}
        if time.monotonic() - self._saved > 1:
            self.save()

    def save(self) -> None:
        """Write the record. A disk that is full must not hide why the job failed."""
        self._saved = time.monotonic()
        self.record["updated"] = round(time.time(), 3)
        with contextlib.suppress(OSError):
            artifact.write_json(self._path, self.record, durable=False)


@contextlib.contextmanager
def job(sidecar: str, log: str) -> Iterator[Job]:
    """Run the block as the job that makes what `sidecar` says, logging to `log`.

    Standard output and error of the block, its engines' included, go to the log. A failure
    ends the process with status 1, one sentence on the terminal, the same in the record;
    a traceback is for the log, and only for errors that nobody foresaw.
    """
    terminal = _redirect(log)
    at_work = lock.hold_job()
    signal.signal(signal.SIGTERM, _terminate)
    try:
        this = Job(sidecar, log)
    except (TypeError, KeyError, LookupError):
        os.write(terminal, f"reelmake: {sidecar} is gone or damaged; run again\n".encode())
        os._exit(1)
    this.save()
    try:
        yield this
    except (KeyboardInterrupt, _Terminated):
        _fail(this, terminal, "stopped from outside; the next run takes it up again", "killed")
    except StageError as error:
        failure = _vanished(this) or error if error.kind == "input" else error
        _fail(this, terminal, str(failure), failure.kind)
    except UserError as error:
        _fail(this, terminal, str(error), "engine")
    except MemoryError:
        message = "out of memory; run fewer jobs at once (--cores) or choose a smaller model"
        _fail(this, terminal, message, "resources")
    except OSError as error:
        traceback.print_exc()
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        cause = "the disk is full; free some space" if full else f"{error}"
        _fail(this, terminal, cause, "resources" if full else "engine")
    except Exception as error:
        traceback.print_exc()
        message = f"{type(error).__name__}: {error}; the log has the details: {log}"
        _fail(this, terminal, message, "engine")
    else:
        this.record |= {"state": "done", "ended": round(time.time(), 3)}
        this.save()
        at_work.close()


def refuse(results: Path, reason: str) -> None:
    """Record that a video's first stage can't start, for a reason found before any job."""
    record = {"state": "failed", "error": reason, "class": "transient", "ended": time.time()}
    artifact.write_json(results / "jobs" / "media.json", record, durable=False)


class _Terminated(BaseException):
    """SIGTERM arrived."""


def _terminate(signum: int, frame: object) -> None:
    raise _Terminated


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
        source.check(this.fingerprint["source"])
    except StageError as error:
        return error
    return None


def _fail(this: Job, terminal: int, cause: str, kind: Kind) -> None:
    message = printable(f"{this.video}: {this.stage}: {cause}")
    this.record |= {
        "state": "failed",
        "error": message,
        "class": kind,
        "ended": round(time.time(), 3),
    }
    this.save()
    print(message, file=sys.stderr, flush=True)
    os.write(terminal, f"reelmake: {message}\n".encode(errors="replace"))
    # Threads of an engine may be at work still; the artifact was not published.
    sys.stdout.flush()
    os._exit(1)
