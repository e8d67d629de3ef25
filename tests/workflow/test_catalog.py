"""A run brings the catalog up to date at its end, and has no job for it where it is."""

import shutil
import sqlite3

import pytest

from make_library import make_library
from reelmake.library.stages import TARGETS
from workspace import Workspace, jobs, snapshot

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


def films(library: Workspace) -> dict[str, str]:
    """When each film in the catalog was finished."""
    db = sqlite3.connect(library.folder / "results" / "catalog.db")
    found = dict(db.execute("SELECT video, finished FROM films"))
    db.close()
    return found


def test_a_run_makes_it_once_and_follows_what_changes(library):
    before = snapshot(library.folder / "results")
    assert JOB in library.run("-n")
    assert snapshot(library.folder / "results") == before
    assert JOB in library.run()
    first = films(library)
    assert first.keys() == {"film00000", "film00001", "film00002"}
    before = snapshot(library.folder / "results")
    for args in ((), ("catalog", "-n")):
        assert "Nothing to be done" in library.run(*args)
    assert snapshot(library.folder / "results") == before
    # One film is made again, one is gone.
    library.result("film00001", "manifest.json").unlink()
    shutil.rmtree(library.folder / "results" / "film00002")
    (library.videos / "film00002.mp4").unlink()
    assert JOB in library.run()
    second = films(library)
    assert second.keys() == {"film00000", "film00001"}
    assert second["film00000"] == first["film00000"] < second["film00001"]


def test_films_that_fail_are_in_it_and_a_catalog_that_can_not_be_written_fails_nothing(library):
    (library.videos / "bad.mp4").write_bytes(b"no film")
    output = library.run(ok=False)
    assert "bad.mp4 is not a video" in output and "Traceback" not in output
    assert films(library).keys() == {"bad", "film00000", "film00001", "film00002"}
    # Over shares, the run that they are parts of sees to it, once.
    library.result("film00000", "manifest.json").unlink()
    output = library.run("--config", "share={films: 1}", ok=False)
    assert output.count(JOB) == 1 and "in 2 shares" in output
    assert films(library)["film00000"] > films(library)["film00001"]
    # Where the log of SQLite should be, there is a folder: nothing can be written.
    (library.videos / "bad.mp4").unlink()
    shutil.rmtree(library.folder / "results" / "bad")
    (library.folder / "results" / "catalog.db-wal").mkdir()
    assert "catalog.db is not up to date: " in library.run()
    assert "catalog.db is not up to date: " in library.run("catalog", ok=False)
    (library.folder / "results" / "catalog.db-wal").rmdir()
    assert JOB in library.run("catalog")
    assert "bad" not in films(library)


def test_it_is_made_anew_where_it_is_asked_for_or_lost(library):
    path = library.folder / "results" / "catalog.db"
    library.run("catalog")
    inode = path.stat().st_ino
    output = library.run("-R", "update_catalog")
    assert JOB in output and jobs(output) == [] and path.stat().st_ino != inode
    path.write_bytes(path.read_bytes()[:100])
    assert JOB in library.run()
    assert len(films(library)) == 3


def test_who_does_not_ask_for_it_has_none(library):
    library.config["stages"] = [name for name, stages in TARGETS.items() if stages]
    # That it can be asked for has changed no film's key.
    assert "Nothing to be done" in library.run()
    assert not (library.folder / "results" / "catalog.db").exists()
