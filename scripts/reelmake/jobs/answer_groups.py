"""What the journal of a stage says of groups of answers: how large they are, and their entries.

Answers of a group are decoded together, and their last bits depend on who is with them. So the
journal's first record names the size for all of the artifact's groups, whichever machine goes on
with it, and a group is journaled whole. Of groups of one nothing is said: their entries are the
items', as versions before this one wrote them.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reelmake.foundation.journal import Journal

_SIZE, _GROUP, _NOTE = "answers_at_once", "group", "note"


def noted(journal: "Journal", find: Callable[[], Any]) -> Any:
    """What a job wrote down before it asked anything: what `find` gives where none has yet."""
    for record in journal.records:
        if _NOTE in record:
            return record[_NOTE]
    found = find()
    journal.append({_NOTE: found})
    return found


def size(journal: "Journal", wanted: Callable[[], int]) -> int:
    """How many items a group has: what the journal names, or else what is wanted, which it names
    from then on. Records of this are taken from `journal.records`."""
    journal.records[:] = [record for record in journal.records if _NOTE not in record]
    if not journal.records:
        chosen = wanted()
        if chosen > 1:
            journal.append({_SIZE: chosen})
        return chosen
    named = [record[_SIZE] for record in journal.records if _SIZE in record]
    # Two jobs that begin a journal at the same moment both name one; the first counts.
    journal.records[:] = [record for record in journal.records if _SIZE not in record]
    return int(named[0]) if named else 1


def entry(items: list[Any]) -> Any:
    """What the journal keeps of a group, by what it keeps of each item."""
    return items[0] if len(items) == 1 else {_GROUP: items}


def entries(kept: Any) -> list[Any]:
    """What it kept of each item."""
    found: list[Any] = kept.get(_GROUP, [kept])
    return found
