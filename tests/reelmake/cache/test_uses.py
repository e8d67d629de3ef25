"""What was read is counted once, with the last use of each entry, and by whom read it."""

import os

import pytest

from reelmake.cache import uses
from reelmake.cache.entry import Entry
from reelmake.cache.folder import Folder
from reelmake.cache.open_index import OpenIndex
from reelmake.cache.uses import Uses

ENTRIES = {key: Entry(key, "scenes", 1, 0.0, 5.0, "", {}, ()) for key in "abc"}


@pytest.fixture
def index(tmp_path):
    index = OpenIndex(Folder(tmp_path), 1, print)
    for key in ENTRIES:
        index.run(lambda index, key=key: index.insert(key, "scenes", 0.0, 10, b"", b"", []))
    yield index
    index.close()


def order(index: OpenIndex) -> list[tuple[str, int]]:
    return [(row.key, row.hits) for row in index.run(lambda index: list(index.rows()))]


def counters(index: OpenIndex) -> dict[tuple[str, str], float]:
    found = index.run(lambda index: index.counters())
    return {name: value for name, value in found.items() if name != ("", "since")}


def test_they_are_written_down_together_in_order_of_the_last_use(index):
    one = Uses(index)
    for key in "bacb":
        one.note(key, ENTRIES[key])
    one.note("z", None)
    assert counters(index) == {}
    for _ in range(2):
        one.write()
        assert order(index) == [("a", 1), ("c", 1), ("b", 2)]
        assert counters(index) == {
            ("", "misses"): 1,
            ("scenes", "hits"): 4,
            ("scenes", "seconds_saved"): 20,
        }


def test_many_are_written_down_by_themselves(index, monkeypatch):
    monkeypatch.setattr(uses, "_MOST", 2)
    one = Uses(index)
    for key in "ab":
        one.note(key, ENTRIES[key])
    assert counters(index)["scenes", "hits"] == 2


def test_what_was_read_before_a_fork_is_counted_by_the_parent(index):
    one = Uses(index)
    one.note("a", ENTRIES["a"])
    child = os.fork()
    if child == 0:
        one.note("b", ENTRIES["b"])
        one.write()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    one.write()
    assert sorted(order(index)) == [("a", 1), ("b", 1), ("c", 0)]
