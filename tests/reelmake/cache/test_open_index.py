"""One index lies there: whoever opens it finds that one, or an empty one where it was broken."""

import os
import sqlite3
import threading

import pytest

from reelmake.cache.folder import Folder
from reelmake.cache.index import Index
from reelmake.cache.open_index import OpenIndex
from reelmake.foundation import file_systems


@pytest.fixture
def opened(tmp_path):
    """Open the index in the test's one folder; `.said` has its lines."""
    made = []

    def make():
        said = []
        one = OpenIndex(Folder(tmp_path / "cache"), 1, said.append)
        one.said = said
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


def count(index: Index) -> None:
    index.count("", "hits", 1)


def hits(index: Index) -> float:
    return index.counters().get(("", "hits"), 0)


def test_it_is_made_when_it_is_needed_and_found_by_others(opened, tmp_path):
    one = opened()
    assert not (tmp_path / "cache").exists()
    one.run(count)
    assert opened().run(hits) == 1
    one.close()
    assert one.run(hits) == 1


def test_one_that_another_process_put_in_its_place_is_used(opened, tmp_path):
    one, other = opened(), opened()
    one.run(count)
    (tmp_path / "cache" / "index.sqlite").unlink()
    other.run(count)
    other.run(count)
    assert one.run(hits, reading=True) == 1  # its old one will do
    assert one.run(hits) == 2


def test_a_broken_one_is_put_aside_once(opened, tmp_path):
    one = opened()
    one.run(count)
    one.close()
    for turn in range(2):
        (tmp_path / "cache" / "index.sqlite").write_bytes(b"broken" * 1000)
        if turn == 0:
            assert one.run(hits) == 0
            one.close()
        else:
            with pytest.raises(sqlite3.DatabaseError):
                one.run(hits)
    assert len(one.said) == 1 and "is damaged" in one.said[0]
    assert "index.sqlite" in os.listdir(tmp_path / "cache" / "quarantine")


def test_what_is_no_damage_is_raised_and_puts_nothing_aside(opened):
    one = opened()
    one.run(count)
    locker = one.run(lambda index: index)
    with locker.transaction(), pytest.raises(sqlite3.OperationalError, match="locked"):
        opened().run(count)
    with pytest.raises(ZeroDivisionError):
        one.run(lambda index: 1 / 0)
    assert one.run(hits) == 1
    assert one.said == []


def test_threads_take_turns(opened):
    one = opened()

    def work():
        for _ in range(50):
            one.run(count)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert one.run(hits) == 200


def test_on_a_network_file_system_it_is_refused(opened, tmp_path, monkeypatch):
    kind = ["nfs4"]
    monkeypatch.setattr(file_systems, "mounts", lambda: [("/", kind[0])])
    with pytest.raises(OSError, match=r"network file system .nfs4.*cache.dir to a local disk"):
        opened().run(count)
    assert not (tmp_path / "cache").exists()
    kind[0] = "ext4"
    opened().run(count)
