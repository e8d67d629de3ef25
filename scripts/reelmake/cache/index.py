"""The artifact cache's index: one SQLite file, with the small payloads in it.

The only module of the cache that imports sqlite3. Knows nothing of what the payloads mean.
"""

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

FORMAT = 1  # of the tables and of what lies in them

_TABLES = """
PRAGMA auto_vacuum = INCREMENTAL;
CREATE TABLE entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    stage TEXT NOT NULL,
    created REAL NOT NULL,
    used REAL NOT NULL,
    hits INTEGER NOT NULL DEFAULT 0,
    size INTEGER NOT NULL
);
CREATE INDEX entries_by_use ON entries (used, size);
-- Apart, so that counting a hit doesn't write the payloads again.
CREATE TABLE contents (
    entry INTEGER PRIMARY KEY REFERENCES entries ON DELETE CASCADE,
    header BLOB NOT NULL,
    small BLOB NOT NULL
);
CREATE TABLE objects (
    name TEXT NOT NULL,
    entry INTEGER NOT NULL REFERENCES entries ON DELETE CASCADE,
    PRIMARY KEY (name, entry)
) WITHOUT ROWID;
CREATE INDEX objects_by_entry ON objects (entry);
CREATE TABLE counters (
    stage TEXT NOT NULL, name TEXT NOT NULL, value REAL NOT NULL, PRIMARY KEY (stage, name)
);
"""

_DAMAGE = {
    sqlite3.SQLITE_ERROR,  # a table or column that isn't there
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_CONSTRAINT,  # two of what there can be only one of
    sqlite3.SQLITE_MISMATCH,
}


class IndexDamaged(Exception):
    """The file is not an index of this format."""


Found = tuple[int, bytes, bytes]
"""An entry's id, its header, and its small payloads, one after the other."""


class Row(NamedTuple):
    """What the index counts of an entry: times in seconds since 1970; size: bytes on disk.
    Ids are never used again, keys are."""

    id: int
    key: str
    stage: str
    created: float
    used: float
    hits: int
    size: int


def is_damage(error: Exception) -> bool:
    """Whether the error says that the index has to be made anew (not: that it is locked,
    read-only or on a full disk)."""
    if isinstance(error, sqlite3.DatabaseError):
        return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in _DAMAGE
    return isinstance(error, IndexDamaged)


