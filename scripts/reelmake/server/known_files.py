"""Which file an address of the server means. What it asks for is compared with what the catalog
and the stages name; no path is ever made of it."""

import os
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from reelmake.foundation import artifact_files
from reelmake.pages import film_files, film_page, playable


class File(NamedTuple):
    """type: its media type. inline: false: only to be saved."""

    path: Path
    type: str
    inline: bool


def artifact(db: Any, results: Path, video: str, wanted: str) -> File | None:
    """An artifact of a film; None for what is none, and for one that lies outside of the film's
    own folder, by a link.

    db: an open catalog. video, wanted: as the address has them. Raises sqlite3.Error.
    """
    row = film_page.find(db, video)
    if row is None:
        return None
    folder = results / row["video"]
    name = _name(db, row["id"], folder, wanted)
    if name is None or not _lies_in(folder / name, folder, results):
        return None
    suffix = PurePosixPath(name).suffix.lower()
    return File(folder / name, film_files.TYPES.get(suffix, _UNKNOWN), suffix in film_files.TYPES)


def source(db: Any, results: Path, video: str) -> File | None:
    """The film itself; None where it is not there."""
    row = film_page.find(db, video)
    if row is None:
        return None
    folder = results / row["video"]
    wanted = artifact_files.read_json(folder / "fingerprints" / "media.json")
    found = film_files.source(folder, wanted if isinstance(wanted, dict) else {})
    if found.path is None:
        return None
    if found.url is not None and not _lies_in(found.path, folder, results):
        return None
    media = artifact_files.read_json(folder / "media.json")
    player = playable.player(media if isinstance(media, dict) else {}, found.path.name)
    return File(found.path, player.type or _UNKNOWN, bool(player.type))


_UNKNOWN = "application/octet-stream"


def _name(db: Any, film: int, folder: Path, wanted: str) -> str | None:
    if wanted in {file.path for file in film_files.artifacts(folder)}:
        return wanted
    inner, _, name = wanted.partition("/")
    if inner == "keyframes":
        query = "SELECT 1 FROM keyframes WHERE film = ? AND file = ?"
        return wanted if db.execute(query, (film, name)).fetchone() else None
    if inner == "clips":
        query = "SELECT 1 FROM clips WHERE film = ? AND (file = ? OR subtitles = ?)"
        return wanted if db.execute(query, (film, name, name)).fetchone() else None
    return None


def _lies_in(path: Path, folder: Path, results: Path) -> bool:
    """Whether a file lies where it seems to, all links followed."""
    top, inner, real = (os.path.realpath(each) for each in (results, folder, path))
    return inner.startswith(top + os.sep) and real.startswith(inner + os.sep)
