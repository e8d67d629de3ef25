"""What people ask of the artifact cache: what is in it, what to remove, whether it is whole."""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from reelmake.cache import maintenance
from reelmake.cache.entry import Damaged, parse
from reelmake.cache.index import Index, Row
from reelmake.cache.store import Store
from reelmake.foundation.errors import UserError

if TYPE_CHECKING:
    from reelmake.cache.remote_tier import SecondTier

T = TypeVar("T")


class Management:
    """The part of `Cache` that is for people. It is about the local cache alone, and raises
    UserError where that can't be used."""

    _store: Store
    _second: "SecondTier | None"

    def _flush(self) -> None:
        raise NotImplementedError

    def info(self) -> dict[str, Any]:
        """folder, shared (the URL without credentials, or None), entries, bytes, size_limit,
        since (seconds since 1970), hits, shared_hits (fetched from the shared cache), misses,
        stores, shared_stores, evictions, expired, quarantined, seconds_saved; and under `stages`
        each stage's entries, bytes and counters, without misses: nobody knows of which stage a
        missing key is."""
        info = self._manage(lambda: self._run_upkeep(maintenance.info))
        return info | {"shared": self._second.shown if self._second else None}

    def entries(
        self,
        stage: str | None = None,
        unused_for: float | None = None,
        keys: Iterable[str] | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Each local entry that meets all conditions, the least recently used first: key, stage,
        version, created, used, hits, seconds, content, engines, bytes (on disk) and files (name,
        size, sha256, encoding, stored bytes, object).

        unused_for: seconds since its last use.
        """
        for row in self._manage(lambda: self._select(stage, unused_for, keys)):
            said = {"key": row.key, "stage": row.stage, "created": row.created}
            with contextlib.suppress(Damaged):  # `verify` says that
                entry = parse(self._header(row.id))
                said |= entry._asdict() | {"files": [file._asdict() for file in entry.files]}
            yield said | {"used": row.used, "hits": row.hits, "bytes": row.size}

    def remove(
        self,
        stage: str | None = None,
        unused_for: float | None = None,
        keys: Iterable[str] | None = None,
    ) -> int:
        """Remove the entries that `entries` gives for the same conditions; how many. Without
        any condition all go, and what is quarantined. What is shared stays."""

        def drop() -> int:
            rows = self._select(stage, unused_for, keys)
            self._store.run(lambda index: maintenance.remove(self._store, index, rows))
            if stage is None and unused_for is None and keys is None:
                self._store.folder.sweep(quarantined=0)
            return len(rows)

        return self._manage(drop)

    def prune(self) -> dict[str, int]:
        """Remove what is too old, too much, or nobody's, but nothing shared; how many entries
        `expired` and were `evicted`, and how many `strays` there were. `put` does it hourly."""
        return self._manage(lambda: self._run_upkeep(maintenance.prune))

    def verify(self) -> list[dict[str, str]]:
        """Read all local entries and quarantine the damaged; key, stage and reason of each."""
        bad = self._manage(lambda: list(maintenance.verify(self._store)))
        return [{"key": row.key, "stage": row.stage, "reason": reason} for row, reason in bad]

    def _run_upkeep(self, task: Callable[[Store, Index], T]) -> T:
        return self._store.run(lambda index: task(self._store, index))

    def _header(self, id: int) -> bytes:
        return self._store.run(lambda index: index.header(id))

    def _select(
        self, stage: str | None, unused_for: float | None, keys: Iterable[str] | None
    ) -> list[Row]:
        wanted = None if keys is None else set(keys)
        before = None if unused_for is None else time.time() - unused_for
        rows = self._store.run(lambda index: list(index.rows(stage, before)))
        return [row for row in rows if wanted is None or row.key in wanted]

    def _manage(self, operation: Callable[[], T]) -> T:
        """What the operation gives, with all that was counted written down before."""
        try:
            self._flush()
            return operation()
        except Exception as error:
            folder = self._store.folder.path
            raise UserError(f"the artifact cache in {folder} can't be used: {error}") from error