class Index:
    """An open index. Methods raise sqlite3.Error; `is_damage` tells what that means.

    path: an existing file. timeout: how long to wait for another process's lock, in seconds.
    """

    def __init__(self, path: Path, timeout: float):
        self._db = _connect(path, timeout)
        try:
            found = self._value("PRAGMA user_version")
            if found != FORMAT:
                raise IndexDamaged(f"it is of format {found}, not {FORMAT}")
        except Exception:
            self._db.close()
            raise

    @staticmethod
    def create(path: Path, temporary: Path) -> None:
        """Make an empty index and give it its name. No other process may do so at the time."""
        temporary.touch(mode=0o600)  # its -wal and -shm get the same mode
        db = _connect(temporary, timeout=0)
        try:
            db.executescript(_TABLES)
            db.execute("INSERT INTO counters VALUES ('', 'since', ?)", (time.time(),))
            db.execute(f"PRAGMA user_version = {FORMAT}")
            # The last, so that all lies in this one file when it is renamed.
            db.execute("PRAGMA journal_mode = WAL")
        finally:
            db.close()
        for suffix in ("-wal", "-shm"):  # of an index that was deleted: SQLite would replay it
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        os.replace(temporary, path)

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing of the block's changes; no other process changes anything meanwhile."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise

    def find(self, key: str) -> Found | None:
        """What there is of an entry."""
        found: Found | None = self._db.execute(
            "SELECT entry, header, small FROM entries JOIN contents ON entry = id WHERE key = ?",
            (key,),
        ).fetchone()
        return found

    def rows(self, stage: str | None = None, unused_since: float | None = None) -> Iterator[Row]:
        """Entries, the least recently used first.

        stage: only of this one. unused_since: only those last used before that time.
        """
        return self._rows(
            "(?1 IS NULL OR stage = ?1) AND (?2 IS NULL OR used < ?2) ORDER BY used",
            stage,
            unused_since,
        )

    def row(self, key: str) -> Row | None:
        """The entry of this key."""
        return next(self._rows("key = ?", key), None)

    def insert(
        self,
        key: str,
        stage: str,
        created: float,
        size: int,
        header: bytes,
        small: bytes,
        objects: Iterable[str],
    ) -> None:
        """Add an entry, just used; there is none of its key. objects: names of the large payloads.
        The others as `Row` and `Found` have them."""
        (used,) = self._stamps([time.time()])
        id = self._db.execute(
            "INSERT INTO entries (key, stage, created, used, size) VALUES (?, ?, ?, ?, ?)",
            (key, stage, created, used, size),
        ).lastrowid
        self._db.execute("INSERT INTO contents VALUES (?, ?, ?)", (id, header, small))
        self._db.executemany("INSERT INTO objects VALUES (?, ?)", [(name, id) for name in objects])

    def delete(self, id: int) -> list[str]:
        """Remove an entry; returns its objects, which others may need."""
        objects = self._db.execute("SELECT name FROM objects WHERE entry = ?", (id,)).fetchall()
        self._db.execute("DELETE FROM entries WHERE id = ?", (id,))
        return [name for (name,) in objects]

    def needs(self, name: str) -> bool:
        """Whether an entry has this object."""
        query = "SELECT EXISTS (SELECT 1 FROM objects WHERE name = ?)"
        return bool(self._value(query, name))

    def touch(self, uses: Mapping[str, tuple[int, float]]) -> None:
        """Say how often entries were used and when last: key -> (times, moment), in order."""
        stamps = self._stamps([moment for _, moment in uses.values()])
        self._db.executemany(
            "UPDATE entries SET hits = hits + ?, used = ? WHERE key = ?",
            [(use[0], stamp, key) for (key, use), stamp in zip(uses.items(), stamps, strict=True)],
        )

    def size(self) -> int:
        """Bytes on disk of all entries."""
        return int(self._value("SELECT coalesce(sum(size), 0) FROM entries"))

    def stages(self) -> list[tuple[str, int, int]]:
        """(stage, entries, bytes) each."""
        query = "SELECT stage, count(*), sum(size) FROM entries GROUP BY stage ORDER BY stage"
        return self._db.execute(query).fetchall()

    def count(self, stage: str, name: str, value: float) -> None:
        """Add to a counter."""
        self._db.execute(
            "INSERT INTO counters VALUES (?, ?, ?)"
            " ON CONFLICT (stage, name) DO UPDATE SET value = value + excluded.value",
            (stage, name, value),
        )

    def set_counter(self, name: str, value: float) -> None:
        """Set a counter that belongs to no stage."""
        self._db.execute("INSERT OR REPLACE INTO counters VALUES ('', ?, ?)", (name, value))

    def counters(self) -> dict[tuple[str, str], float]:
        """(stage, name) -> value."""
        found = self._db.execute("SELECT stage, name, value FROM counters")
        return {(stage, name): value for stage, name, value in found}

    def check(self) -> None:
        """Raise IndexDamaged where the file is not consistent. Reads all of it."""
        said = self._value("PRAGMA integrity_check(1)")
        if said != "ok":
            raise IndexDamaged(said)

    def shrink(self) -> None:
        """Give the space of removed entries back."""
        self._db.execute("PRAGMA incremental_vacuum").fetchall()

    def _rows(self, where: str, *values: Any) -> Iterator[Row]:
        query = "SELECT id, key, stage, created, used, hits, size FROM entries WHERE "
        return (Row(*row) for row in self._db.execute(query + where, values))

    def _value(self, query: str, *values: Any) -> Any:
        return self._db.execute(query, values).fetchone()[0]

    def _stamps(self, moments: Iterable[float]) -> list[float]:
        """Last uses that are later than all others, though the clock be moved back."""
        newest = self._value("SELECT max(used) FROM entries") or 0
        stamps = []
        for moment in moments:
            newest = max(moment, newest + 1e-4)
            stamps.append(newest)
        return stamps


def _connect(path: Path, timeout: float) -> sqlite3.Connection:
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",  # don't create
        uri=True,
        timeout=timeout,
        isolation_level=None,
        check_same_thread=False,  # the cache lets one thread at a time in
    )
    # A flipped bit in a text must be found by what checks it, not end in a decoding error.
    db.text_factory = lambda text: text.decode(errors="replace")
    # WAL with NORMAL: a commit is not flushed; a power cut may lose the last ones, no more.
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("PRAGMA foreign_keys = ON")
    # 16 MB instead of 2. Not mmap: a file that is cut off would kill the process.
    db.execute("PRAGMA cache_size = -16000")
    return db
