"""What the runs over shares tell, shown as one run's."""

import contextlib
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reelmake.foundation import slurm
from reelmake.foundation.text import printable
from reelmake.jobs.shares import Events
from snakemake_logger_plugin_reelmake.run_state import RunState

LOOK = 0.5
"""Seconds between two looks."""
_SUBMITTED = re.compile(
    r"Job (\d+) has been submitted with SLURM jobid (\d+)"
    r"|Submitted job (\d+) with external jobid '(\w+)"
)
SHOWN = 5
"""Lines of a log that are shown where a share ended without a reason."""


class SharesNews:
    """Looks at the events of the shares until it is stopped.

    folder: of their files. state: which is kept up to date. show: prints lines. lock: held while
    state changes or lines are printed.
    """

    def __init__(
        self,
        folder: str,
        state: RunState,
        show: Callable[[list[str]], None],
        lock: "threading.RLock",
    ):
        self._folder, self._state, self._show, self._lock = Path(folder), state, show, lock
        self._events = Events(self._folder)
        self._numbers: dict[int, int] = {}
        """Snakemake's number of a job -> of its share."""
        self._jobs: dict[int, str | None] = {}
        """The share -> Slurm's number of the job that it is."""
        self._failed: set[int] = set()
        """The shares one of whose jobs has failed."""
        self._stopped = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def take(self) -> None:
        """Show what has happened since the last time."""
        for share, event in self._events.new():
            with contextlib.suppress(KeyError, TypeError, ValueError):
                self._show(self._take(share, event))

    def start(self, job: int, wildcards: dict[str, str]) -> None:
        """A share's job has started. job: Snakemake's number."""
        self._numbers[job] = int(wildcards.get("share", 0))

    def submitted(self, message: str) -> bool:
        """Whether a message of an executor's says that a job was submitted, which is taken note
        of."""
        found = _SUBMITTED.search(message)
        if not found:
            return False
        job, number = (found[1], found[2]) if found[1] else (found[3], found[4])
        if (share := self._numbers.get(int(job))) is not None:
            self._jobs[share] = number
        return True

    def fail(self, job: int, trace: str) -> list[str]:
        """A share's job has failed: the lines that say why, where jobs of its own have not.

        job: Snakemake's number. trace: what Snakemake says of it.
        """
        self.take()
        number = self._numbers.get(job, 0)
        self._state.forget(number)
        submitted = self._jobs.get(number)
        why = slurm.why_ended(submitted) if submitted else None
        if why:
            return [f"share {number} was ended: {why}; what it has done is kept"]
        if number in self._failed:
            return []
        log = self._folder / f"{number}.log"
        with contextlib.suppress(OSError):  # a job that was not even submitted has no log
            said = log.read_text(errors="replace").splitlines()[-SHOWN:]
            if said:
                lines = [f"  {printable(line)}" for line in said]
                return [f"share {number} ended; the end of its log ({log}):", *lines]
        return [f"share {number}: {printable(line)}" for line in trace.splitlines() or ["failed"]]

    def stop(self) -> None:
        """Look a last time, and no more."""
        self._stopped.set()
        with self._lock:
            self.take()

    def _watch(self) -> None:
        while not self._stopped.wait(LOOK):
            with self._lock:
                self.take()

    def _take(self, share: int, event: dict[str, Any]) -> list[str]:
        if event["what"] == "begin":
            self._state.forget(share)
            self._failed.discard(share)
            self._jobs[share] = event["slurm"]
        elif event["what"] == "start":
            self._state.start((share, event["job"]), event["rule"], event["wildcards"])
        elif event["what"] == "finish":
            return self._state.finish((share, event["job"]))
        elif event["what"] == "fail":
            self._failed.add(share)
            return self._state.fail((share, event["job"]), event["trace"])
        elif event["what"] == "say":
            return [str(line) for line in event["lines"]]
        return []
