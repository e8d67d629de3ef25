"""The artifact cache's second tier: what machines share, and a local cache is filled from.

It never fails a job either: what is damaged is a miss, and what can't be reached is left out.
"""

import contextlib
from collections.abc import Callable, Sequence
from typing import BinaryIO

from reelmake.cache import leases, untrusted_entry
from reelmake.cache.entry import Damaged, Entry, Packed
from reelmake.cache.object_store import Missing, Objects, Unreachable, without_credentials
from reelmake.cache.packing import NotKept
from reelmake.cache.store import Store


class SecondTier:
    """The objects below a URL, beside the store of a local cache.

    url: as fsspec has them; a plain path is a folder. say: told what is wrong there; nothing of
    it is raised, and what can't be reached, or not be written, is not tried again. Each line
    begins with `the shared cache at` and the URL. What is wrong with the store is raised.
    """

    def __init__(self, url: str, store: Store, say: Callable[[str], None]):
        self.shown = without_credentials(url)
        self._objects, self._store, self._say = Objects(url), store, say
        self._off = self._read_only = False
        self._distrusted: set[str] = set()

    def has(self, key: str) -> bool:
        """Whether there is an object of the key. Nothing of it is read."""
        if self._off or key in self._distrusted:
            return False
        try:
            return self._objects.size(key) is not None
        except Unreachable as error:
            self._leave_out(error)
            return False

    def fetch(self, key: str) -> bool:
        """Put the entry of a key into the store once all of it is verified; False is a miss."""
        if self._off or key in self._distrusted:
            return False
        stage = ""
        with self._store.folder.temporaries() as new_file:
            try:
                with self._objects.opened(key) as file:
                    entry = untrusted_entry.read_entry(file, key)
                    stage = entry.stage
                    if self._store.is_expired(entry):
                        self.distrust(key)
                        return False
                    self._weigh(entry)
                    packed = untrusted_entry.read_payloads(file, entry, new_file)
            except Missing:
                return False
            except Unreachable as error:
                self._leave_out(error)
                return False
            except NotKept as reason:
                self.distrust(key)
                self._tell(f"has {stage} {key[:12]}, which is not taken: {reason}")
                return False
            except Damaged as damage:
                self.distrust(key)
                self._tell(f"has a damaged {stage or 'entry'} {key[:12]}: {damage}")
                self._store.index.run(lambda index: index.count(stage, "quarantined", 1))
                return False
            self._store.insert(entry, packed, "shared_hits")
        return True

    def keep(self, entry: Entry, packed: Sequence[Packed]) -> None:
        """Write an entry that was put into the store, unless there is one of its key and size."""
        if self._off or self._read_only:
            return
        wrong = untrusted_entry.problem(entry, entry.key)
        if wrong:
            self._tell(f"does not get {entry.stage} {entry.key[:12]}: {wrong}")
            return
        folder, header = self._store.folder, entry.header() + b"\n"
        size = len(header) + sum(file.stored for file in entry.files)
        try:
            if entry.key not in self._distrusted and self._objects.size(entry.key) == size:
                return
            with folder.temporaries() as new_file, contextlib.ExitStack() as opened:
                parts: list[bytes | BinaryIO] = [header]
                for each in packed:
                    name = each.payload.object
                    file = opened.enter_context(folder.object(name).open("rb")) if name else None
                    parts.append(file or each.data)
                self._objects.write(entry.key, size, parts, new_file())
        except FileNotFoundError:  # evicted at once: it is nearly all that fits
            return
        except (Missing, Unreachable) as error:
            self._leave_alone(error)
            return
        self._distrusted.discard(entry.key)
        self._store.index.run(lambda index: index.count(entry.stage, "shared_stores", 1))

    def lease(self, key: str, timeout: float, waiting: Callable[[], None]) -> leases.Lease | None:
        """The sole right to compute what a key stands for, among all who share the tier.

        None where nobody can have it, as where the tier is only read; or where another still has
        it after `timeout` seconds, which is said. waiting: as for `leases.acquire`.
        """
        if self._off or self._read_only:
            return None
        try:
            held = leases.acquire(self._objects, key, timeout, waiting)
        except (Missing, Unreachable) as error:
            self._leave_alone(error)
            return None
        if held is None:
            self._tell(f"has {key[:12]} computed by another for long; doing so as well")
        return held

    def distrust(self, key: str) -> None:
        """Take the key's object for none from now on, and let the next one replace it."""
        self._distrusted.add(key)

    def close(self) -> None:
        """Let the connection go; it is made again when needed."""
        self._objects.close()

    def _weigh(self, entry: Entry) -> None:
        """Raise NotKept where the entry is too much for the store."""
        size = sum(max(file.size, file.stored) for file in entry.files)
        limit = self._store.size_limit
        if size > limit:
            raise NotKept(f"its {size:,} bytes are more than the whole local cache's {limit:,.0f}")

    def _leave_alone(self, error: Exception) -> None:
        """Say why the tier can't be written, and only read from it from now on."""
        if isinstance(error, Unreachable) and error.silent:
            self._leave_out(error)
        else:
            self._read_only = True
            self._tell(f"can't be written and is only read from now on: {error}")

    def _leave_out(self, error: Exception) -> None:
        """Say why the tier can't be used, and do without it from now on."""
        if not self._off:
            self._tell(f"can't be used and is left out: {error}")
        self._off = True

    def _tell(self, what: str) -> None:
        self._say(f"the shared cache at {self.shown} {what}")
