"""One job: its log, its record, and what becomes of its errors.

`results/V/jobs/S.json` says what happened to the stage S of the video V. Every script runs
its work inside `job(…)`.
"""

import contextlib
import functools
import importlib.metadata
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelmake.foundation import artifact_files, process_identity, units
from reelmake.foundation.errors import (
    OUT_OF_MEMORY,
    Kind,
    StageError,
    UserError,
    explain,
    printable,
)
from reelmake.jobs import progress, run_context, signals
from reelmake.library import integrity, measures, run_lock, sources
from reelmake.library.fingerprints import Fingerprint
from reelmake.library.stages import STAGES, artifact_paths

if TYPE_CHECKING:
    from reelmake.foundation.journal import Journal


SILENT = 3600.0
"""Seconds without news after which a job of another machine that reports items is given up."""


class Job:
    """What a script knows of the job it is.

    stage, video: their names. fingerprint: what the artifact should be made from.
    settings: the stage's settings without their section: {"beam_size": 5, …}.
    shortages: how often memory was short so far: what can take less should.
    results: the video's folder. record: the job record as it will be written; before: that of
    the job before.
    """

    def __init__(self, sidecar: str, log: str, terminal: int = 2):
        self._terminal = terminal
        self.sidecar = Path(sidecar)
        self.results = self.sidecar.parent.parent
        self.video = self.results.name
        self.fingerprint: Fingerprint = artifact_files.read_json(self.sidecar)
        self.stage: str = self.fingerprint["stage"]
        self.settings = {
            name.partition(".")[2]: value for name, value in self.fingerprint["settings"].items()
        }
        self._saved = 0.0
        self._said = progress.Progress(self.video, self.stage, terminal)
        self._in_item = self._stopped = False
        self._signalled = 0.0
        self.shortages = 0
        self._journals: list[Journal] = []
        self.before = before = read_record(self.results, self.stage)
        again = before.get("key") == self.fingerprint["key"] and before.get("state") != "done"
        self.record: dict[str, Any] = {
            "state": "running",
            "key": self.fingerprint["key"],
            **{
                name: value
                for name, value in process_identity.this_process().items()
                if name != "since"
            },
            "attempt": before.get("attempt", 0) + 1 if again else 1,
            "started": round(time.time(), 3),
            "log": log,
            "engines": self._engines(),
        }

    @functools.cached_property
    def is_made(self) -> bool:
        """Whether the job before made this very artifact, and nothing has changed since.

        A run that is killed between the end of a job and Snakemake's note of it starts the job
        again, when its journal is gone.
        """
        if (self.before.get("state"), self.before.get("key")) != ("done", self.record["key"]):
            return False
        inputs = [
            path
            for name in self.fingerprint["upstream"]
            for path in artifact_paths(STAGES[name], self.video)
        ]
        try:
            made = min(os.stat(self.results / path).st_mtime_ns for path in self._artifacts)
            read = [os.stat(self.results / path).st_mtime_ns for path in inputs]
            return made >= max(read, default=0) and made >= os.stat(self.sidecar).st_mtime_ns
        except OSError:
            return False

    @property
    def _artifacts(self) -> list[str]:
        return artifact_paths(STAGES[self.stage], self.video)

    def _engines(self) -> dict[str, str]:
        """Distribution -> version; with those of a temporary artifact, of which nothing else
        will be known."""
        stage = STAGES[self.stage]
        engines = {name: importlib.metadata.version(name) for name in stage.packages}
        for name in stage.upstream:
            if STAGES[name].temporary:
                engines |= read_record(self.results, name).get("engines", {})
        return engines

    def source(self) -> Path:
        """The film to read. Call it again after reading: it may have changed meanwhile.

        Raises StageError where it is gone, or not what the fingerprint says.
        """
        return sources.local(self.fingerprint["source"], self.results)

    @contextlib.contextmanager
    def journal(self) -> "Iterator[Journal]":
        """The stage's journal. Publish the artifact inside: it is deleted when the job ends well.

        Tell `progress` before the first item how many came from it: the record's
        `items_resumed`.
        """
        from reelmake.foundation.journal import Journal  # the workflow itself needs no msgpack

        journal = Journal(self.results / "journal", self.stage, self.fingerprint["key"])
        self._journals.append(journal)
        try:
            yield journal
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
        again = self._stopped and time.monotonic() - self._signalled > signals.TOGETHER
        first, self._stopped = not self._stopped, True
        self._signalled = time.monotonic()
        if again or (first and not self._in_item):
            raise KeyboardInterrupt

    def progress(self, done: int, total: int) -> None:
        """Say how far the job is, in items; written at most once a second, and said less often."""
        if self._journals:
            self.record.setdefault("items_resumed", done)
        self.record |= {"items_done": done, "items_total": total}
        if time.monotonic() - self._saved > 1:
            self.save()
        self._said.update(done, total)

    @functools.cached_property
    def content(self) -> str:
        """The digest of the source's content: from media.json, which the stage media writes.

        Raises StageError.
        """
        if self.stage == "media":
            return sources.digest(self.source(), full=self.settings["digest"] == "full")
        content: str = integrity.read_json(self.results / "media.json")["content"]
        return content

    def say(self, line: str) -> None:
        """Tell the person at the terminal, and the log.

        What stands before the first ": " is said once a run, though every job finds it.
        """
        print(line, flush=True)
        if run_lock.is_first_to_say(line.partition(": ")[0]):
            os.write(self._terminal, f"reelmake: {printable(line)}\n".encode(errors="replace"))

    def forget_journals(self) -> None:
        """Delete the stage's, those of killed jobs too. Only once the record says that the
        artifact is done: a job that is killed before repeats nothing."""
        for journal in self._journals:
            journal.close()
        folder = self.results / "journal"
        if folder.is_dir():
            from reelmake.foundation.journal import forget

            forget(folder, self.stage)

    def save(self) -> None:
        """Write the record. A disk that is full must not hide why the job failed."""
        self._saved = time.monotonic()
        self.record["updated"] = round(time.time(), 3)
        with contextlib.suppress(OSError):
            write_record(self.results, self.stage, self.record)


