"""What a script knows of the job that it is: its fingerprint, its settings, and its record."""

import contextlib
import functools
import importlib.metadata
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.foundation import artifact_files
from reelmake.foundation.errors import Kind
from reelmake.jobs import signals, terminal
from reelmake.jobs.progress import Progress
from reelmake.jobs.run_context import RunContext
from reelmake.library import config, currency, integrity, job_records, run_lock, sources
from reelmake.library.fingerprints import Fingerprint
from reelmake.library.job_records import JobRecord, Made
from reelmake.library.stages import STAGES

if TYPE_CHECKING:
    from reelmake.foundation.journal import Journal


class Job:
    """A job at work.

    stage, video: their names. fingerprint: what the artifact should be made from.
    settings: the stage's settings without their section: {"beam_size": 5, …}.
    run: where its tools are and how much it may take.
    shortages: how often memory was short so far: what can take less should.
    results: the video's folder. record: the job record as it will be written; before: that of
    the stage's job before this one. instead: as `runner.job` has it.
    """

    def __init__(self, sidecar: str, log: str, run: RunContext, descriptor: int = 2):
        self.run = run
        self._terminal = descriptor
        self.results = Path(sidecar).parent.parent
        self.video = self.results.name
        self.fingerprint: Fingerprint = artifact_files.read_json(Path(sidecar))
        self.stage: str = self.fingerprint["stage"]
        stage = STAGES[self.stage]
        left_out = {name: config.default(name) for name in (*stage.later, *stage.in_process)}
        self.settings = {
            name.partition(".")[2]: value
            for name, value in (left_out | self.fingerprint["settings"]).items()
        }
        self._saved = 0.0
        self._said = Progress(self.video, self.stage, descriptor)
        self._in_item = self._stopped = False
        self._signalled = 0.0
        self.shortages = 0
        self._journals: list[Journal] = []
        self.instead: Callable[[Job, str, Kind], None] | None = None
        self.made: Made = {}  # what a script itself counts of what it makes
        self.before = job_records.read(self.results, self.stage)
        self.record: JobRecord = job_records.begun(
            self.fingerprint["key"], self.before, log, self._engines()
        )

    @functools.cached_property
    def is_made(self) -> bool:
        """Whether the job before made this very artifact, and nothing has changed since."""
        return currency.is_made_since(self.results, self.fingerprint, self.before)

    def _engines(self) -> dict[str, str]:
        """Distribution -> version; with those of a temporary artifact, of which nothing else
        will be known."""
        stage = STAGES[self.stage]
        packages = ("openai",) if self.settings.get("endpoint") else stage.packages
        engines: dict[str, str] = {}
        for name in packages:
            # Who calls an engine that is not installed says so, or does without.
            with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                engines[name] = importlib.metadata.version(name)
        for name in stage.upstream:
            if STAGES[name].temporary:
                engines |= job_records.read(self.results, name).get("engines", {})
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

    @property
    def is_stopping(self) -> bool:
        """Whether a signal has come: what is in work finishes, and nothing more begins."""
        return self._stopped

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
        first = run_lock.is_first_to_say(line.partition(": ")[0], line)
        if first and not terminal.shows_all():
            terminal.write(self._terminal, line)

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
            job_records.write(self.results, self.stage, self.record)
