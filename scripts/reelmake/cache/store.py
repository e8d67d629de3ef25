"""The artifact cache's store: index and files kept in step. Here errors are raised."""

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, TypeVar

from reelmake.cache.entry import Contents, Damaged, Entry, Packed, Payload, parse, pieces, unpack
from reelmake.cache.folder import Folder
from reelmake.cache.index import Found, Index, Row
from reelmake.cache.open_index import OpenIndex

T = TypeVar("T")

KEEP = 0.9
"""Eviction ends when the cache is down to this share of its limit."""


class Store:
    """An index with the files that belong to it.

    size_limit, ttl, stage_ttl, busy_timeout, say: as `Cache` has them. Methods raise OSError
    and what SQLite raises. Those that are given an index are operations for `OpenIndex.run`.
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
        self.index = OpenIndex(self.folder, busy_timeout, say)
        self.size_limit, self._ttl, self._stage_ttl, self._say = size_limit, ttl, stage_ttl, say

    def read(self, key: str, take: Callable[[Entry, Contents], T]) -> tuple[Entry, T] | None:
        """An entry and what `take` makes of it and its contents, which it has to read to their
        end; None where there is none, or none any more.

        Raises Damaged, with the entry quarantined, where it is not what was stored.
        """
        found = self.index.run(lambda index: index.find(key), reading=True)
        if found is None:
            return None
        opened: list[BinaryIO] = []
        try:
            entry, contents = self._open(key, found, opened)
            return None if self.is_expired(entry) else (entry, take(entry, contents))
        except Damaged as error:
            damage = error
        finally:
            for file in opened:
                file.close()
        if self.index.run(lambda index: self._quarantine(index, key, found, damage)):
            raise damage
        return None

    def insert(self, entry: Entry, packed: Sequence[Packed], counter: str) -> None:
        """Add an entry, in place of an older one, and evict what that is too much.

        counter: the one that counts it.
        """
        header, small = entry.header(), b"".join(each.data for each in packed)
        large = {each.payload.object: each.temporary for each in packed if each.temporary}
        size = len(header) + len(small)
        size += sum(each.payload.stored for each in packed if each.temporary)

        def write(index: Index) -> None:
            # Names are given and taken in transactions only, so that no process removes an
            # object that another one is just about to refer to.
            with index.transaction():
                old = index.row(entry.key)
                replaced = index.delete(old.id) if old else []
                facts = (entry.key, entry.stage, entry.created, size)
                index.insert(*facts, header, small, large)
                index.count(entry.stage, counter, 1)
                for digest, temporary in large.items():
                    path = self.folder.object(digest)
                    path.parent.mkdir(mode=0o700, exist_ok=True)
                    os.replace(temporary, path)  # flushed before; what small ones lose is a miss
                self._remove_unneeded(index, replaced)
                self.evict(index)

        def take_back(index: Index) -> None:
            with index.transaction():
                self._remove_unneeded(index, large)

        try:
            self.index.run(write)
        except BaseException:  # the disk may be full
            with contextlib.suppress(Exception):
                self.index.run(take_back)
            raise

    def drop(self, index: Index, row: Row, counter: str | None = None) -> None:
        """Remove an entry with its files, in a transaction."""
        self._remove_unneeded(index, index.delete(row.id))
        if counter:
            index.count(row.stage, counter, 1)

    def evict(self, index: Index) -> int:
        """Remove the least recently used where there is too much, in a transaction; how many."""
        size = index.size()
        victims: list[Row] = []
        if size > self.size_limit:
            for row in index.rows():
                if size <= KEEP * self.size_limit:
                    break
                victims.append(row)
                size -= row.size
        for row in victims:
            self.drop(index, row, "evictions")
        return len(victims)

    def is_expired(self, entry: Entry | Row) -> bool:
        """Whether the entry is past its time to live."""
        ttl = self._stage_ttl.get(entry.stage, self._ttl)
        return ttl is not None and time.time() - entry.created > ttl

    def _open(self, key: str, found: Found, opened: list[BinaryIO]) -> tuple[Entry, Contents]:
        """An entry and its contents. Raises Damaged.

        The files of its objects are added to `opened`. All are open before the first is read:
        eviction takes their names, not what is in them.
        """
        _, header, small = found
        entry, start = parse(header), 0
        if entry.key != key:
            raise Damaged("it is another key's")
        contents: Contents = []
        for payload in entry.files:
            if payload.object:
                opened.append(self._open_object(payload))
                contents.append(unpack(payload, pieces(opened[-1], payload)))
            else:
                end = start + payload.stored
                contents.append(unpack(payload, (small[start:end],)))
                start = end
        return entry, contents

    def _open_object(self, payload: Payload) -> BinaryIO:
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

    def _quarantine(self, index: Index, key: str, found: Found, damage: Damaged) -> bool:
        """Move what is damaged out of the way and say so; False where the entry was gone
        already: evicted, removed or replaced since it was found."""
        with index.transaction():
            row = index.row(key)
            if row is None or row.id != found[0]:
                return False
            if damage.payload and damage.payload.object:
                self.folder.quarantine(self.folder.object(damage.payload.object))
            self.drop(index, row, "quarantined")
        self._say(f"the artifact cache's {row.stage} {key[:12]} is damaged: {damage}")
        return True

    def _remove_unneeded(self, index: Index, objects: Iterable[str]) -> None:
        """Remove those of the objects that no entry has."""
        for name in objects:
            if not index.needs(name):
                self.folder.object(name).unlink(missing_ok=True)
