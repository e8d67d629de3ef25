"""What keeps the artifact cache in order: too old, too much, nobody's, damaged."""

import contextlib
import functools
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from reelmake.cache.entry import Contents, Damaged, Entry, exhaust, parse
from reelmake.cache.index import Index
from reelmake.cache.store import Store
from reelmake.foundation import file_locks

HOUR = 3600.0
_WEEK = 7 * 24 * HOUR

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


def is_due(store: Store) -> bool:
    """Whether nobody has pruned for an hour. (A clock that was moved is no reason to wait.)"""
    pruned = store.index.run(Index.counters).get(("", "pruned"), 0)
    return abs(time.time() - pruned) > HOUR


def prune(store: Store) -> dict[str, int]:
    """Remove what is too old, too much, or nobody's; see `Cache.prune`."""

    def remove(index: Index) -> dict[str, int]:
        with index.transaction():
            index.set_counter("pruned", time.time())
            expired = [row for row in index.rows() if store.is_expired(row)]
            for row in expired:
                store.drop(index, row, "expired")
            evicted = store.evict(index)
        strays = _sweep(store, "tmp", HOUR) + _sweep(store, "quarantine", _WEEK)
        strays += _sweep_objects(store, index) + _sweep_locks(store)
        index.shrink()
        return {"expired": len(expired), "evicted": evicted, "strays": strays}

    # Earlier versions kept small payloads there once more. The folder itself they still need.
    for records in store.folder.path.glob("entries/*"):
        shutil.rmtree(records, ignore_errors=True)
    return store.index.run(remove)


def remove(store: Store, keys: Iterable[str] | None) -> int:
    """Remove the entries of these keys, or all, and what is quarantined; how many entries."""

    def drop(index: Index) -> int:
        wanted = None if keys is None else set(keys)
        with index.transaction():
            rows = [row for row in index.rows() if wanted is None or row.key in wanted]
            for row in rows:
                store.drop(index, row)
        index.shrink()
        return len(rows)

    removed = store.index.run(drop)
    if keys is None:
        _sweep(store, "quarantine", 0)
    return removed


def verify(store: Store) -> Iterator[dict[str, str]]:
    """Read everything; gives each entry that was damaged, once it is quarantined."""

    def check(index: Index) -> list[tuple[str, str]]:
        index.check()
        return [(row.key, row.stage) for row in index.rows()]

    def read(entry: Entry, contents: Contents) -> None:
        for content in contents:
            exhaust(content)

    for key, stage in store.index.run(check):
        try:
            store.read(key, read)
        except Damaged as damage:
            yield {"key": key, "stage": stage, "reason": str(damage)}


def entries(store: Store, stage: str | None, unused_for: float | None) -> Iterator[dict[str, Any]]:
    """What `Cache.entries` gives."""
    before = None if unused_for is None else time.time() - unused_for
    for row in store.index.run(lambda index: list(index.rows(stage, before))):
        said = {"key": row.key, "stage": row.stage, "created": row.created}
        found = store.index.run(functools.partial(Index.find, key=row.key))
        with contextlib.suppress(Damaged):  # `verify` says that
            entry = parse(found[1] if found else b"")
            said |= entry._asdict() | {"files": [file._asdict() for file in entry.files]}
        yield said | {"used": row.used, "hits": row.hits, "bytes": row.size}


def info(store: Store) -> dict[str, Any]:
    """What `Cache.info` gives."""
    counters, found = store.index.run(lambda index: (index.counters(), index.stages()))
    sizes = {stage: (number, size) for stage, number, size in found}
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


def _sweep(store: Store, name: str, seconds: float) -> int:
    """Remove the files of a folder that were written so long ago; how many."""
    removed = 0
    for file in os.scandir(store.folder.path / name):
        if is_older(file, seconds):
            with contextlib.suppress(OSError):
                Path(file).unlink()
                removed += 1
    return removed


def _sweep_objects(store: Store, index: Index) -> int:
    """Remove objects older than an hour that no entry has: of killed jobs, or a lost index."""
    removed = 0
    for folder in os.scandir(store.folder.path / "objects"):
        for file in os.scandir(folder) if folder.is_dir() else ():
            if is_older(file, HOUR) and not index.needs(file.name):
                with index.transaction():  # a job may have stored it again: look once more
                    path = Path(file)
                    if time.time() - path.stat().st_mtime > HOUR and not index.needs(file.name):
                        path.unlink(missing_ok=True)
                        removed += 1
    return removed


def _sweep_locks(store: Store) -> int:
    """Remove the lock files that killed jobs left."""
    removed = 0
    for file in os.scandir(store.folder.path / "locks"):
        if is_older(file, HOUR):
            lock = file_locks.acquire(Path(file), timeout=0)
            if lock:
                file_locks.release(lock)
                removed += 1
    return removed


def is_older(file: os.DirEntry[str], seconds: float) -> bool:
    """Whether the file was written more than so many seconds ago (by a clock that may have
    been moved back since: then it is kept for now). False where it is gone."""
    try:
        return time.time() - file.stat().st_mtime > seconds
    except OSError:
        return False
