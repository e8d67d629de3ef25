"""What keeps the artifact cache in order: too old, too much, nobody's, damaged.

Functions that are given an index are operations for `Store.run`.
"""

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from reelmake.cache.entry import Damaged
from reelmake.cache.folder import HOUR, is_older
from reelmake.cache.index import Index, Row
from reelmake.cache.store import Store
from reelmake.foundation import file_locks

_COUNTERS = (
    "hits",
    "shared_hits",
    "stores",
    "shared_stores",
    "evictions",
    "expired",
    "quarantined",
    "seconds_saved",
)


def is_due(index: Index) -> bool:
    """Whether nobody has pruned for an hour. (A clock that was moved is no reason to wait.)"""
    return abs(time.time() - index.counters().get(("", "pruned"), 0)) > HOUR


def prune(store: Store, index: Index) -> dict[str, int]:
    """Remove what is too old, too much, or nobody's; see `Cache.prune`."""
    expired = 0
    with index.transaction():
        index.set_counter("pruned", time.time())
        for stage, _, _ in index.stages():
            ttl = store.stage_ttl.get(stage, store.ttl)
            if ttl is not None:
                for row in index.created_before(stage, time.time() - ttl):
                    store.drop(index, row, "expired")
                    expired += 1
        evicted = store.evict(index)
    strays = store.folder.sweep() + _sweep_objects(store, index) + _sweep_locks(store)
    index.shrink()
    return {"expired": expired, "evicted": evicted, "strays": strays}


def remove(store: Store, index: Index, rows: Iterable[Row]) -> None:
    """Remove entries."""
    with index.transaction():
        for row in rows:
            store.drop(index, row)
    index.shrink()


def verify(store: Store) -> Iterator[tuple[Row, str]]:
    """Read everything; gives each entry that was damaged, and why, once it is quarantined."""

    def check(index: Index) -> list[Row]:
        index.check()
        return list(index.rows())

    for row in store.run(check):
        reason = _damage(store, row.key)
        if reason:
            yield row, reason


def info(store: Store, index: Index) -> dict[str, Any]:
    """What `Cache.info` gives."""
    counters = index.counters()
    sizes = {stage: (number, size) for stage, number, size in index.stages()}
    stages = {}
    for stage in sorted({*sizes, *(stage for stage, _ in counters if stage)}):
        number, size = sizes.get(stage, (0, 0))
        counted = {name: counters.get((stage, name), 0) for name in _COUNTERS}
        stages[stage] = {"entries": number, "bytes": size, **counted}
    return {
        "folder": str(store.folder.path),
        "size_limit": store.size_limit,
        "since": counters.get(("", "since"), 0),
        "misses": counters.get(("", "misses"), 0),
        **{
            name: sum(stage[name] for stage in stages.values()) + counters.get(("", name), 0)
            for name in ("entries", "bytes", *_COUNTERS)
        },
        "stages": stages,
    }


def _damage(store: Store, key: str) -> str | None:
    """Why the entry of a key was quarantined just now, if it was."""
    found = store.find(key)
    if found is None:
        return None
    opened: list[BinaryIO] = []
    try:
        for content in store.contents(key, found, opened)[1]:
            for _ in content:
                pass
    except Damaged as damage:
        return str(damage) if store.quarantine(key, found, damage) else None
    finally:
        for file in opened:
            file.close()
    return None


def _sweep_objects(store: Store, index: Index) -> int:
    """Remove objects older than an hour that no entry has: of killed jobs and lost indexes."""
    removed = 0
    for file in store.folder.objects():
        if is_older(file, HOUR) and not index.needs(file.name):
            with index.transaction():  # a job may have stored it again: look once more
                path = Path(file.path)
                if time.time() - path.stat().st_mtime > HOUR and not index.needs(file.name):
                    path.unlink(missing_ok=True)
                    removed += 1
    return removed


def _sweep_locks(store: Store) -> int:
    """Remove the lock files that killed jobs left."""
    removed = 0
    for file in os.scandir(store.folder.path / "locks"):
        if is_older(file, HOUR):
            lock = file_locks.acquire(Path(file.path), timeout=0)
            if lock:
                file_locks.release(lock)
                removed += 1
    return removed
