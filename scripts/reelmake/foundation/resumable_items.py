"""The one loop of all stages that work item by item: what a journal holds is not done again."""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from reelmake.foundation.journal import Journal

Item = TypeVar("Item")
Result = TypeVar("Result")


class Items(ABC, Generic[Item, Result]):
    """What a stage works through: the chunks of a film's sound, its keyframes, its questions."""

    @abstractmethod
    def following(self, results: Sequence[Result]) -> Item | None:
        """The item that comes after those with these results; None after the last."""

    @abstractmethod
    def count(self, results: Sequence[Result]) -> tuple[int, int]:
        """How much these results are, and how much all are, in the unit of the stage's progress."""

    @abstractmethod
    def identity(self, item: Item) -> Hashable:
        """What tells the item from others: inputs may have been edited since it was journaled."""

    @abstractmethod
    def entry(self, item: Item, result: Result) -> Any:
        """What the journal keeps of a finished item."""

    @abstractmethod
    def read_entry(self, entry: Any) -> tuple[Hashable, Result]:
        """The identity and the result of a journaled item."""

    def is_begun(self) -> bool:
        """Whether the item after the last result is in work already."""
        return False

    @abstractmethod
    def worker(self) -> contextlib.AbstractContextManager[Callable[[Item], Result]]:
        """What makes the result of an item, with its engine loaded."""


def finish(
    items: Items[Item, Result],
    journal: "Journal | None" = None,
    item: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Result]:
    """The results of all items, in their order.

    Those of the first items that the journal knows are taken from it. Where it knows all, no
    engine is loaded. item: entered for each that is worked on, and those begun meanwhile, which a
    signal lets finish.
    progress: told what is done and what there is to do, as `Items.count` counts it; at first what
    the journal has brought.
    """
    known = dict(items.read_entry(entry) for entry in journal.records) if journal else {}
    results: list[Result] = []
    following = items.following(results)
    while following is not None and (identity := items.identity(following)) in known:
        results.append(known[identity])
        following = items.following(results)
    progress(*items.count(results))
    if following is None:
        return results
    with items.worker() as work:
        while following is not None:
            with item():
                while following is not None:
                    results.append(work(following))
                    if journal:
                        journal.append(items.entry(following, results[-1]))
                    progress(*items.count(results))
                    following = items.following(results)
                    if not items.is_begun():
                        break
    return results
