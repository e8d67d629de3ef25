"""`results/pages/`: pages that a browser opens from the disk, written where something changed."""

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from reelmake.catalog import database, updating
from reelmake.foundation import artifact_files, file_locks
from reelmake.foundation.errors import UserError
from reelmake.pages import film_page, library_data, rendering
from reelmake.pages.links import Links

FOLDER = "pages"
STATES = ".written.json"
"""In that folder: which films have a page, and as what the catalog had read each then."""
PATIENCE = 600.0
"""Seconds to wait for another process that writes the pages."""
SAVED = 500
"""Pages after which it is written down that they are there: a kill costs no more."""

_GUESSES = """
SELECT video, speaker, name FROM speakers JOIN films ON films.id = speakers.film
WHERE guessed ORDER BY speaker
"""

Told = Callable[[int, int], None]
States = dict[str, list[Any]]


class Report(NamedTuple):
    """films: that have a page. written, removed: pages, by this call."""

    films: int
    written: int
    removed: int


def write(results: Path, everything: bool = False, tell: Told | None = None) -> Report:
    """Have a page for each film of the catalog, and one of all.

    Films whose manifest or job records changed since are written again, and those in which other
    people are guessed to speak; those that are gone lose their page. everything: write all of them
    again. tell: called with how many films are written, and of how many. A kill at any moment
    leaves each page old or new, and the next call goes on. Raises sqlite3.Error where the catalog
    can't be read, UserError where another process has been writing them for long, OSError.
    """
    folder = results / FOLDER
    folder.mkdir(exist_ok=True)
    lock = file_locks.acquire((folder / ".lock").absolute(), PATIENCE)
    if lock is None:
        raise UserError(f"{folder}: another process is writing it; try again when it ends")
    try:
        return _write(results, folder, everything, tell)
    finally:
        file_locks.release(lock)


def _write(results: Path, folder: Path, everything: bool, tell: Told | None) -> Report:
    path = results / updating.NAME
    states = database.read_states(path)
    _write_assets(folder)
    with contextlib.closing(database.connect(path)) as db:
        return _write_pages(results, folder, db, states, everything, tell)


def _write_pages(
    results: Path,
    folder: Path,
    db: Any,
    states: Mapping[str, database.State],
    everything: bool,
    tell: Told | None,
) -> Report:
    wanted: States = {video: list(state) for video, state in states.items()}
    for video, *guess in db.execute(_GUESSES):  # which follow from the names in other films
        wanted.get(video, []).extend(guess)
    known = {} if everything else _read_states(folder)
    gone = _gone(folder, wanted)
    for video in gone:
        shutil.rmtree(folder / "film" / video, ignore_errors=True)
        known.pop(video, None)
    changed = [
        video
        for video, state in wanted.items()
        if known.get(video) != state or not _page(folder, video).exists()
    ]
    for done, video in enumerate(changed, 1):
        _write_film(db, results, video)
        known[video] = wanted[video]
        if done % SAVED == 0:
            _save_states(folder, known)
        if tell:
            tell(done, len(changed))
    library = folder / "index.html"
    if changed or gone or not library.exists():
        artifact_files.write_bytes(
            folder / "films.js", library_data.script(library_data.rows(db)), durable=False
        )
        _write_text(library, rendering.render("library.html", links=Links(False, "")))
    _save_states(folder, known)
    return Report(len(wanted), len(changed), len(gone))


def _write_film(db: Any, results: Path, video: str) -> None:
    row = film_page.find(db, video)
    if row is None:  # it went while the pages were written: the next call sees to it
        return
    path = _page(results / FOLDER, video)
    links = Links(False, "../../", path.parent.absolute())
    _write_text(path, film_page.page(film_page.read(db, results, row), links))


def _page(folder: Path, video: str) -> Path:
    return folder / "film" / video / "index.html"


def _write_assets(folder: Path) -> None:
    for asset in rendering.ASSETS.iterdir():
        content, path = asset.read_bytes(), folder / "assets" / asset.name
        try:
            same = path.read_bytes() == content
        except OSError:
            same = False
        if not same:
            artifact_files.write_bytes(path, content, durable=False)


def _write_text(path: Path, text: str) -> None:
    artifact_files.write_bytes(path, text.encode(errors="replace"), durable=False)


def _gone(folder: Path, wanted: Mapping[str, Any]) -> list[str]:
    try:
        return sorted(set(os.listdir(folder / "film")) - set(wanted))
    except FileNotFoundError:
        return []


def _read_states(folder: Path) -> States:
    found = artifact_files.read_json(folder / STATES)
    if not isinstance(found, dict) or found.get("version") != rendering.version():
        return {}
    films = found.get("films")
    return films if isinstance(films, dict) else {}


def _save_states(folder: Path, known: States) -> None:
    content = json.dumps({"version": rendering.version(), "films": known}).encode()
    artifact_files.write_bytes(folder / STATES, content, durable=False)
