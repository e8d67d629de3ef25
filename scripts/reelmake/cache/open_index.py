"""The artifact cache's index as an open file: opened when needed, begun anew if damaged."""

import os
import threading
from collections.abc import Callable
from typing import TypeVar

from reelmake.cache.folder import Folder
from reelmake.cache.index import Index, is_damage
from reelmake.foundation import file_locks, file_systems

T = TypeVar("T")


class OpenIndex:
    """The index in a folder, for the threads and forks of a process.

    busy_timeout: seconds that anything waits for another process's lock. say: called with a line
    where the index is damaged.
    """

    def __init__(self, folder: Folder, busy_timeout: float, say: Callable[[str], None]):
        self._folder, self._busy_timeout, self._say = folder, busy_timeout, say
        self._lock = threading.RLock()
        # By process. SQLite: a connection must be neither used nor closed beyond a fork.
        self._indexes: dict[int, Index] = {}
        self._inode: int | None = None  # of the index opened last
        self._begun_anew = False

    def run(self, operation: Callable[[Index], T], reading: bool = False) -> T:
        """What the operation gives; in place of a damaged index, an empty one, once a process.

        One thread is in here at a time. reading: an index that another process has replaced in
        the meantime will do. Raises OSError and what SQLite raises.
        """
        with self._lock:
            try:
                return operation(self._opened(reading))
            except Exception as error:
                if self._begun_anew or not is_damage(error):
                    raise
                self._begun_anew = True
                self._make(damage=error)
                return operation(self._opened())

    def close(self) -> None:
        """Close the index; `run` opens it again."""
        with self._lock:
            index = self._indexes.pop(os.getpid(), None)
            if index:
                index.close()

    def _opened(self, reading: bool = False) -> Index:
        """The index that lies there now, opened by this process."""
        index = self._indexes.get(os.getpid())
        if index and (reading or self._inode == self._folder.index_inode()):
            return index
        self.close()
        if index is None and (kind := file_systems.network(self._folder.path)):
            raise OSError(
                f"it is on a network file system ({kind}), which damages SQLite's index sooner or "
                "later: set cache.dir to a local disk, and cache.shared to what machines share"
            )
        if self._folder.index_inode() is None:
            self._make(damage=None)
        self._inode = self._folder.index_inode()
        index = self._indexes[os.getpid()] = Index(self._folder.index, self._busy_timeout)
        return index

    def _make(self, damage: Exception | None) -> None:
        """Make an empty index, unless another process has just done so."""
        self._folder.make()
        lock = file_locks.acquire(self._folder.lock("index"), timeout=60)
        if lock is None:
            raise TimeoutError("another process has been making its index for a minute")
        try:
            inode = self._folder.index_inode()
            if inode is not None and (damage is None or inode != self._inode):
                return
            if damage:
                # The log first: left beside another index, SQLite would replay it into that one.
                for suffix in ("-wal", "-shm", ""):
                    path = self._folder.index
                    self._folder.quarantine(path.with_name(path.name + suffix))
            with self._folder.temporaries() as new_file:
                Index.create(self._folder.index, new_file())
        finally:
            file_locks.release(lock)
        if damage:
            self._say(
                f"the index of the artifact cache in {self._folder.path} is damaged ({damage}): "
                "the cache begins anew, empty"
            )
