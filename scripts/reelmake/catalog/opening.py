"""A library's catalog, opened to answer questions of people."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from reelmake.catalog import database, schema
from reelmake.catalog.database import Connection
from reelmake.foundation.errors import UserError

PATIENCE = 10.0
"""Seconds to wait for a process that has it locked."""


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Connection]:
    """The catalog, to be read: as it is at the beginning of the block, whoever writes meanwhile.
    Raises UserError where it is missing, of another version, or can't be read, in the block, too.
    """
    if not path.is_file():
        raise UserError(
            f"{path}: there is no catalog yet; `reel catalog` makes one of what is on disk, and so "
            "does `snakemake catalog`"
        )
    try:
        with contextlib.closing(database.connect(path, PATIENCE)) as db:
            db.execute("BEGIN")
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version != schema.version():
                raise UserError(
                    f"{path} is of another version of reelmake; `reel catalog` makes it anew"
                )
            yield db
    except (database.Error, database.Damaged) as error:
        damaged = database.is_damage(error)
        hint = "`reel catalog --rebuild` makes it anew" if damaged else "try again"
        raise UserError(f"{path}: it can't be read: {error}; {hint}") from None
