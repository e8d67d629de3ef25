"""The catalog as an open SQLite file. The only module of the catalog that imports sqlite3."""

import contextlib
import os
import sqlite3
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from reelmake.catalog import schema
from reelmake.catalog.film_rows import FilmRows
from reelmake.tables.columns import TABLES

BUSY = 60.0
"""Seconds that a writer waits for another one."""

Error = sqlite3.Error
Connection = sqlite3.Connection

_MOMENTS = (
    'INSERT INTO moments (film, kind, item, start, "end", text, spread, folded, language)'
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class State(NamedTuple):
    """What a film's files were like when it was read: of `manifest.json` size (bytes) and time,
    of the folder of job records the time (ns since 1970); 0 for what is not there."""

    manifest_size: int
    manifest_mtime_ns: int
    jobs_mtime_ns: int


class Damaged(Exception):
    """The file is no catalog of this version: it has to be made again."""


def connect(path: Path, timeout: float = BUSY) -> sqlite3.Connection:
    """An existing catalog, opened to be read. Raises sqlite3.Error.

    timeout: seconds to wait where another process has it locked, which is rare: who reads is not
    in the way of a run that writes, nor the other way round. A catalog that was rebuilt is another
    file under the same name: open it anew for each question, or now and then.
    """
    # SQLite has two files beside the catalog while it is open: where they can't be, as on a full
    # disk, and nobody writes, it does without.
    alone = not os.access(path.parent, os.W_OK) and not _log(path).exists()
    try:
        db = _open(path, "mode=ro&immutable=1" if alone else "mode=rw", timeout)
    except sqlite3.OperationalError as error:
        if not _lacks_room(error) or _is_logged(path):
            raise
        db = _open(path, "mode=ro&immutable=1", timeout)
    db.execute("PRAGMA query_only = ON")
    return db


def read_states(path: Path) -> dict[str, State]:
    """The state that each film was read in, by its id. Nothing is written, not even beside it.

    Raises sqlite3.Error, and Damaged where it is no catalog of this version.
    """
    how = "mode=ro" if _log(path).exists() else "mode=ro&immutable=1"
    try:
        db = _open(path, how, BUSY)
    except sqlite3.OperationalError as error:
        raise Damaged(f"it can't be opened: {error}") from None
    with contextlib.closing(db):
        _require_version(db)
        found = db.execute(
            "SELECT video, manifest_size, manifest_mtime_ns, jobs_mtime_ns FROM catalog_states"
        )
        return {video: State(*state) for video, *state in found}


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _is_logged(path: Path) -> bool:
    """Whether the log may hold what the catalog itself has not."""
    try:
        return _log(path).stat().st_size > 0
    except OSError:
        return False


def _lacks_room(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL)


def _open(path: Path, how: str, timeout: float) -> sqlite3.Connection:
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?{how}", uri=True, timeout=timeout, isolation_level=None
    )
    # A flipped bit in a text is no reason for an error.
    db.text_factory = lambda text: text.decode(errors="replace")
    try:
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA cache_size = -64000")  # which reads the schema
    except UnicodeDecodeError as error:  # SQLite's message quotes a schema with flipped bits
        db.close()
        raise sqlite3.DatabaseError("its schema is damaged") from error
    except BaseException:
        db.close()
        raise
    return db


def _require_version(db: sqlite3.Connection) -> None:
    (found,) = db.execute("PRAGMA user_version").fetchone()
    if found != schema.version():
        raise Damaged("it is of another version")


