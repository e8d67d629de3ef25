"""Ranked lists of what the catalog's two full-text indexes find.

SQLite's bm25 looks at every row that has a word, which takes long where there are many. So a word
in more than `COMMON` moments is demanded but not scored: it tells moments apart least. Where every
word is that common, a sample from all over the library is taken.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from reelmake.catalog import query, ranks, text_matches
from reelmake.catalog.database import Connection
from reelmake.catalog.query import Query, Term

COMMON = 5_000
"""Moments from which on a word is common."""
FEW, FEW_OF = 2, 50
"""A word is rare that two moments have, or one of fifty."""
SAMPLES = 4
"""Places of the library from which moments are taken where every word is common."""
NEAREST = 500
"""Moments with some of the words that are compared, where none has all."""

KINDS = ("said", "seen", "written", "title")


class Place(NamedTuple):
    """Where something is found: in which film (its number), in which kind of moment, and the number
    of the segment of speech, of the scene or of the line of text. language: of a translation; None:
    it is what the film itself says."""

    film: int
    kind: str
    item: int | None
    language: str | None = None


class Hit(NamedTuple):
    """A moment that is found. start, end: s. like: how many of 64 bits its picture differs in from
    one that was given; None where it was not found by that. meaning: the cosine of the angle
    between its vector and one that was given; None where it was not found by that."""

    place: Place
    start: float
    end: float
    text: str
    like: int | None = None
    meaning: float | None = None


class Filters(NamedTuple):
    """kinds: of moments. films: their numbers; None: all."""

    kinds: tuple[str, ...] = KINDS
    films: tuple[int, ...] | None = None


class Index:
    """One of the two full-text indexes, less what the filters leave out. name: of the index."""

    def __init__(self, db: Connection, name: str, filters: Filters):
        self._db, self._name = db, name
        self._first, self._last = _range(db, filters.films)
        self._where = ""
        self._values: list[object] = []
        if set(filters.kinds) != set(KINDS):
            self._where += f" AND kind IN ({', '.join('?' * len(filters.kinds))})"
            self._values += filters.kinds
        if filters.films is not None:
            self._where += " AND film IN (SELECT value FROM json_each(?))"
            self._values.append(f"[{','.join(map(str, filters.films))}]")

    def is_common(self, expression: str) -> bool:
        """Whether so many moments match that they are not to be scored."""
        return self.count(expression, COMMON) >= COMMON

    def count(self, expression: str, most: int) -> int:
        """How many moments match, `most` at most."""
        (found,) = self._db.execute(
            f"SELECT count(*) FROM (SELECT rowid FROM {self._name} WHERE {self._name} MATCH ?"
            f" AND rowid BETWEEN ? AND ? LIMIT {most})",
            (expression, self._first, self._last),
        ).fetchone()
        return int(found)

    @property
    def size(self) -> int:
        """How many moments there are, about."""
        return self._last - self._first + 1

    def ranked(self, scored: str, most: int, demanded: str | None = None) -> list[Hit]:
        """The moments that match `scored`, best first. demanded: they have to match that, too."""
        also, values = "", [scored, self._first, self._last]
        if demanded is not None:
            # The + keeps SQLite from asking the index anew for each of them.
            also = f" AND +{self._name}.rowid IN (SELECT rowid FROM {self._name}"
            also += f" WHERE {self._name} MATCH ?)"
            values.append(demanded)
        return self._hits(
            f"{also}{self._where} ORDER BY {self._name}.rank LIMIT ?",
            (*values, *self._values, most),
        )

    def sampled(self, expression: str, most: int) -> list[Hit]:
        """Some of the moments that match, from all over the library, the shortest first: in those
        the words are the most of what is there."""
        each = max(1, most * 4 // SAMPLES)
        step = max(1, (self._last - self._first) // SAMPLES + 1)
        found = []
        for start in range(self._first, self._last + 1, step):
            end = min(start + step - 1, self._last)
            found += self._hits(
                f"{self._where} LIMIT ?", (expression, start, end, *self._values, each)
            )
        return sorted(found, key=lambda hit: len(hit.text))[:most]

    def _hits(self, rest: str, values: Sequence[object]) -> list[Hit]:
        rows = self._db.execute(
            'SELECT film, kind, item, language, start, "end", moments.text'
            f" FROM {self._name} JOIN moments ON moments.id = {self._name}.rowid"
            f" WHERE {self._name} MATCH ? AND {self._name}.rowid BETWEEN ? AND ?{rest}",
            tuple(values),
        )
        return [_hit(*row) for row in rows]


def by_words(index: Index, wanted: Query, most: int) -> list[Hit]:
    """The moments that have all that is wanted as whole words, best first."""
    every = query.all_of(wanted.terms)
    if wanted.without:
        every = f"({every}) NOT ({query.any_of(wanted.without)})"
    scored = [term for term in wanted.terms if not index.is_common(term.words)]
    if not scored:
        common = index.is_common(every)
        return index.sampled(every, most) if common else index.ranked(every, most)
    whole = len(scored) == len(wanted.terms) and not wanted.without
    return index.ranked(query.all_of(scored), most, None if whole else every)


def in_a_row(index: Index, wanted: Query, most: int) -> list[Hit]:
    """The moments that have all the words of the query as they were typed, one after the other: of
    those that have them anywhere, the ones that are most likely meant."""
    words = query.in_a_row(wanted.terms)
    if len(wanted.terms) < 2 or index.is_common(words):
        return []
    if wanted.without:
        words = f"{words} NOT ({query.any_of(wanted.without)})"
    return index.ranked(words, most)


def by_parts(index: Index, wanted: Query, most: int) -> list[Hit]:
    """Moments that have all that is wanted, some of it as a part of a word, the shortest first.

    Not by bm25: that would look three times at all that have the parts, and all of these have them.
    """
    parts = [term.parts for term in wanted.terms if term.parts]
    if not parts:
        return []
    found = index.sampled(" AND ".join(parts), most * 2)
    return [
        hit
        for hit in found
        if len(_there(hit.text, wanted.terms)) == len(wanted.terms)
        and not excluded(hit.text, wanted)
    ][:most]


def by_most(words: Index, parts: Index, wanted: Query, most: int) -> list[Hit]:
    """The moments that have some of what is wanted: those that have the most of it first."""
    scored = [term for term in wanted.terms if not words.is_common(term.words)]
    lists = [words.ranked(query.any_of(scored), NEAREST)] if scored else []
    if len(scored) < len(wanted.terms) and not (lists and lists[0]):
        lists.append(words.sampled(query.any_of(wanted.terms), NEAREST))
    shown = {term for found in lists for hit in found for term in _there(hit.text, wanted.terms)}
    rest = [term.parts for term in scored if term.parts and term not in shown]
    rest = [part for part in rest if not parts.is_common(part)]
    if rest:
        lists.append(parts.ranked(" OR ".join(rest), NEAREST))
    hits = list(ranks.fused(lists))
    counted = [(len(_there(hit.text, wanted.terms)), hit) for hit in hits]
    counted = [(n, hit) for n, hit in counted if n and not excluded(hit.text, wanted)]
    return [hit for _, hit in sorted(counted, key=lambda each: -each[0])][:most]


def telling(index: Index, wanted: Query, hits: Sequence[Hit]) -> list[Hit]:
    """Of hits that have some of what is wanted, those that have a word of it which few moments
    have: "the" says nothing."""
    few = min(COMMON, max(FEW, index.size // FEW_OF))
    rare = [term for term in wanted.terms if index.count(term.words, few + 1) <= few]
    found = []
    for hit in hits:
        there = text_matches.all_spans(
            hit.text, [term.wanted._replace(part=False) for term in rare]
        )
        if any(there):
            found.append(hit)
    return found


def excluded(text: str, wanted: Query) -> bool:
    """Whether the text has what must not be there, as a whole word."""
    return bool(wanted.without and _there(text, wanted.without))


def _there(text: str, terms: Sequence[Term]) -> list[Term]:
    found = text_matches.all_spans(text, [term.wanted for term in terms])
    return [term for term, spans in zip(terms, found, strict=True) if spans]


def _hit(
    film: int,
    kind: str,
    item: int | None,
    language: str | None,
    start: float | None,
    end: float | None,
    text: str,
) -> Hit:
    begin = start or 0.0
    return Hit(Place(film, kind, item, language), begin, max(begin, end or 0.0), text)


def _range(db: Connection, films: Sequence[int] | None) -> tuple[int, int]:
    """The first and the last number of the films' moments, which lie together."""
    if films is not None and len(films) <= SAMPLES:
        ends = [end for film in films for end in _ends(db, film)]
        return (min(ends), max(ends)) if ends else (1, 0)
    # Of both in one SELECT, SQLite would look at every row.
    first, last = db.execute(
        "SELECT (SELECT min(id) FROM moments), (SELECT max(id) FROM moments)"
    ).fetchone()
    return (first, last) if first is not None else (1, 0)


def _ends(db: Connection, film: int) -> Iterator[int]:
    for end in db.execute(
        "SELECT min(id), max(id) FROM moments WHERE film = ?", (film,)
    ).fetchone():
        if end is not None:
            yield end
