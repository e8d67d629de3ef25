"""The catalog follows what is on disk: what changed, what is gone, what was damaged."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from make_moments import make_film
from reelmake.catalog import database, film_rows, reading, schema, updating
from reelmake.foundation import artifact_files, file_systems

FUTURE = 5_000_000_000
"""Nanoseconds by which a test moves a time on, so that it differs in any case."""


def change(film: Path, **given) -> None:
    """Make a film again, of other words."""
    make_film(film, seed=99, **given)
    stat = (film / "manifest.json").stat()
    os.utime(film / "manifest.json", ns=(stat.st_atime_ns, stat.st_mtime_ns + FUTURE))


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """The films that were read since."""
    found: list[str] = []
    real = film_rows.read
    monkeypatch.setattr(film_rows, "read", lambda path: found.append(path.name) or real(path))
    return found


def test_only_what_changed_is_read(results, read, content):
    assert not updating.is_current(results)
    assert updating.update(results) == (3, 3, 0, "there was none")
    assert updating.is_current(results)
    read.clear()
    assert updating.update(results) == (3, 0, 0, "")
    assert read == []
    change(results / "film1", texts=["entirely new"])
    assert not updating.is_current(results)
    assert updating.update(results) == (3, 1, 0, "")
    assert read == ["film1"]
    updated = content()
    assert ("film1", "said", 0, 0.0, 5.5, "entirely new", None, None, None) in updated["moments"]
    updating.update(results, rebuild=True)
    assert content() == updated


def test_a_film_keeps_its_number(results, ask):
    updating.update(results)
    before = ask("SELECT id, video FROM films")
    change(results / "film0")
    updating.update(results)
    assert ask("SELECT id, video FROM films") == before


def test_a_film_that_is_gone_goes_from_every_table(results, ask, content):
    updating.update(results)
    shutil.rmtree(results / "film1")
    assert not updating.is_current(results)
    assert updating.update(results) == (2, 0, 1, "")
    found = content()
    assert not [row for rows in found.values() for row in rows if row[0] not in ("film0", "film2")]
    assert [name for name, rows in found.items() if not rows] == ["failures"]
    for index in schema.INDEXES:  # it has nothing that is not there any more
        assert ask(f"SELECT count(*) FROM {index}_docsize") == ask("SELECT count(*) FROM moments")


def test_a_film_that_failed_is_there_with_its_reason(results, ask):
    updating.update(results)
    make_film(results / "bad", segments=0, scenes=0, state="failed")
    assert updating.update(results) == (4, 1, 0, "")
    assert ask("SELECT title, stage, class, error FROM failed_films") == [
        ("bad", "manifest", "engine", "it broke")
    ]
    # A job record that is renamed into its folder is enough.
    record = json.loads((results / "bad/jobs/manifest.json").read_bytes()) | {"error": "again"}
    os.utime(results / "bad/jobs", ns=(0, 0))
    updating.update(results)
    artifact_files.write_json(results / "bad/jobs/manifest.json", record)
    assert updating.update(results).written == 1
    assert ask("SELECT error FROM failed_films") == [("again",)]


@pytest.mark.parametrize(
    "damage",
    ["gone", "cut", "noise", "empty", "version", "table", "schema"],
)
def test_a_catalog_that_is_lost_or_damaged_is_made_anew(results, content, damage):
    updating.update(results)
    before, path = content(), results / updating.NAME
    if damage == "gone":
        path.unlink()
    elif damage == "cut":
        os.truncate(path, 5000)
    elif damage == "noise":
        path.write_bytes(b"\xa5" * 4096 + path.read_bytes()[4096:])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "schema":  # SQLite's message quotes it, and is then no text
        path.write_bytes(path.read_bytes().replace(b"DELETE CASCADE", b"DELETE CASC\xff\xfeE"))
    else:
        db = sqlite3.connect(path)
        what = "PRAGMA user_version = 7" if damage == "version" else "DROP TABLE catalog_states"
        db.execute(what)
        db.commit()
        db.close()
    assert not updating.is_current(results)
    assert updating.update(results).rebuilt
    assert updating.is_current(results)
    assert content() == before


def test_a_page_that_turns_out_to_be_damaged_while_a_film_is_written(results, content):
    updating.update(results)
    path = results / updating.NAME
    db = sqlite3.connect(path)
    ((page,),) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'segments'")
    ((size,),) = db.execute("PRAGMA page_size")
    db.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    change(results / "film1")
    assert updating.update(results).rebuilt
    assert len(content()["films"]) == 3


def test_a_marker_that_is_missing_or_of_a_failed_update_counts(results):
    updating.update(results)
    updating.write_marker(results, None)
    assert not updating.is_current(results)
    (results / updating.MARKER).unlink()
    assert not updating.is_current(results)
    updating.update(results)
    assert updating.is_current(results)


@pytest.mark.parametrize("name", [updating.NAME, updating.MARKER])
def test_a_folder_with_its_name_is_left_alone_and_it_is_said_what_to_do(results, name):
    """Earlier versions had a film `catalog.db.mp4` there."""
    make_film(results / name)
    said: list[str] = []
    assert not updating.try_update(results, said.append)
    assert "is a folder" in said[0] and "move it away" in said[0]
    assert (results / name / "manifest.json").exists()


def test_a_film_whose_file_is_lists_in_lists_spoils_no_other(results, ask):
    (results / "film1" / "transcript.json").write_text('{"segments": ' + "[" * 200_000)
    updating.update(results)
    assert ask("SELECT video FROM films ORDER BY video") == [("film0",), ("film1",), ("film2",)]
    assert ask("SELECT count(*) FROM segments WHERE film = 2") == [(0,)]


FULL = """
import resource, sys
from pathlib import Path
from reelmake.catalog import database
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))  # no file may grow
print(database.counts(Path("results/catalog.db"))["films"])
"""


def test_on_a_full_disk_it_can_be_read(results):
    updating.update(results)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    for _ in range(2):  # the first leaves an empty log behind
        command = [sys.executable, "-c", FULL]
        found = subprocess.check_output(command, cwd=results.parent, env=environment, text=True)
        assert found == "3\n"


def test_looking_leaves_nothing(results):
    updating.update(results)
    before = {path.name: path.stat().st_mtime_ns for path in results.iterdir()}
    stamp = results.stat().st_mtime_ns
    assert updating.is_current(results)
    assert {path.name: path.stat().st_mtime_ns for path in results.iterdir()} == before
    assert results.stat().st_mtime_ns == stamp
    assert sorted(before) == [
        *("catalog.db", "catalog.json", "catalog.metadata.yaml"),
        *("film0", "film1", "film2"),
    ]


KILLED = """
import os, signal, sys
from pathlib import Path
from reelmake.catalog import database, updating
left, commit = int(sys.argv[1]), database.Database.commit
def counted(self):
    global left
    left -= 1
    if left == 0 and sys.argv[2] == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    commit(self)
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
database.Database.commit = counted
updating.TOGETHER = 1
updating.update(Path("results"), rebuild=sys.argv[3] == "rebuild")
"""


def killed_at(results: Path, commit: int, when: str, how: str) -> bool:
    """Whether an update was killed before or after its commit of that number, from 1."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", KILLED, str(commit), when, how]
    done = subprocess.run(command, cwd=results.parent, env=environment, check=False)
    assert done.returncode in (0, -signal.SIGKILL)
    return done.returncode != 0


