"""What was read from the artifact cache, gathered until it is worth writing down.

A write for each read would make readers wait for each other.
"""

import os
import time
from collections import defaultdict

from reelmake.cache.entry import Entry
from reelmake.cache.index import Index
from reelmake.cache.open_index import OpenIndex

_MOST = 10_000


class Uses:
    """Hits and misses of this process that the index does not know yet."""

    def __init__(self, index: OpenIndex):
        self._index = index
        self._clear()

    def note(self, key: str, entry: Entry | None) -> None:
        """Count a hit, or a miss where there is no entry."""
        if self._pid != os.getpid():  # a fork; what was before is its parent's to count
            self._clear()
        if entry is None:
            self._misses += 1
            return
        hits = self._uses.pop(key, (0,))[0] + 1  # in order of use
        self._uses[key] = (hits, time.time(), entry.stage, entry.seconds)
        if len(self._uses) >= _MOST:
            self.write()

    def write(self) -> None:
        """Write down what was counted. Raises OSError and what SQLite raises."""
        if self._pid != os.getpid():
            self._clear()
        uses, misses = self._uses, self._misses
        self._clear()
        if not (uses or misses):
            return
        counts = defaultdict[tuple[str, str], float](float, {("", "misses"): misses})
        for hits, _, stage, seconds in uses.values():
            counts[stage, "hits"] += hits
            counts[stage, "seconds_saved"] += hits * seconds

        def write(index: Index) -> None:
            with index.transaction():
                index.touch({key: use[:2] for key, use in uses.items()})
                for (stage, name), value in counts.items():
                    index.count(stage, name, value)

        self._index.run(write)

    def _clear(self) -> None:
        self._pid, self._misses = os.getpid(), 0
        # key -> (hits, last use, stage, seconds that each saved)
        self._uses: dict[str, tuple[int, float, str, float]] = {}
