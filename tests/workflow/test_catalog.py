"""A run brings the catalog up to date at its end, and has no job for it where it is."""

import shutil
import sqlite3

import pytest

from make_library import make_library
from workspace import Workspace, snapshot

JOB = "bringing the catalog up to date"


@pytest.fixture
def library(tmp_path, monkeypatch) -> Workspace:
    """Three finished films of which nobody has made a catalog."""
    library = Workspace(tmp_path / "work", tmp_path / "videos")
    del library.config["stages"]
    library.videos.rmdir()
    monkeypatch.chdir(library.folder)
    make_library(3, library.config)
    return library


def films(library: Workspace) -> dict[str, list[int]]:
    """The numbers of each film's moments, which are new where it was read again."""
    db = sqlite3.connect(library.folder / "results" / "catalog.db")
    rows = db.execute("SELECT video, moments.id FROM films LEFT JOIN moments ON film = films.id")
    found: dict[str, list[int]] = {}
    for video, id in rows:
        found.setdefault(video, []).append(id)
    db.close()
    return found


def test_a_run_makes_it_once_and_follows_what_changes(library):
    before = snapshot(library.folder / "results")
    assert JOB in library.run("-n")
    assert snapshot(library.folder / "results") == before
    assert "Nothing to be done" in library.run("transcripts")
    assert JOB in library.run()
    first = films(library)
    assert first.keys() == {"film00000", "film00001", "film00002"}
    before = snapshot(library.folder / "results")
    for args in ((), ("-n",), ("catalog",)):
        assert "Nothing to be done" in library.run(*args)
    assert snapshot(library.folder / "results") == before
    # One film is made again, one is gone.
    library.result("film00001", "manifest.json").unlink()
    shutil.rmtree(library.folder / "results" / "film00002")
    (library.videos / "film00002.mp4").unlink()
    output = library.run()
    assert JOB in output and "Nothing to be done" in library.run()
    second = films(library)
    assert second["film00000"] == first["film00000"]
    assert second["film00001"] != first["film00001"]
    assert second.keys() == {"film00000", "film00001"}


def test_films_that_fail_are_in_it_and_a_catalog_that_can_not_be_written_fails_nothing(library):
    library.run("catalog")
    (library.videos / "bad.mp4").write_bytes(b"no film")
    output = library.run(ok=False)
    assert "bad" in films(library) and "Traceback" not in output
    assert "bad.mp4 is not a video" in output
    # Over shares, the run that they are parts of sees to it, once.
    library.result("film00000", "manifest.json").unlink()
    output = library.run("--config", "share={films: 1}", ok=False)
    assert output.count(JOB) == 1 and "2 shares" in output
    assert "Nothing to be done" in library.run("catalog")
    # SQLite can't open what is in the way of its log, so a change can't be written.
    (library.videos / "bad.mp4").unlink()
    shutil.rmtree(library.folder / "results" / "bad")
    (library.folder / "results" / "catalog.db-wal").mkdir()
    assert "catalog.db is not up to date: " in library.run()
    assert "catalog.db is not up to date: " in library.run("catalog", ok=False)
    (library.folder / "results" / "catalog.db-wal").rmdir()
    library.run()
    assert "bad" not in films(library)


def test_it_is_made_anew_where_it_is_asked_for_or_lost(library):
    library.run()
    path = library.folder / "results" / "catalog.db"
    inode = path.stat().st_ino
    output = library.run("-R", "update_catalog")
    assert JOB in output and library.plan() == [] and path.stat().st_ino != inode
    path.write_bytes(path.read_bytes()[:100])
    assert JOB in library.run()
    assert len(films(library)) == 3
    assert JOB in library.run("-n", "-F")


def test_who_does_not_ask_for_it_has_none(library):
    library.config["stages"] = [
        *("transcripts", "scenes", "descriptions", "highlights", "clips", "narrative"),
        *("chapters", "trailer"),
    ]
    # That it can be asked for has changed no film's key.
    assert "Nothing to be done" in library.run()
    assert not (library.folder / "results" / "catalog.db").exists()