def of(video: str, found: dict[str, list]) -> list:
    """What a catalog says of a video."""
    return [[row for row in rows if row[0] == video] for rows in found.values()]


@pytest.mark.parametrize("how", ["changes", "rebuild"])
def test_killed_at_each_commit_it_is_whole_and_the_next_update_completes_it(
    results, content, how, tmp_path
):
    updating.update(results)
    old = content()
    shutil.copytree(results, tmp_path / "old")
    for number in (0, 1):
        change(results / f"film{number}")
    shutil.rmtree(results / "film2")
    make_film(results / "film3", seed=3)
    was = {path.name: path.read_bytes() for path in (tmp_path / "old").glob("catalog.*")}
    updating.update(results, rebuild=True)
    wanted, commits = content(), 0
    for commit in range(1, 10):
        killed = False
        for when in ("before", "after"):
            for path in results.glob("*catalog.*"):
                path.unlink()
            for name, there in was.items():
                (results / name).write_bytes(there)
            killed = killed_at(results, commit, when, how) or killed
            found = content()
            for video in ("film0", "film1", "film2", "film3"):  # as it was or as it is
                assert of(video, found) in (of(video, old), of(video, wanted))
            if how == "rebuild" and killed:
                assert found == old
            assert killed or updating.is_current(results)
            updating.update(results)
            assert content() == wanted
            assert not list(results.glob(".catalog.*"))[1:]  # a lock at most
        if not killed:
            break
        commits = commit
    assert commits == (5 if how == "changes" else 3)


