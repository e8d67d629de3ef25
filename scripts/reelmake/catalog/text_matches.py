"""Words of a text, cut as the catalog's index cuts them, and where a query's words are in it."""

import functools
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from reelmake.catalog.indexed_text import folded, spread

Span = tuple[int, int]


class Word(NamedTuple):
    """text: without diacritics, in lower case. start, end: where it is in the text, in characters
    (the end is the first one after it)."""

    text: str
    start: int
    end: int


class Wanted(NamedTuple):
    """What is looked for: words in a row. The last may be only the beginning of one."""

    words: tuple[str, ...]
    prefix: bool = False
    part: bool = False
    """Also a part of a word will do."""


class Plain(NamedTuple):
    """text: without diacritics, in lower case. places: of each of its characters, the place in the
    text that it is of, and at last that text's length."""

    text: str
    places: Sequence[int]


def plain(text: str) -> Plain:
    """The text as it is compared."""
    if text.isascii():
        return Plain(text.lower(), range(len(text) + 1))
    parts, places = [], []
    for place, character in enumerate(text):
        piece = _plain_character(character)
        parts.append(piece)
        places += [place] * len(piece)
    return Plain("".join(parts), [*places, len(text)])


def words(text: Plain) -> list[Word]:
    """The words, as `moment_words` has them: in Chinese, Japanese and Thai each character."""
    found = []
    for start, end in _runs(text.text):
        run = text.text[start:end]
        for piece in spread(run).split():
            at = text.text.index(piece, start)
            start = at + len(piece)
            found.append(Word(piece, *_span(text, at, start)))
    return found


def spans(text: str, wanted: Wanted) -> list[Span]:
    """Where what is wanted is in the text, in characters: whole words, or, where there is none and
    a part will do, the parts."""
    compared = plain(text)
    return _spans(compared, words(compared), wanted)


def all_spans(text: str, wanted: Iterable[Wanted]) -> list[list[Span]]:
    """`spans` of each that is wanted, in their order."""
    compared = plain(text)
    there = words(compared)
    return [_spans(compared, there, each) for each in wanted]


def _spans(compared: Plain, there: list[Word], wanted: Wanted) -> list[Span]:
    count = len(wanted.words)
    *before, last = wanted.words
    found = []
    for first in range(len(there) - count + 1):
        end = there[first + count - 1]
        is_last = end.text.startswith(last) if wanted.prefix else end.text == last
        if is_last and all(there[first + n].text == word for n, word in enumerate(before)):
            found.append((there[first].start, end.end))
    if found or not wanted.part:
        return found
    return [_span(compared, at, at + len(last)) for at in _places(compared.text, last)]


def _span(compared: Plain, start: int, end: int) -> Span:
    """Where that part is in the text itself, with the diacritics of its last character."""
    return compared.places[start], max(compared.places[end], compared.places[end - 1] + 1)


def _places(text: str, part: str) -> Iterator[int]:
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + len(part))


def _runs(text: str) -> Iterator[Span]:
    start = None
    for place, character in enumerate(text):
        if _in_word(character):
            start = place if start is None else start
        elif start is not None:
            yield start, place
            start = None
    if start is not None:
        yield start, len(text)


@functools.lru_cache(4096)
def _in_word(character: str) -> bool:
    # As `tokenize` of the index says: L* N* Co Mn Mc.
    category = unicodedata.category(character)
    return category[0] in "LN" or category in ("Co", "Mn", "Mc")


@functools.lru_cache(4096)
def _plain_character(character: str) -> str:
    return folded(character.lower())
