"""What was read of the cache is counted once, by the process that read it."""

import os

from reelmake.cache.entry import Entry
from reelmake.cache.index import Index
from reelmake.cache.uses import Uses

ENTRY = Entry("a" * 64, "scenes", 1, 0.0, 2.5, "", {}, ())


def counters(tmp_path, uses: Uses) -> dict:
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}.sqlite"
    Index.create(path, path.with_suffix(".tmp"))
    index = Index(path, 1)
    uses.take()(index)
    found = index.counters()
    index.close()
    return {name: value for (_, name), value in found.items() if name != "since"}


def test_hits_misses_and_what_they_saved(tmp_path):
    uses = Uses()
    for _ in range(3):
        uses.hit(ENTRY)
    uses.miss()
    assert counters(tmp_path, uses) == {"misses": 1.0, "hits": 3.0, "seconds_saved": 7.5}
    assert counters(tmp_path, uses) == {}  # what was taken is counted


def test_after_a_fork_the_parent_counts_its_own(tmp_path):
    uses = Uses()
    uses.hit(ENTRY)
    if (child := os.fork()) == 0:
        uses.miss()
        os._exit(0 if counters(tmp_path, uses) == {"misses": 1.0} else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert counters(tmp_path, uses)["hits"] == 1.0