def test_readers_and_a_writer_are_not_in_each_others_way(results, ask):
    for number in range(3, 12):
        make_film(results / f"film{number}", seed=number)
    updating.update(results)
    done, seen = threading.Event(), []

    def look() -> None:
        db = database.connect(results / updating.NAME, timeout=10)
        while not done.is_set() or not seen:
            # Of each film all or nothing is there, at any moment.
            ((films, titles),) = db.execute(
                "SELECT (SELECT count(*) FROM films),"
                " (SELECT count(DISTINCT film) FROM moments WHERE kind = 'title')"
            ).fetchall()
            seen.append((films, titles))
        db.close()

    reader = threading.Thread(target=look)
    reader.start()
    # Who has the oldest state open does not stop a writer.
    old = database.connect(results / updating.NAME)
    old.execute("BEGIN")
    old.execute("SELECT count(*) FROM films").fetchone()
    for number in range(12):
        change(results / f"film{number}")
    assert updating.update(results).written == 12
    old.close()
    done.set()
    reader.join()
    assert set(seen) == {(12, 12)}


def test_a_second_writer_waits(results, monkeypatch):
    monkeypatch.setattr(updating, "PATIENCE", 0.2)
    said: list[str] = []
    with open(results / ".catalog.db.lock", "a+") as other:  # noqa: PTH123
        assert updating.file_locks.try_lock(other)
        assert not updating.try_update(results, said.append)
    assert "another process is writing it" in said[0] and len(said) == 1
    assert updating.try_update(results, said.append)


def test_what_a_run_that_is_stopped_gives_up(results):
    said: list[str] = []
    assert not updating.try_update(results, said.append, stop=lambda: True)
    assert "stopped" in said[0]
    assert not (results / updating.NAME).exists()
    assert not list(results.glob(".catalog.db.tmp*"))


def test_many_films_are_read_by_another_process_the_same(results, content, monkeypatch):
    updating.update(results)
    alone = content()
    monkeypatch.setattr(reading, "MANY", 2)
    monkeypatch.setattr(film_rows, "read", lambda path: pytest.fail("it was read here"))
    updating.update(results, rebuild=True)
    assert content() == alone


def test_where_most_films_have_changed_it_is_made_anew(results, content, monkeypatch):
    monkeypatch.setattr(updating, "MANY", 1)
    updating.update(results)
    change(results / "film0")
    assert updating.update(results) == (3, 1, 0, "")
    change(results / "film0", texts=["once more"])
    change(results / "film1")
    assert updating.update(results) == (3, 3, 0, "most films have changed")
    assert "once more" in [row[5] for row in content()["moments"]]


def test_on_a_network_file_system_it_is_replaced_whole(results, content, ask, monkeypatch):
    updating.update(results)
    local = content()
    monkeypatch.setattr(file_systems, "network", lambda path: "nfs4")
    updating.update(results, rebuild=True)
    assert ask("PRAGMA journal_mode") == [("delete",)]
    assert content() == local
    before = (results / updating.NAME).stat().st_ino
    updating.update(results)  # nothing has changed: no copy
    assert (results / updating.NAME).stat().st_ino == before
    change(results / "film1", texts=["over the wire"])
    assert updating.update(results).written == 1
    assert (results / updating.NAME).stat().st_ino != before
    assert ask("SELECT count(*) FROM moment_words WHERE moment_words MATCH 'wire'") == [(1,)]
    assert ask("PRAGMA journal_mode") == [("delete",)]
    content()


def test_a_folder_that_can_not_be_written_to_is_read(results, ask, monkeypatch):
    updating.update(results)
    monkeypatch.setattr(os, "access", lambda path, how: False)
    assert ask("SELECT count(*) FROM films") == [(3,)]
