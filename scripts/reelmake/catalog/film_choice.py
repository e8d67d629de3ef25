"""Which films of the catalog are meant: by id, title, name of the file, or age."""

import datetime
from pathlib import PurePath
from typing import NamedTuple

from reelmake.catalog.database import Connection
from reelmake.catalog.text_matches import plain
from reelmake.foundation import units, urls
from reelmake.foundation.errors import UserError
from reelmake.foundation.text import did_you_mean, some


class Film(NamedTuple):
    """number: its id in the tables. source: its path, or its URL without secrets."""

    number: int
    video: str
    title: str
    source: str | None


def named(db: Connection, name: str) -> list[Film]:
    """The film with that id, or those whose title or file name has it; case and diacritics don't
    matter. Raises UserError where there is none."""
    films = [Film(*row) for row in db.execute("SELECT id, video, title, source FROM films")]
    exact = [film for film in films if film.video == name]
    if exact:
        return exact
    part = plain(name).text.strip()
    found = [film for film in films if any(part in text for text in _names(film))] if part else []
    if not found:
        hint = did_you_mean(name, [text for film in films for text in (film.video, film.title)])
        raise UserError(f"no film of the catalog is called '{name}'{hint}")
    return found


def one(db: Connection, name: str) -> Film:
    """The one film that is meant. Raises UserError where it is none or several."""
    found = named(db, name)
    if len(found) > 1:
        ids = some([film.video for film in found])
        raise UserError(f"'{name}' is a part of {len(found):,} films' names ({ids}): give the id")
    return found[0]


def since(db: Connection, time: datetime.datetime) -> list[int]:
    """The numbers of the films that are not older: by when their own file was changed, or, of one
    from the web, by when its results were made."""
    text = time.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    rows = db.execute("SELECT id FROM films WHERE coalesce(modified, finished) >= ?", (text,))
    return [number for (number,) in rows]


def parse_since(text: str) -> datetime.datetime:
    """The time that "2026-01-31", "2026-01-31T12:00" (both local), "30d" or "12h" means.

    Raises UserError.
    """
    now = datetime.datetime.now(datetime.UTC)
    try:
        return datetime.datetime.fromisoformat(text.strip()).astimezone()
    except (ValueError, OverflowError, OSError):
        pass
    try:
        return now - datetime.timedelta(seconds=units.seconds(text))
    except OverflowError:
        return datetime.datetime.min.replace(tzinfo=datetime.UTC)
    except UserError:
        raise UserError(
            f"--since {text}: give a date such as 2026-01-31, or an age such as 30d or 12h"
        ) from None


def _names(film: Film) -> list[str]:
    source = film.source or ""
    file = urls.name(source) if urls.is_url(source) else PurePath(source).name
    return [plain(name).text for name in (film.video, film.title or "", file)]
