"""Bringing the catalog up to date with what is on disk."""

import contextlib
import datetime
import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from reelmake.catalog import database, reading, schema, schema_docs, vector_index
from reelmake.catalog.database import Damaged, Database, Error, State, is_damage, read_states
from reelmake.foundation import artifact_files, file_locks, file_systems, text
from reelmake.foundation.errors import UserError, explain
from reelmake.library import config

NAME = "catalog.db"
MARKER = "catalog.json"
"""Beside it: the version of its schema, how many films it has, since when, and from which likeness
of two voices on they are guessed to be one person's. Snakemake takes it
for the output of the rule: what it removes before a job must not be the catalog itself."""

METADATA = "catalog.metadata.yaml"
"""Beside it, for Datasette."""

MANY = 100
"""Where more films than so many, and more than half, have changed, making the catalog anew takes
less time than changing it: 15 ms of CPU a film instead of 30."""
TOGETHER = 500
"""Films in one transaction of a new catalog, which nobody reads yet."""

NEWS = 10.0
"""Seconds from one line of progress to the next."""
MATCH: float = config.default("speakers.match")
"""The setting `speakers.match`, where nobody says another."""
PATIENCE = 600.0
"""Seconds to wait for another process that writes the catalog."""

Told = Callable[[int, int], None]


class Report(NamedTuple):
    """films: that the catalog has now. written, removed: by this update. rebuilt: why the catalog
    was made anew; empty where it was not."""

    films: int
    written: int
    removed: int
    rebuilt: str


def states(results: Path) -> dict[str, State]:
    """The state of each film below `results`, by id: of each folder with a manifest or records of
    jobs. Two looks a film: job records are renamed into their folder, which changes its time."""
    found = {}
    try:
        with os.scandir(results) as entries:
            names = sorted(entry.name for entry in entries if entry.name[0] != ".")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    for name in names:
        manifest, jobs = _stat(f"{results}/{name}/manifest.json"), _stat(f"{results}/{name}/jobs")
        if manifest is None and jobs is None:
            continue
        try:
            name.encode()
        except UnicodeEncodeError:  # nobody's id
            continue
        found[name] = State(
            manifest.st_size if manifest else 0,
            manifest.st_mtime_ns if manifest else 0,
            jobs.st_mtime_ns if jobs else 0,
        )
    return found


def is_current(results: Path, match: float | None = None) -> bool:
    """Whether the catalog says of every film what is on disk.

    match: as for `update`; None: whichever its guesses were made with.
    """
    marker = _marker(results)
    if marker.get("schema") != schema.version() or match not in (None, marker.get("match")):
        return False
    found = states(results)
    try:
        return read_states(results / NAME) == found and vector_index.is_current(results, found)
    except (Error, Damaged):  # which an update mends, or says
        return False


def update(
    results: Path,
    rebuild: bool = False,
    tell: Told | None = None,
    match: float = MATCH,
) -> Report:
    """Have the catalog say what is on disk: films that have changed are read again, those that
    are gone are removed. Where it is missing, damaged or of another version it is made anew.

    rebuild: make it anew in any case. tell: called with how many films are read, and of how many.
    match: how alike two voice prints are that may be one person's (the setting `speakers.match`).
    A kill at any moment leaves an older catalog or a newer one. Raises UserError where another
    process has been writing it for long or a folder has its name, OSError and sqlite3.Error where
    it can't be written.
    """
    results.mkdir(parents=True, exist_ok=True)
    for path in (results / NAME, results / MARKER):
        if path.is_dir():  # earlier versions gave a film called catalog.db this id
            raise UserError(
                f"{path} is a folder, and the catalog needs the name; move it away, or delete it"
            )
    from reelmake.catalog import vector_files  # numpy comes with it

    lock = file_locks.acquire((results / f".{NAME}.lock").absolute(), PATIENCE)
    if lock is None:
        raise UserError(f"{results / NAME}: another process is writing it; try again when it ends")
    try:
        if rebuild:
            vector_index.remove(results)
        found = states(results)
        report = _update(results, found, "it was asked for" if rebuild else "", tell, match)
        vector_files.update(results, found, tell)
        _write_metadata(results / METADATA)
        write_marker(results, report.films, match)
        return report
    finally:
        file_locks.release(lock)


def try_update(
    results: Path,
    say: Callable[[str], None],
    rebuild: bool = False,
    stop: Callable[[], bool] = lambda: False,
    match: float = MATCH,
) -> bool:
    """`update` for a run, which goes on without: whether it was done; if not, it is said why.

    say: called with each line that a person should read. stop: asked now and then; once it is
    true, the update is given up. match: as `update` has it.
    """
    told = time.monotonic()

    def tell(done: int, of: int) -> None:
        nonlocal told
        if stop():
            raise InterruptedError("the run was stopped")
        if time.monotonic() - told >= NEWS:
            told = time.monotonic()
            say(f"catalog: {done:,} of {text.count(of, 'film')} read")

    try:
        update(results, rebuild, tell, match)
    except (UserError, OSError, Error) as error:
        why = explain(error)[0] if isinstance(error, OSError) else str(error)
        say(
            f"{results / NAME} is not up to date: {why}; the next run or `reel catalog` tries again"
        )
        return False
    return True


