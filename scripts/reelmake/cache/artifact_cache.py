"""The artifact cache: what was computed once is never computed again.

It never fails a job: what is damaged is a miss, and a cache that can't be used is left out.
"""

import contextlib
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from reelmake.cache import maintenance
from reelmake.cache.entry import Contents, Damaged, Entry
from reelmake.cache.maintenance import HOUR
from reelmake.cache.packing import NotKept, pack_all, write_all
from reelmake.cache.store import Store
from reelmake.cache.uses import Uses
from reelmake.foundation import file_locks
from reelmake.foundation.errors import UserError

if TYPE_CHECKING:
    from reelmake.cache.leases import Lease
    from reelmake.cache.remote_tier import SecondTier

T = TypeVar("T")


def _to_stderr(line: str) -> None:
    print(f"reelmake: {line}", file=sys.stderr, flush=True)


class Cache:
    """The cache in one folder of a local disk. Processes and threads may share it.

    folder: made where it is missing. size_limit: bytes on disk; past it the least recently
    used entries go. ttl: seconds after which an entry is not used any more (None: never);
    stage_ttl: the same for some stages. lock_timeout: seconds that `computing` waits for
    another job; busy_timeout: that anything waits for the index. say: called with each line
    that a person should read. shared: a folder or any fsspec URL, where machines share entries:
    what is missing here is fetched from there, and what is put is written there too.

    `get`, `restore`, `put`, `computing`, `close` and `in` never raise: the first problem with
    the cache itself is said, and from then on this object does nothing; with the first that
    concerns only the shared one, it does without that. What people ask for (`info`, `entries`,
    `verify`, `remove`, `prune`) is about the local one, and raises UserError instead.
    """

    def __init__(
        self,
        folder: Path,
        size_limit: float = 10e9,
        ttl: float | None = None,
        stage_ttl: Mapping[str, float | None] | None = None,
        lock_timeout: float = HOUR,
        busy_timeout: float = 10,
        say: Callable[[str], None] = _to_stderr,
        shared: str | None = None,
    ):
        self.lock_timeout, self.say = lock_timeout, say
        self._store = Store(folder, size_limit, ttl, stage_ttl or {}, busy_timeout, say)
        self._uses = Uses(self._store.index)
        self._second: SecondTier | None = None
        self._off = False
        if shared:
            from reelmake.cache import remote_tier  # which most do without

            self._second = remote_tier.SecondTier(shared, self._store, say)

    def __contains__(self, key: str) -> bool:
        """Whether there is an entry, here or shared. Counts as no use and verifies nothing."""
        if not self._off:
            with self._leaving_out():
                here = self._store.index.run(lambda index: index.row(key)) is not None
                return here or (self._second is not None and self._second.has(key))
        return False

    def get(self, key: str) -> dict[str, bytes] | None:
        """Name -> content of each file, verified; None is a miss."""

        def read(entry: Entry, contents: Contents) -> dict[str, bytes]:
            files = zip(entry.files, contents, strict=True)
            return {file.name: b"".join(content) for file, content in files}

        return self._use(key, read)

    def restore(
        self,
        key: str,
        results: Path,
        video: str,
        check: Callable[[str, Path], None] = lambda name, path: None,
        durable: bool = True,
    ) -> Entry | None:
        """Write an entry's files to the video's `results` folder; None is a miss.

        All of them are verified before the first takes its name. check: called with the name of
        each and the temporary file, which it may change, or folder; a ValueError means that it is
        damaged. Who shares a cache has to refuse names that are not the stage's.
        durable: flush each to the disk; who restores thousands does without and ends with
        `os.sync()`.
        """

        def write(entry: Entry, contents: Contents) -> Entry | None:
            try:
                write_all(entry, contents, results, video, check, durable)
            except OSError as error:  # of the results: the cache's own are Damaged
                self.say(f"{video}: {entry.stage}: can't be restored from the cache: {error}")
                return None
            return entry

        return self._use(key, write)

    def put(
        self,
        key: str,
        stage: str,
        version: int,
        files: Mapping[str, Path],
        seconds: float,
        content: str = "",
        engines: Mapping[str, str] | None = None,
    ) -> bool:
        """Keep what was computed; False where it is not kept.

        files: where each of the stage's artifacts lies, by its name in the table of stages:
        a path below `results/V/` with `{video}` for the id; `folder/` means all files in it.
        seconds, content, engines: as `Entry` has them.
        """
        if self._off:
            return False
        store = self._store
        with self._leaving_out():
            try:
                if not re.fullmatch("[0-9a-f]{64}", key):
                    raise NotKept(f"'{key}' is not a key")
                self._uses.write()
                prune = maintenance.is_due(store)  # which also makes the folder
                with store.folder.temporaries() as new_file:
                    packed = pack_all(files, store.size_limit, new_file)
                    payloads = tuple(each.payload for each in packed)
                    made = (time.time(), seconds, content, dict(engines or {}))
                    entry = Entry(key, stage, version, *made, payloads)
                    store.insert(entry, packed, "stores")
                if self._second:
                    self._second.keep(entry, packed)
                if prune:
                    maintenance.prune(store)
                return True
            except NotKept as error:
                self.say(f"{stage}: not kept in the artifact cache: {error}")
        return False

    @contextlib.contextmanager
    def computing(
        self,
        key: str,
        timeout: float | None = None,
        waiting: Callable[[], None] = lambda: None,
    ) -> Iterator[bool]:
        """Run the block while no other job computes the same, on this machine or on those that
        share the second tier; look into the cache again in it.

        Gives whether that is so: after `timeout` seconds (default: lock_timeout), or without a
        usable cache, the block runs all the same. The lock of a job that died is free at once.
        waiting: called where it is not free at once.
        """
        lock: IO[str] | None = None
        lease: Lease | None = None
        if not self._off:
            with self._leaving_out():
                self._store.folder.make()
                path = self._store.folder.lock(key)
                timeout = self.lock_timeout if timeout is None else timeout
                lock = file_locks.acquire(path, timeout=0)
                if lock is None and timeout:
                    waiting()
                    lock = file_locks.acquire(path, timeout)
                    if lock is None:
                        self.say(f"another job is computing {key[:12]} for long; doing so as well")
        if lock is not None and self._second and key not in self:
            lease = self._second.lease(key, timeout or 0, waiting)
        try:
            yield lock is not None
        finally:
            if lease is not None:
                lease.release()
            if lock is not None:
                with self._leaving_out():
                    file_locks.release(lock)

    def close(self) -> None:
        """Write the statistics down and close the index; it is opened again when needed."""
        with contextlib.suppress(Exception):
            if not self._off:
                self._uses.write()
        with contextlib.suppress(Exception):
            self._store.index.close()
        if self._second:
            self._second.close()

    def info(self) -> dict[str, Any]:
        """folder, shared (the URL without credentials, or None), entries, bytes, size_limit,
        since (seconds since 1970), hits, shared_hits (fetched from the shared cache), misses,
        stores, shared_stores, evictions, expired, quarantined, seconds_saved; and under `stages`
        each stage's entries, bytes and counters, without misses: nobody knows of which stage a
        missing key is."""
        shown = self._second.shown if self._second else None
        return self._manage(maintenance.info) | {"shared": shown}

    def entries(
        self, stage: str | None = None, unused_for: float | None = None
    ) -> list[dict[str, Any]]:
        """Each local entry that meets both conditions, the least recently used first: key, stage,
        version, created, used, hits, seconds, content, engines, bytes (on disk) and files (name,
        size, sha256, encoding, stored bytes, object).

        unused_for: seconds since its last use.
        """
        return self._manage(lambda store: list(maintenance.entries(store, stage, unused_for)))

    def remove(self, keys: Iterable[str] | None = None) -> int:
        """Remove the local entries of these keys; by default all, and what is quarantined.
        How many. What is shared stays."""
        return self._manage(lambda store: maintenance.remove(store, keys))

    def prune(self) -> dict[str, int]:
        """Remove what is too old, too much, or nobody's, but nothing shared; how many entries
        `expired` and were `evicted`, and how many `strays` there were. `put` does it hourly."""
        return self._manage(maintenance.prune)

    def verify(self) -> list[dict[str, str]]:
        """Read all local entries and quarantine the damaged; key, stage and reason of each."""
        return self._manage(lambda store: list(maintenance.verify(store)))

    def _use(self, key: str, take: Callable[[Entry, Contents], T | None]) -> T | None:
        """What `take` makes of an entry, which it has to read to its end; None is a miss."""
        if self._off:
            return None
        taken = None
        try:
            read = self._read(key, take)
            if read is None and self._second and self._second.fetch(key):
                read = self._read(key, take)
                if read is None:
                    self._second.distrust(key)
            if read:
                taken = read[1]
            self._uses.note(key, read[0] if read and taken else None)
        except Exception as error:  # (a context manager would cost a twentieth of a small read)
            self._leave_out(error)
        return taken

    def _read(self, key: str, take: Callable[[Entry, Contents], T]) -> tuple[Entry, T] | None:
        """What the store has; None also where that is damaged, which it has said."""
        try:
            return self._store.read(key, take)
        except Damaged:
            return None

    def _manage(self, operation: Callable[[Store], T]) -> T:
        """What the operation gives, with all that was counted written down before."""
        try:
            self._uses.write()
            return operation(self._store)
        except Exception as error:
            folder = self._store.folder.path
            raise UserError(f"the artifact cache in {folder} can't be used: {error}") from error

    @contextlib.contextmanager
    def _leaving_out(self) -> Iterator[None]:
        """An error in the block is said, and the cache is done without from then on."""
        try:
            yield
        except Exception as error:
            self._leave_out(error)

    def _leave_out(self, error: Exception) -> None:
        if not self._off:
            folder = self._store.folder.path
            self.say(f"the artifact cache in {folder} can't be used and is left out: {error}")
        self._off = True
