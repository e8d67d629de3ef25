"""The artifact cache's store: index and folder kept in step. Here errors are raised."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, TypeVar

from reelmake.cache.entry import Contents, Damaged, Entry, Packed, Payload, parse, pieces, unpack
from reelmake.cache.folder import Folder
from reelmake.cache.index import Found, Index, New, Row, is_damage
from reelmake.foundation import file_locks

T = TypeVar("T")

KEEP = 0.9
"""Eviction ends when the cache is down to this share of its limit."""


class Store:
    """An index, opened when it is needed, with the files that belong to it.

    size_limit, ttl, stage_ttl, busy_timeout, say: as `Cache` has them. Methods raise OSError
    and what SQLite raises. Those that are given an index are operations for `run`.
    """

    def __init__(
        self,
        folder: Path,
        size_limit: float,
        ttl: float | None,
        stage_ttl: Mapping[str, float | None],
        busy_timeout: float,
        say: Callable[[str], None],
    ):
        self.folder = Folder(folder)
        self.size_limit, self.ttl, self.stage_ttl = size_limit, ttl, stage_ttl
        self.busy_timeout, self.say = busy_timeout, say
        self._lock = threading.RLock()
        self._index: Index | None = None
        self._inode: int | None = None  # of the index opened last
        self._pid = os.getpid()
        self._inherited: list[Index] = []
        self._remade = False

    def run(self, operation: Callable[[Index], T]) -> T:
        """What the operation gives; a damaged index is made again first, once a process.

        One thread is in here at a time.
        """
        with self._lock:
            try:
                return operation(self._opened())
            except Exception as error:
                if self._remade or not is_damage(error):
                    raise
                self._remade = True
                self._make_index(damage=error)
                return operation(self._opened())

    def find(self, key: str) -> Found | None:
        """What there is of an entry, as far as the index knows that is open: while others read
        one that was replaced, what they read is verified all the same."""
        with self._lock:
            if self._index and self._pid == os.getpid():
                try:
                    return self._index.find(key)
                except Exception as error:
                    if not is_damage(error):
                        raise
            return self.run(lambda index: index.find(key))

    def close(self) -> None:
        """Close the index; `run` opens it again."""
        with self._lock:
            if self._index and self._pid == os.getpid():
                self._index.close()
            self._index = None

    def contents(self, key: str, found: Found, opened: list[BinaryIO]) -> tuple[Entry, Contents]:
        """An entry and the contents of its files. Raises Damaged, here or when they are read.

        Its objects' files are added to the list; the caller closes them. All are open before
        the first is read: eviction takes their names away, not what is in them.
        """
        _, header, small = found
        entry, start = parse(header), 0
        if entry.key != key:
            raise Damaged("it is another key's")
        contents: Contents = []
        for payload in entry.files:
            if payload.object:
                opened.append(self._open(payload))
                contents.append(unpack(payload, pieces(opened[-1], payload)))
            else:
                end = start + payload.stored
                contents.append(unpack(payload, (small[start:end],)))
                start = end
        return entry, contents

    def insert(
        self,
        index: Index,
        entry: Entry,
        small: bytes,
        packed: Sequence[Packed],
        counter: str = "stores",
    ) -> None:
        """Add an entry, in place of an older one, and evict what that is too much."""
        names = [
            (self.folder.object(each.payload.object), each.temporary, each.payload.object)
            for each in packed
            if each.temporary
        ]
        try:
            # Names are given and taken in transactions only, so that no process removes an
            # object that another one is just about to refer to.
            with index.transaction():
                old = index.id(entry.key)
                unneeded = index.delete(old) if old is not None else []
                for path, temporary, _ in names:
                    self.folder.publish(temporary, path)
                index.insert(_new(entry, small))
                for name in unneeded:
                    if not index.needs(name):
                        self.folder.object(name).unlink(missing_ok=True)
                index.count(entry.stage, counter, 1)
                self.evict(index)
        except BaseException:
            # Take the names back: the disk may be full, or this is tried again.
            for path, temporary, digest in names:
                needed = False
                with contextlib.suppress(Exception):
                    needed = index.needs(digest)
                if not needed:
                    with contextlib.suppress(OSError):
                        os.replace(path, temporary)
            raise

    def drop(self, index: Index, row: Row, counter: str | None = None) -> None:
        """Remove an entry with its files, in a transaction."""
        for name in index.delete(row.id):
            self.folder.object(name).unlink(missing_ok=True)
        if counter:
            index.count(row.stage, counter, 1)

    def evict(self, index: Index) -> int:
        """Remove the least recently used where there is too much; in a transaction."""
        size = index.size()
        if size <= self.size_limit:
            return 0
        victims = []
        for row in index.rows():
            if size <= KEEP * self.size_limit:
                break
            victims.append(row)
            size -= row.size
        for row in victims:
            self.drop(index, row, "evictions")
        return len(victims)

    def is_expired(self, entry: Entry) -> bool:
        """Whether the entry is past its time to live."""
        ttl = self.stage_ttl.get(entry.stage, self.ttl)
        return ttl is not None and time.time() - entry.created > ttl

    def quarantine(self, key: str, found: Found, damage: Damaged) -> bool:
        """Move a damaged entry out of the way and say so; False where it was gone already:
        evicted, removed or replaced since it was found."""

        def move(index: Index) -> bool:
            with index.transaction():
                row = index.row(found[0])
                if row is None or row.key != key:
                    return False
                bad = damage.payload
                if bad and bad.object:
                    self.folder.quarantine(self.folder.object(bad.object))
                self.drop(index, row, "quarantined")
            self.say(f"the artifact cache's {row.stage} {key[:12]} is damaged: {damage}")
            return True

        return self.run(move)

    def _open(self, payload: Payload) -> BinaryIO:
        """The file of an object."""
        try:
            file = self.folder.object(payload.object).open("rb")
        except FileNotFoundError:
            raise Damaged(f"{payload.name} is missing") from None
        size = os.fstat(file.fileno()).st_size
        if size != payload.stored:
            file.close()
            problem = f"{payload.name} takes {size} bytes instead of {payload.stored}"
            raise Damaged(problem, payload)
        return file

    def _opened(self) -> Index:
        """The index that lies there now, opened by this process."""
        inode = self.folder.index_inode()
        if self._index:
            if self._inode == inode and self._pid == os.getpid():
                return self._index
            if self._pid == os.getpid():
                self._index.close()
            else:  # SQLite: a connection must be neither used nor closed on this side of a fork
                self._inherited.append(self._index)
            self._index = None
        self._pid = os.getpid()
        if inode is None:
            self._make_index(damage=None)
        self._inode = self.folder.index_inode()
        self._index = Index(self.folder.index, self.busy_timeout)
        return self._index

    def _make_index(self, damage: Exception | None) -> None:
        """Make an empty index, unless another process has just done so. What the lost one knew is
        computed again; the objects that it alone named go with the strays."""
        self.folder.make()
        lock = file_locks.acquire(self.folder.lock("index"), timeout=60)
        if lock is None:
            raise TimeoutError("another process has been making its index for a minute")
        try:
            inode = self.folder.index_inode()
            if inode is not None and (damage is None or inode != self._inode):
                return
            if damage:
                self.folder.quarantine_index()
            Index.create(self.folder.index, self.folder.temporary())
        finally:
            file_locks.release(lock)
        if damage:
            self.say(
                f"the index of the artifact cache in {self.folder.path} is damaged ({damage}) and "
                "was put aside; the cache starts afresh"
            )


def _new(entry: Entry, small: bytes) -> New:
    """An entry as the index takes it. small: its small payloads, one after the other."""
    header = entry.header()
    objects = [file.object for file in entry.files if file.object]
    size = len(header) + len(small) + sum(file.stored for file in entry.files if file.object)
    return New(entry.key, entry.stage, entry.created, size, header, small, objects)
