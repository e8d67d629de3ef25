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
from typing import TYPE_CHECKING, Any

from reelmake import artifact, lock, source
from reelmake.errors import Kind, StageError, UserError, printable
from reelmake.fingerprint import Fingerprint
from reelmake.stages import STAGES

if TYPE_CHECKING:
    from reelmake.journal import Journal

SIGNALS = (signal.SIGTERM, signal.SIGINT)


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
        self._journaled = self._in_item = self._stopped = False
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

    def source(self) -> Path:
        """The film to read. Call it again after reading: it may have changed meanwhile.

        Raises StageError where it is gone, or not what the fingerprint says.
        """
        return source.local(self.fingerprint["source"], self.results)

    @contextlib.contextmanager
    def journal(self) -> "Iterator[Journal]":
        """The stage's journal. Publish the artifact inside: it is deleted when the block ends well.

        Tell `progress` before the first item how many came from it: the record's
        `items_resumed`.
        """
        from reelmake.journal import Journal  # the workflow itself needs no msgpack

        journal = Journal(self.results / "journal", self.stage, self.fingerprint["key"])
        self._journaled = True
        try:
            yield journal
            journal.close(done=True)
        finally:
            journal.close()

    @contextlib.contextmanager
    def item(self) -> Iterator[None]:
        """An item that a signal lets finish: the job stops when the block ends.

        A second signal stops it at once, as any signal does outside.
        """
        self._in_item = True
        try:
            yield
        finally:
            self._in_item = False
        if self._stopped:
            raise KeyboardInterrupt

    def on_signal(self, number: int, frame: object) -> None:
        """The handler: stop now, or after the item in work."""
        again, self._stopped = self._stopped, True
        if again or not self._in_item:
            raise KeyboardInterrupt

    def progress(self, done: int, total: int) -> None:
        """Say how far the job is, in items; written at most once a second."""
        if self._journaled:
            self.record.setdefault("items_resumed", done)
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
    try:
        this = Job(sidecar, log)
    except (TypeError, LookupError):
        os.write(terminal, f"reelmake: {sidecar} is gone or damaged; run again\n".encode())
        os._exit(1)
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, this.on_signal)
    this.save()
    try:
        yield this
    except KeyboardInterrupt:
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
        _fail(this, terminal, *_explain(error))
    except Exception as error:
        traceback.print_exc()
        message = f"{type(error).__name__}: {error}; the log has the details: {log}"
        _fail(this, terminal, message, "engine")
    else:
        this.record |= {"state": "done", "ended": round(time.time(), 3)}
        this.save()
        at_work.close()


def read_record(results: Path, stage: str) -> dict[str, Any]:
    """What happened to a stage of the video in `results`; empty where nothing is known."""
    found = artifact.read_json(results / "jobs" / f"{stage}.json")
    return found if isinstance(found, dict) else {}


def refuse(results: Path, reason: str) -> None:
    """Record that a video's first stage can't start, for a reason found before any job."""
    record = {"state": "failed", "error": reason, "class": "transient", "ended": time.time()}
    artifact.write_json(results / "jobs" / "media.json", record, durable=False)


def _explain(error: OSError) -> tuple[str, Kind]:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full; free some space", "resources"
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        reason = f"{error.filename or 'the results'}: {error.strerror}"
        return f"{reason}; check the disk and the permissions", "resources"
    return str(error), "engine"


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
    for number in SIGNALS:  # another one must not keep the reason from being written
        signal.signal(number, signal.SIG_IGN)
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
