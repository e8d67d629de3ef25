"""How far a long job is, at the terminal of the run: seldom enough to be read."""

import os
import time
from collections.abc import Callable

from reelmake.foundation.units import show_seconds
from reelmake.jobs import terminal
from reelmake.library.stages import STAGES

AT_TERMINAL, IN_LOG = 10.0, 60.0
"""Seconds between two lines of one job: where a person is watching, and where a file grows."""


class Progress:
    """Says how far a job is, on a file descriptor of its terminal.

    clock: seconds that only go forward.
    """

    def __init__(
        self, video: str, stage: str, descriptor: int, clock: Callable[[], float] = time.monotonic
    ):
        self._name, self._items = f"{video}: {stage}", STAGES[stage].items
        self._terminal, self._clock = descriptor, clock
        self._every = AT_TERMINAL if os.isatty(descriptor) else IN_LOG
        self._said = clock()
        self._first: tuple[float, int] | None = None

    def update(self, done: int, total: int) -> None:
        """Take note of it, and say it if it is time to."""
        now = self._clock()
        if self._first is None:
            # What a journal or a slow start brought says nothing of the rate.
            self._first = (now, done)
        if now - self._said < self._every or done >= total or terminal.shows_all():
            return
        self._said = now
        since, before = self._first
        left = ""
        if done > before:
            seconds = (now - since) / (done - before) * (total - done)
            left = f", about {show_seconds(seconds)} left"
        terminal.write(self._terminal, f"{self._name}: {done} of {total} {self._items}{left}")
