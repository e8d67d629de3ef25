"""The loop that resumes: what is journaled is not done again, in whichever way it is stopped."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelmake.foundation import resumable_items
from reelmake.foundation.journal import Journal
from reelmake.foundation.resumable_items import Items


class Squares(Items[int, int]):
    """stop_at: the item at which the worker is stopped."""

    def __init__(self, items, stop_at=None):
        self.items, self.stop_at, self.worked, self.opened = items, stop_at, [], 0

    def following(self, results):
        return self.items[len(results)] if len(results) < len(self.items) else None

    def count(self, results):
        return len(results), len(self.items)

    def identity(self, item):
        return item

    def entry(self, item, result):
        return [item, result]

    def read_entry(self, entry):
        return entry[0], entry[1]

    @contextlib.contextmanager
    def worker(self):
        self.opened += 1
        yield self.work

    def work(self, item):
        if item == self.stop_at:
            raise KeyboardInterrupt
        self.worked.append(item)
        return item * item


def finish(folder, items, **more):
    journal = Journal(folder, "stage", "0" * 64)
    try:
        return resumable_items.finish(items, journal, **more)
    finally:
        journal.close()


@given(number=st.integers(0, 12), stops=st.lists(st.integers(0, 12), max_size=4))
def test_wherever_it_is_stopped_each_item_is_done_once(tmp_path_factory, number, stops):
    folder, worked = tmp_path_factory.mktemp("journal"), []
    for stop_at in stops:
        items = Squares(list(range(number)), stop_at)
        with contextlib.suppress(KeyboardInterrupt):
            finish(folder, items)
        worked += items.worked
    items = Squares(list(range(number)))
    assert finish(folder, items) == [n * n for n in range(number)]
    assert worked + items.worked == list(range(number))


def test_where_all_is_known_no_engine_is_loaded(tmp_path):
    finish(tmp_path, Squares([1, 2]))
    items, said = Squares([1, 2]), []
    finish(tmp_path, items, progress=lambda *told: said.append(told))
    assert (items.opened, said) == (0, [(2, 2)])


def test_what_was_edited_is_done_again_with_all_after_it(tmp_path):
    finish(tmp_path, Squares([1, 2, 3]))
    items, said = Squares([1, 5, 3]), []
    assert finish(tmp_path, items, progress=lambda *told: said.append(told)) == [1, 25, 9]
    assert items.worked == [5, 3]
    assert said == [(1, 3), (2, 3), (3, 3)]


def test_a_signal_comes_between_items(tmp_path):
    @contextlib.contextmanager
    def item():
        yield
        raise KeyboardInterrupt

    items = Squares([1, 2])
    with pytest.raises(KeyboardInterrupt):
        finish(tmp_path, items, item=item)
    again = Squares([1, 2])
    finish(tmp_path, again)
    assert (items.worked, again.worked) == ([1], [2])


def test_it_does_without_a_journal():
    assert resumable_items.finish(Squares([3])) == [9]


class Ahead(Squares):
    """Two items more than the one that is waited for are in work, until a signal comes."""

    begun = 0
    stopping = False

    def is_begun(self):
        return self.begun > len(self.worked)

    def work(self, item):
        if not self.stopping:
            self.begun = min(len(self.worked) + 3, len(self.items))
        return super().work(item)


def test_what_was_begun_when_a_signal_came_is_finished_and_kept(tmp_path):
    items = Ahead(list(range(10)))

    @contextlib.contextmanager
    def item():
        yield
        if items.stopping:
            raise KeyboardInterrupt

    def progress(done, total):
        items.stopping = done >= 4

    with pytest.raises(KeyboardInterrupt):
        finish(tmp_path, items, item=item, progress=progress)
    assert items.worked == list(range(6))
    rest = Ahead(list(range(10)))
    assert finish(tmp_path, rest) == [number**2 for number in range(10)]
    assert rest.worked == list(range(6, 10))
