"""What a person types to search, made into expressions of SQLite's FTS5.

Every word is quoted, so that nothing that is typed is an operator, or an error, of FTS5.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from reelmake.catalog import text_matches
from reelmake.catalog.text_matches import Wanted

LONGEST = 1_000
"""Characters of a query that are looked at."""
MOST = 32
"""Words and phrases of a query that are looked for."""
BEGINNING = 2
"""Characters that a beginning* has at least: those of one letter are half of all words."""
PART = 3
"""Characters that a part of a word has at least: the index of parts has three in a row."""

_QUOTES = str.maketrans("“”„‟«»＂", '"""""""')
_PIECE = re.compile(r'(-?)(?:"([^"]*)"(\*?)|(\S+))')


class Term(NamedTuple):
    """A word or a phrase. typed: as a person reads it. wanted: its words as they are compared."""

    typed: str
    wanted: Wanted

    @property
    def words(self) -> str:
        """It as an expression for `moment_words`."""
        return f'"{" ".join(self.wanted.words)}"' + ("*" if self.wanted.prefix else "")

    @property
    def parts(self) -> str | None:
        """It as an expression for `moment_parts`; None where only whole words are meant, or it is
        too short for that index."""
        return f'"{self.wanted.words[0]}"' if self.wanted.part else None


class Query(NamedTuple):
    """terms: what is wanted. without: what must not be there. notes: what a person should know of
    how the query was understood."""

    terms: tuple[Term, ...]
    without: tuple[Term, ...]
    notes: tuple[str, ...] = ()


def parse(text: str) -> Query:
    """A query: words, "phrases in quotes", -without, begin*.

    Any text is one. Quotes that don't end and signs between words mean nothing.
    """
    notes = []
    if len(text) > LONGEST:
        text = text[:LONGEST]
        notes.append(f"only the first {LONGEST:,} characters of the query were looked at")
    text = "".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in text)
    text = unicodedata.normalize("NFC", text)
    terms: dict[Wanted, Term] = {}
    without: dict[Wanted, Term] = {}
    for minus, phrase, star, word in _PIECE.findall(text.translate(_QUOTES)):
        term = _term(phrase or word, star == "*" or word.endswith("*"), bool(phrase or minus))
        if term:
            (without if minus else terms).setdefault(term.wanted, term)
    if len(terms) + len(without) > MOST:
        notes.append(f"only the first {MOST} words of the query were looked for")
    found = tuple(terms.values())[:MOST]
    if not found:
        why = "a query needs a word that is wanted" if without else "there is no word in the query"
        notes.append(why)
    return Query(found, tuple(without.values())[:MOST], tuple(notes))


def all_of(terms: Sequence[Term]) -> str:
    """An expression for `moment_words`: each of the terms."""
    return " AND ".join(term.words for term in terms)


def any_of(terms: Sequence[Term]) -> str:
    """An expression for `moment_words`: at least one of the terms."""
    return " OR ".join(term.words for term in terms)


def in_a_row(terms: Sequence[Term]) -> str:
    """An expression for `moment_words`: all words of the terms as one phrase."""
    words = tuple(word for term in terms for word in term.wanted.words)
    return Term("", Wanted(words, terms[-1].wanted.prefix)).words


def _term(text: str, prefix: bool, phrase: bool) -> Term | None:
    words = tuple(word.text for word in text_matches.words(text_matches.plain(text)))
    if not words:
        return None
    prefix = prefix and len(words[-1]) >= BEGINNING
    part = len(words) == 1 and not prefix and not phrase and len(words[0]) >= PART
    typed = text.strip().strip('"').rstrip("*") + ("*" if prefix else "")
    return Term(typed, Wanted(words, prefix, part))