class Database:
    """A catalog that is written to. Its methods raise sqlite3.Error, and Damaged.

    path: an existing catalog.
    """

    def __init__(self, path: Path):
        self._db, self._new = _open(path, "mode=rw", BUSY), False
        try:
            # A commit is not flushed: a power cut may lose the last ones, no more.
            self._db.execute("PRAGMA synchronous = NORMAL")
            _require_version(self._db)
            # What the guesses were made from, as `voices.basis` has it; 0: not all were made. In
            # the file it is the `application_id`, and so in the transactions.
            self._basis: int = self._db.execute("PRAGMA application_id").fetchone()[0]
        except BaseException:
            self._db.close()
            raise

    @classmethod
    def create(cls, path: Path) -> "Database":
        """An empty catalog in a new file that nobody else knows yet. Nothing is flushed: it is
        whole when `finish` was called."""
        path.touch()
        db = _open(path, "mode=rw", 0)
        try:
            db.execute("PRAGMA journal_mode = OFF")
            db.execute("PRAGMA synchronous = OFF")
            db.execute("PRAGMA cache_size = -256000")
            db.executescript(schema.statements())
            db.execute(f"PRAGMA user_version = {schema.version()}")
        except BaseException:
            db.close()
            raise
        self = cls.__new__(cls)
        self._db, self._new, self._basis = db, True, 0
        return self

    def finish(self, wal: bool) -> None:
        """Fill the indexes, have statistics for the planner of queries, and close.

        wal: for readers beside a writer; not on a network file system.
        """
        for index in schema.INDEXES:  # all at once: all takes 40 % less time than film by film
            self._db.execute(f"INSERT INTO {index} ({index}) VALUES ('rebuild')")
        self._db.execute("PRAGMA analysis_limit = 1000")
        self._db.execute("ANALYZE")
        if wal:  # the last, so that all lies in this one file
            self._db.execute("PRAGMA journal_mode = WAL")
        self._db.close()

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing of the block's changes; no other process changes anything meanwhile."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.commit()
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise

    def commit(self) -> None:
        """End a transaction."""
        self._db.execute("COMMIT")

    def write(self, film: FilmRows, state: State) -> None:
        """Have the film as it is now, in a transaction of the caller's. Its number stays."""
        video = film.film[0]
        row = self._db.execute("SELECT id FROM films WHERE video = ?", (video,)).fetchone()
        if row:
            (id,) = row
            self._unindex(id)
            for table in ("moments", *schema.KEYS):
                self._db.execute(f"DELETE FROM {table} WHERE film = ?", (id,))
            names = [column.name for column in TABLES["videos"]][1:]
            given = ", ".join(f'"{name}" = ?' for name in names)
            self._db.execute(f"UPDATE films SET {given} WHERE id = ?", (*film.film[1:], id))
        else:
            marks = ", ".join("?" * (1 + len(film.film)))
            added = self._db.execute(f"INSERT INTO films VALUES ({marks})", (None, *film.film))
            id = added.lastrowid
        for table, rows in film.tables.items():
            self._db.executemany(schema.insertion(table), ([id, *values] for values in rows))
        self._db.executemany(_MOMENTS, ([id, *values] for values in film.moments))
        if not self._new:
            for index in schema.INDEXES:
                self._db.execute(
                    f"INSERT INTO {index} (rowid, text) SELECT id, text FROM {index}_text"
                    " WHERE id IN (SELECT id FROM moments WHERE film = ?)",
                    (id,),
                )
        self._db.execute(
            "INSERT OR REPLACE INTO catalog_states VALUES (?, ?, ?, ?, ?)", (id, video, *state)
        )

    def begin_guesses(self) -> None:
        """Have whoever opens the file after a kill know, in a transaction of the caller's, that
        guesses are to be made."""
        self._db.execute("PRAGMA application_id = 0")

    def guess_speakers(self, match: float, films: Collection[str] = ()) -> None:
        """Have voices without a name that of one like it, as `voices.update` does, in a transaction
        of the caller's.

        films: the ids of those that were written since the file was opened.
        """
        from reelmake.catalog import voices  # numpy comes with it

        basis = voices.basis(self._db, match)
        voices.update(self._db, match, films if basis == self._basis else None)
        self._db.execute(f"PRAGMA application_id = {basis}")

    def remove(self, video: str) -> None:
        """Forget a film, in a transaction of the caller's."""
        for (id,) in self._db.execute("SELECT id FROM films WHERE video = ?", (video,)).fetchall():
            self._unindex(id)
            self._db.execute("DELETE FROM films WHERE id = ?", (id,))

    def _unindex(self, id: int) -> None:
        """Take a film's moments out of the indexes, for which they have to be there still."""
        for index in schema.INDEXES:
            self._db.execute(
                f"DELETE FROM {index} WHERE rowid IN (SELECT id FROM moments WHERE film = ?)", (id,)
            )


def drop_log(path: Path) -> None:
    """Remove the log of the catalog at `path`, before another file takes its name: SQLite would
    replay it into that one. What it holds is put into the old catalog first, if that is whole: a
    kill in between leaves it so."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(_open(path, "mode=rw", 0)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    for beside in (_log(path), path.with_name(f"{path.name}-shm")):
        beside.unlink(missing_ok=True)


def counts(path: Path) -> dict[str, int]:
    """How many rows each table of a catalog has. Raises sqlite3.Error."""
    with contextlib.closing(connect(path)) as db:
        tables = (schema.FILMS, *schema.KEYS, "moments")
        return {
            table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables
        }


def is_damage(error: Exception) -> bool:
    """Whether the error says that the catalog has to be made again (not: that it is locked,
    read-only or on a full disk)."""
    if isinstance(error, sqlite3.DatabaseError):
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        return code in (
            sqlite3.SQLITE_ERROR,  # a table or column that isn't there
            sqlite3.SQLITE_CORRUPT,
            sqlite3.SQLITE_NOTADB,
            sqlite3.SQLITE_CONSTRAINT,
            sqlite3.SQLITE_MISMATCH,
        )
    return isinstance(error, Damaged)
