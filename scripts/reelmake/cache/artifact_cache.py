"""The artifact cache: what was computed once is never computed again.

It never fails a job: what is damaged is a miss, and a cache that can't be used is left out.
"""

import atexit
import contextlib
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from reelmake.cache import maintenance
from reelmake.cache.entry import Contents, Damaged, Entry
from reelmake.cache.folder import HOUR
from reelmake.cache.management import Management
from reelmake.cache.packing import NotKept, pack_all, write_all
from reelmake.cache.store import Store
from reelmake.cache.uses import Uses
from reelmake.foundation import file_locks

if TYPE_CHECKING:
    from reelmake.cache.remote_tier import SecondTier

T = TypeVar("T")


def _to_stderr(line: str) -> None:
    print(f"reelmake: {line}", file=sys.stderr, flush=True)


def _second_tier(url: str, store: Store, say: Callable[[str], None]) -> "SecondTier":
    from reelmake.cache.remote_tier import SecondTier  # which most do without

    return SecondTier(url, store, say)


class Cache(Management):
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
        self._second = _second_tier(shared, self._store, say) if shared else None
        self._off = False
        self._uses = Uses()
        atexit.register(self.close)

    def __contains__(self, key: str) -> bool:
        """Whether there is an entry, here or shared. Counts as no use and verifies nothing."""
        if self._off:
            return False
        try:
            here = self._store.run(lambda index: index.id(key)) is not None
            return here or (self._second is not None and self._second.has(key))
        except Exception as error:
            self._leave_out(error)
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
        folder = self._store.folder
        try:
            if not re.fullmatch("[0-9a-f]{64}", key):
                raise NotKept(f"'{key}' is not a key")
            self._flush()  # which also makes the folder
            with folder.temporaries() as temporary:
                packed = pack_all(files, self._store.size_limit, folder, temporary)
                payloads = tuple(each.payload for each in packed)
                made = (time.time(), seconds, content, dict(engines or {}))
                entry = Entry(key, stage, version, *made, payloads)
                small = b"".join(each.data for each in packed)
                self._store.run(lambda index: self._store.insert(index, entry, small, packed))
            if self._second:
                self._second.keep(entry, packed)
            if self._store.run(maintenance.is_due):
                self._run_upkeep(maintenance.prune)
            return True
        except NotKept as error:
            self.say(f"{stage}: not kept in the artifact cache: {error}")
        except Exception as error:
            self._leave_out(error)
        return False

    @contextlib.contextmanager
    def computing(
        self,
        key: str,
        timeout: float | None = None,
        waiting: Callable[[], None] = lambda: None,
    ) -> Iterator[bool]:
        """Run the block while no other job computes the same; look into the cache again in it.

        Gives whether that is so: after `timeout` seconds (default: lock_timeout), or without a
        usable cache, the block runs all the same. The lock of a job that died is free at once.
        waiting: called where it is not free at once.
        """
        lock = None
        if not self._off:
            try:
                self._store.folder.make()
                path = self._store.folder.lock(key)
                timeout = self.lock_timeout if timeout is None else timeout
                lock = file_locks.acquire(path, timeout=0)
                if lock is None and timeout:
                    waiting()
                    lock = file_locks.acquire(path, timeout)
                    if lock is None:
                        self.say(f"another job is computing {key[:12]} for long; doing so as well")
            except Exception as error:
                self._leave_out(error)
        try:
            yield lock is not None
        finally:
            if lock is not None:
                try:
                    file_locks.release(lock)
                except Exception as error:
                    self._leave_out(error)

    def close(self) -> None:
        """Write the statistics down and close the index; it is opened again when needed.

        Runs by itself when Python ends, but not before `os._exit`.
        """
        atexit.unregister(self.close)
        with contextlib.suppress(Exception):
            if not self._off:
                self._flush()
        with contextlib.suppress(Exception):
            self._store.close()
        if self._second:
            self._second.close()

    def _use(self, key: str, take: Callable[[Entry, Contents], T]) -> T | None:
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
                entry, taken = read
            if taken:
                self._uses.hit(entry)
            else:
                self._uses.miss()
            if self._uses.are_due():
                self._flush()
        except Exception as error:
            self._leave_out(error)
        return taken

    def _read(self, key: str, take: Callable[[Entry, Contents], T]) -> tuple[Entry, T] | None:
        """An entry of the store and what `take` makes of it; None where there is none."""
        found = self._store.find(key)
        if found is None:
            return None
        opened: list[BinaryIO] = []
        try:
            entry, contents = self._store.contents(key, found, opened)
            return None if self._store.is_expired(entry) else (entry, take(entry, contents))
        except Damaged as damage:
            self._store.quarantine(key, found, damage)
            return None
        finally:
            for file in opened:
                file.close()

    def _flush(self) -> None:
        """Write down what was used, and the counters."""
        self._store.run(self._uses.take())

    def _leave_out(self, error: Exception) -> None:
        """Say why the cache can't be used, and do without it from now on."""
        if not self._off:
            folder = self._store.folder.path
            self.say(f"the artifact cache in {folder} can't be used and is left out: {error}")
        self._off = True