@contextlib.contextmanager
def job(sidecar: str, log: str) -> Iterator[Job]:
    """Run the block as the job that makes what `sidecar` says, logging to `log`.

    Standard output and error of the block, its engines' included, go to the log. A failure
    ends the process with status 1, one sentence on the terminal, the same in the record;
    a traceback is for the log, and only for errors that nobody foresaw.
    """
    terminal = _redirect(log)
    at_work = run_lock.hold_job()
    try:
        this = Job(sidecar, log, terminal)
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
        _log_traceback()
        _fail(this, terminal, *explain(error))
    except Exception as error:
        _log_traceback()
        message = f"{type(error).__name__}: {error}; the log has the details: {log}"
        _fail(this, terminal, message, "engine")
    else:
        if this.record["state"] != "done":  # else it is the record of the job before, which made it
            this.record |= {"state": "done", "ended": round(time.time(), 3)}
        this.record["made"] = measures.count(this.stage, this.results)
        this.save()
        this.forget_journals()
        at_work.close()


def read_record(results: Path, stage: str) -> dict[str, Any]:
    """What happened to a stage of the video in `results`; empty where nothing is known."""
    found = artifact_files.read_json(results / "jobs" / f"{stage}.json")
    return found if isinstance(found, dict) else {}


def state(record: Mapping[str, Any], now: float | None = None) -> str:
    """What became of a job by its record: `running`, `done`, `failed`, or `killed`: stopped from
    outside, whether it could still say so or not. Empty for an empty record.

    Whether a job on another machine lives, nobody here can tell: it counts as running, unless it
    reports items and has been silent for `SILENT` seconds. now: seconds since 1970.
    """
    found: str = record.get("state", "")
    if found == "failed" and record.get("class") == "killed":
        return "killed"
    if found != "running":
        return found
    lives = process_identity.is_alive(dict(record))
    if lives is None:
        since = (time.time() if now is None else now) - record.get("updated", 0)
        lives = "items_total" not in record or since < SILENT
    return "running" if lives else "killed"


def write_record(results: Path, stage: str, record: dict[str, Any]) -> None:
    """Write down what happened to a stage. Not flushed: it can happen again."""
    artifact_files.write_json(results / "jobs" / f"{stage}.json", record, durable=False)


def refuse(results: Path, reason: str) -> None:
    """Record that a video's first stage can't start, for a reason found before any job."""
    record = {"state": "failed", "error": reason, "class": "transient", "ended": time.time()}
    write_record(results, "media", record)


def _require_space(this: Job) -> None:
    """Stop the run before the disk is full: each job would fail, and so would Snakemake.

    Raises StageError.
    """
    free, least = shutil.disk_usage(this.results).free, run_context.told()["min_free"]
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
    this.record |= {
        "state": "failed",
        "error": message,
        "class": kind,
        "ended": round(time.time(), 3),
    }
    this.save()
    os.write(terminal, f"reelmake: {message}\n".encode(errors="replace"))
    with contextlib.suppress(OSError):  # the log's disk may be full, too
        sys.stdout.flush()
        print(message, file=sys.stderr, flush=True)
    # Threads of an engine may be at work still; the artifact was not published.
    os._exit(1)


def _log_traceback() -> None:
    with contextlib.suppress(OSError):
        traceback.print_exc()
        sys.stderr.flush()
