"""How a run is stopped: no new job, and each one at work ends after its item."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

SIGNALS = (signal.SIGTERM, signal.SIGINT)

TOGETHER = 0.5
"""Signals within so many seconds count as one: Ctrl+C reaches a job, and the run passes it on."""

SERVER = "reelmake.jobs.script_server"
"""In the command line of the process that scripts are forks of, and in theirs."""

PATIENCE = 5.0
"""Seconds from the second signal to the kill."""

_stopped: set[int] = set()
"""The signals that have come. (An event would take a lock, which a handler must not.)"""


def is_stopping() -> bool:
    """Whether this run was told to stop."""
    return bool(_stopped)


def handle_signals(
    say: Callable[[str], None], tell_cluster: Callable[[int], None] = lambda number: None
) -> None:
    """Have SIGTERM and Ctrl+C stop this run, whose jobs Snakemake is about to start.

    The first lets items in work finish and be kept; the second doesn't wait for them.
    tell_cluster: called with how many signals have come, to do the same elsewhere.
    """
    start_no_more = signal.getsignal(signal.SIGTERM)  # Snakemake's own handler
    if not callable(start_no_more):
        return
    stopping = _Stopping(start_no_more, say, tell_cluster)
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, stopping.on_signal)


class _Stopping:
    def __init__(
        self,
        start_no_more: Callable[..., object],
        say: Callable[[str], None],
        tell_cluster: Callable[[int], None],
    ):
        self._start_no_more, self._tell_cluster = start_no_more, tell_cluster
        self._say = say
        self._signals = 0
        self._last = 0.0

    def on_signal(self, number: int, frame: object) -> None:
        again = time.monotonic() - self._last < TOGETHER
        self._last = time.monotonic()
        _stopped.add(number)
        if not again:
            self._signals += 1
            # Snakemake's handler takes a lock that the interrupted main thread may hold.
            threading.Thread(target=self._stop, args=(self._signals,), daemon=True).start()

    def _stop(self, signals: int) -> None:
        if signals == 1:
            self._say("stopping after the items in work; once more stops at once")
            self._start_no_more()
        tell_jobs(signal.SIGTERM)
        self._tell_cluster(signals)
        if signals > 1:
            time.sleep(PATIENCE)
            tell_jobs(signal.SIGKILL)


def tell_jobs(number: int) -> None:
    """Signal this run's jobs on this machine: not the shells around them, which would only leave
    them behind. The process that scripts are forks of is told of a stop, too: it forks no job that
    was asked for before. A job that is a run itself passes a stop on to its own jobs."""
    import psutil

    with contextlib.suppress(psutil.Error):
        _tell_below(psutil.Process(), number)


def _tell_below(process: "psutil.Process", number: int) -> None:
    import psutil

    for child in process.children():
        with contextlib.suppress(psutil.Error, OSError):
            words = child.cmdline()
            is_job = _is_job(words, process)
            is_server = any(SERVER in word for word in words)
            if is_job or (number == signal.SIGTERM and is_server):
                os.kill(child.pid, number)
            if not is_job or number == signal.SIGKILL:
                _tell_below(child, number)


def _is_job(words: list[str], parent: "psutil.Process") -> bool:
    if len(words) > 1 and ".snakemake/scripts/" in words[1]:
        return True
    forks = any(SERVER in word for word in words)
    return forks and parent.cmdline() == words
