"""What was used last is last, whatever the clock says, and damage is told from trouble."""

import contextlib
import sqlite3
import time

import pytest

from reelmake.cache.index import Index, IndexDamaged, is_damage


@pytest.fixture
def index(tmp_path):
    Index.create(tmp_path / "index.sqlite", tmp_path / "temporary")
    with contextlib.closing(Index(tmp_path / "index.sqlite", 0.1)) as index:
        yield index


def insert(index: Index, key: str, *objects: str, stage: str = "scenes") -> None:
    index.insert(key, stage, 1.0, 10, b"header", b"small", objects)


def keys(index: Index, **conditions) -> str:
    return "".join(row.key for row in index.rows(**conditions))


def test_the_least_recently_used_is_first_though_the_clock_is_moved_back(index, monkeypatch):
    for key in "abc":
        insert(index, key)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    index.touch({"a": (2, 0.0)})
    insert(index, "d")
    assert keys(index) == "bcad"
    assert [row.hits for row in index.rows()] == [0, 0, 2, 0]


def test_entries_are_selected_by_stage_and_last_use(index):
    insert(index, "a")
    insert(index, "b", stage="transcript")
    moment = index.row("b").used
    assert keys(index, stage="scenes") == "a"
    assert keys(index, unused_since=moment) == "a"
    assert keys(index, stage="transcript", unused_since=moment) == ""


def test_an_object_is_needed_until_its_last_entry_goes(index):
    insert(index, "a", "x", "y")
    insert(index, "b", "x")
    assert sorted(index.delete(index.row("a").id)) == ["x", "y"]
    assert index.needs("x") and not index.needs("y")
    assert index.find("a") is None and index.find("b")[1:] == (b"header", b"small")
    assert index.size() == 10


def test_an_id_is_never_used_again(index):
    insert(index, "a")
    first = index.row("a").id
    index.delete(first)
    insert(index, "a")
    assert index.row("a").id != first


def test_all_or_nothing_of_a_transaction(index):
    with pytest.raises(ZeroDivisionError), index.transaction():
        insert(index, "a")
        raise ZeroDivisionError
    assert keys(index) == ""


def test_damage_is_told_from_trouble(index, tmp_path):
    path = tmp_path / "index.sqlite"
    with (
        index.transaction(),
        contextlib.closing(Index(path, 0.1)) as other,
        pytest.raises(sqlite3.OperationalError) as locked,
        other.transaction(),
    ):
        pass
    assert not is_damage(locked.value)
    assert not is_damage(OSError("disk full"))
    broken = tmp_path / "broken.sqlite"
    broken.write_bytes(b"no database" * 1000)
    with pytest.raises(sqlite3.DatabaseError) as error:
        Index(broken, 0.1)
    assert is_damage(error.value)
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 7")
    with pytest.raises(IndexDamaged, match="format 7") as error:
        Index(path, 0.1)
    assert is_damage(error.value)