def write_marker(results: Path, films: int | None, match: float | None = None) -> None:
    """Write down how many films the catalog has; None: it is not up to date. match: as `update`
    has it."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    of = None if films is None else schema.version()
    marker = {"schema": of, "films": films, "updated": now, "match": match}
    artifact_files.write_json(results / MARKER, marker, durable=False)


def _marker(results: Path) -> dict[str, Any]:
    found = artifact_files.read_json(results / MARKER)
    return found if isinstance(found, dict) else {}


def _write_metadata(path: Path) -> None:
    import yaml

    content = yaml.safe_dump(schema_docs.datasette(), sort_keys=False, width=100).encode()
    if not path.exists() or path.read_bytes() != content:
        artifact_files.write_bytes(path, content, durable=False)


def _update(
    results: Path, found: Mapping[str, State], why: str, tell: Told | None, match: float
) -> Report:
    path = results / NAME
    if not path.exists():
        why = why or "there was none"
    if not why:
        try:
            changes = _changes(read_states(path), found)
            number = len(changes.written)
            if number <= max(MANY, len(found) // 2):
                if number or changes.removed or _marker(results).get("match") != match:
                    with _to_change(path) as db:
                        _apply(results, db, changes, tell, match)
                return Report(len(found), number, len(changes.removed), "")
            why = "most films have changed"
        except Exception as error:
            if not is_damage(error):
                raise
            why = str(error)
    with _to_make(path) as db:
        _write(results, db, found, TOGETHER, tell, match)
    return Report(len(found), len(found), 0, why)


class _Changes(NamedTuple):
    """written: the films to be read again, and their states. removed: those that are gone."""

    written: dict[str, State]
    removed: list[str]


def _changes(known: Mapping[str, State], found: Mapping[str, State]) -> _Changes:
    written = {video: state for video, state in found.items() if known.get(video) != state}
    return _Changes(written, sorted(known.keys() - found.keys()))


def _apply(results: Path, db: Database, changes: _Changes, tell: Told | None, match: float) -> None:
    if len(changes.removed) + len(changes.written) > 1:  # a kill in between is another's to mend
        with db.transaction():
            db.begin_guesses()
    for number, video in enumerate(changes.removed, 1):
        with db.transaction():
            db.remove(video)
            if number == len(changes.removed) and not changes.written:
                db.guess_speakers(match)
    if not (changes.removed or changes.written):
        with db.transaction():
            db.guess_speakers(match)
    _write(results, db, changes.written, 1, tell, match)


def _write(
    results: Path,
    db: Database,
    films: Mapping[str, State],
    together: int,
    tell: Told | None,
    match: float,
) -> None:
    """together: how many films a transaction has. Voices are compared in the last one: where that
    is never reached, the next update has something to do."""
    done = 0
    read = zip(films.values(), reading.films(results, [*films]), strict=True)
    for some in _batched(read, together):
        with db.transaction():
            for state, film in some:
                db.write(film, state)
                done += 1
            if done == len(films):
                db.guess_speakers(match, films)
        if tell:
            tell(done, len(films))


def _batched(items: Iterable[Any], size: int) -> Iterator[Iterator[Any]]:
    """The items in batches, each to be gone through before the next; only its first one is there
    when a batch begins: others are read while it is written."""
    iterator = iter(items)
    for first in iterator:
        yield itertools.chain([first], itertools.islice(iterator, size - 1))


@contextlib.contextmanager
def _to_change(path: Path) -> Iterator[Database]:
    """The catalog, open to be written; on a network file system, where SQLite is not safe, a local
    copy that takes its name at the end."""
    if file_systems.network(path.parent) is None:
        with contextlib.closing(Database(path)) as db:
            yield db
        return
    with tempfile.TemporaryDirectory(prefix="reelmake-catalog-") as folder:
        copy = Path(folder, NAME)
        shutil.copyfile(path, copy)
        with contextlib.closing(Database(copy)) as copied:
            yield copied
        with artifact_files.writing(path) as temporary:
            shutil.copyfile(copy, temporary)


@contextlib.contextmanager
def _to_make(path: Path) -> Iterator[Database]:
    """An empty catalog that takes the name at the end, whole."""
    network = file_systems.network(path.parent) is not None
    with contextlib.ExitStack() as at_the_end:
        temporary = new = at_the_end.enter_context(artifact_files.writing(path))
        if network:
            folder = tempfile.TemporaryDirectory(prefix="reelmake-catalog-")
            new = Path(at_the_end.enter_context(folder), NAME)
        db = Database.create(new)
        try:
            yield db
            db.finish(wal=not network)
        finally:
            db.close()
        if network:
            shutil.copyfile(new, temporary)
        database.drop_log(path)


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None
