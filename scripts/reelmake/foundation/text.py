"""Text for people: what is untrusted made printable, hints, and lists cut short."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from typing import TypeVar

Text = TypeVar("Text", str, list[int])

# What XML 1.0 can't hold in any way (2.2).
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

JOINERS = "\u200c\u200d"  # which several scripts, and emoji, are written with


def printable(text: str) -> str:
    """`text` on one line, without what could steer a terminal: names of files are untrusted."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def without(text: str, *categories: str, keep: str = "") -> str:
    """The text without the characters of some Unicode categories, but with those in `keep`.

    Cc: control characters, line breaks among them. Cs: halves of surrogate pairs, which can't be
    written. Cf: invisible formats. Co: characters of private use.
    """
    return "".join(c for c in text if c in keep or unicodedata.category(c) not in categories)


def visible(text: str) -> str:
    """The text on one line, without what is not seen; each gap is one space."""
    spaced = "".join(" " if c.isspace() else c for c in text)
    return " ".join(without(spaced, "Cc", "Cf", "Cs", "Co", keep=JOINERS).split())


def line(text: str, most: int = 1000) -> str:
    """The text on one line of at most so many characters, of what is seen and any file can hold:
    XML, too."""
    return _ILLEGAL.sub("", visible(text))[:most].strip()


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name that is most like this one; None where none is.

    cutoff: how alike they must be, 0 to 1, as `difflib.get_close_matches` has it.
    """
    import difflib  # only where something is wrong already

    near = difflib.get_close_matches(name, known, 1, cutoff)
    return near[0] if near else None


def did_you_mean(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """A hint for a name that does not exist: ' (did you mean …?)', or nothing."""
    near = nearest(name, known, cutoff)
    return f" (did you mean '{near}'?)" if near else ""


def shared_beginning(one: Text, other: Text) -> Text:
    """What two texts, or lists, both begin with."""
    length = min(len(one), len(other))
    while one[:length] != other[:length]:
        length -= 1
    return one[:length]


def some(names: Collection[str], most: int = 3) -> str:
    """The first few names, each once: 'a, b, c, …'."""
    first = list(dict.fromkeys(names))
    return ", ".join(first[:most]) + (", …" if len(first) > most else "")


def count(number: int, what: str) -> str:
    """'1 video', '1,522 videos'."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def videos(ids: Sequence[str]) -> str:
    """How many videos, and the first of them: '5 videos (a, b, c, …)'."""
    return f"{len(ids)} video{'' if len(ids) == 1 else 's'} ({some(ids)})"
