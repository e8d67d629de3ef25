"""What a process read of the artifact cache since it was last written down.

A write for each read would make reads wait for each other.
"""

import os
import time
from collections.abc import Callable

from reelmake.cache.entry import Entry
from reelmake.cache.index import Index

EVERY, MOST = 60.0, 10_000
"""Seconds, and uses, after which they are written down."""


class Uses:
    """Hits and misses. After a fork, what was counted before is left to the parent."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._pid, self._since = os.getpid(), time.monotonic()
        # key -> (hits, last use, stage, seconds saved by each), in order of use
        self._hits: dict[str, tuple[int, float, str, float]] = {}
        self._misses = 0

    def hit(self, entry: Entry) -> None:
        """An entry was read."""
        self._own()
        hits = self._hits.pop(entry.key, (0,))[0] + 1
        self._hits[entry.key] = (hits, time.time(), entry.stage, entry.seconds)

    def miss(self) -> None:
        """There was none."""
        self._own()
        self._misses += 1

    def are_due(self) -> bool:
        """Whether it is time to write them down."""
        return time.monotonic() - self._since > EVERY or len(self._hits) >= MOST

    def take(self) -> Callable[[Index], None]:
        """An operation that writes down what was counted so far, which is forgotten here."""
        self._own()
        hits, misses = self._hits, self._misses
        self._begin()
        counts = {("", "misses"): float(misses)}
        for number, _, stage, seconds in hits.values():
            for name, value in (("hits", number), ("seconds_saved", number * seconds)):
                counts[stage, name] = counts.get((stage, name), 0) + value

        def write(index: Index) -> None:
            if not hits and not misses:
                return
            with index.transaction():
                index.touch({key: use[:2] for key, use in hits.items()})
                for (stage, name), value in counts.items():
                    index.count(stage, name, value)

        return write

    def _own(self) -> None:
        if self._pid != os.getpid():
            self._begin()
