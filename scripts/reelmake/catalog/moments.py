"""Hits that lie together are one moment, and what there is at it."""

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath
from typing import NamedTuple, TypeGuard

from reelmake.catalog import speakers, text_matches
from reelmake.catalog.candidates import Hit
from reelmake.catalog.database import Connection, Damaged
from reelmake.catalog.query import Query
from reelmake.catalog.text_matches import Span
from reelmake.foundation import artifact_files, urls

NEAR = 10.0
"""Seconds between the beginnings of two hits that are one moment."""
GAP = 2.0
"""Seconds from the end of one hit to the beginning of the next that are one moment."""


class Match(NamedTuple):
    """Why a moment is found. kind: said, seen, written or title. words: of the query, as they
    were typed. text: of that hit. marks: where the words are in it, in characters. language: of a
    translation; None: it is what the film itself says."""

    kind: str
    words: tuple[str, ...]
    text: str
    marks: tuple[Span, ...]
    language: str | None = None

    @property
    def where(self) -> str:
        """Where the words are, for people: 'said', 'said (de)'."""
        return f"{self.kind} ({self.language})" if self.language else self.kind


class Moment(NamedTuple):
    """A moment of a film.

    film: its id. source: its path, or its URL without secrets. path: the file to play; None where
    none is known. start, end: s. said, seen, written: what is said, seen and written there,
    whether it matched or not. keyframe: a picture of it. matches: what is found there. missing:
    words of the query that are not. like: how many of 64 bits its picture differs in from the one
    that was given. score: higher is better, comparable within one answer. meaning: how near its
    vector lies to the query's or the picture's, up to 1; None where it was not found by that.
    speakers: who speaks there, the longest first: names, with a question mark where that is
    guessed, or labels.
    """

    film: str
    title: str
    source: str | None
    path: str | None
    start: float
    end: float
    said: str | None
    seen: str | None
    written: str | None
    keyframe: str | None
    matches: tuple[Match, ...]
    missing: tuple[str, ...]
    like: int | None
    score: float
    meaning: float | None
    speakers: tuple[str, ...] = ()


class Group(NamedTuple):
    """Hits of one film that lie together, the best first."""

    hits: list[Hit]
    score: float


def grouped(scores: Mapping[Hit, float]) -> list[Group]:
    """The hits as moments, best first. scores: of each hit, best first.

    A moment counts as much as the best of what is said there, of what is seen and of what
    is written.
    """
    groups: list[list[Hit]] = []
    of_film: dict[int, list[list[Hit]]] = {}
    for hit in scores:
        there = of_film.setdefault(hit.place.film, [])
        for group in there:
            if _together(group[0], hit):
                group.append(hit)
                break
        else:
            there.append([hit])
            groups.append(there[-1])
    found = []
    for group in groups:
        best: dict[str, float] = {}
        for hit in group:
            best.setdefault(hit.place.kind, scores[hit])
        found.append(Group(group, sum(best.values())))
    return sorted(found, key=lambda group: -group.score)


def _together(one: Hit, other: Hit) -> bool:
    if "title" in (one.place.kind, other.place.kind):
        return False
    gap = max(one.start, other.start) - min(one.end, other.end)
    return abs(one.start - other.start) <= NEAR and gap <= GAP


def lacking(group: Group, wanted: Query) -> tuple[str, ...]:
    """The words of the query that none of a moment's hits has."""
    has = [text_matches.all_spans(hit.text, [t.wanted for t in wanted.terms]) for hit in group.hits]
    spans = zip(*has, strict=True)
    return tuple(t.typed for t, each in zip(wanted.terms, spans, strict=True) if not any(each))


def told(
    db: Connection,
    results: Path,
    group: Group,
    wanted: Query,
    missing: tuple[str, ...] = (),
) -> Moment:
    """A moment with what is said, seen and written there. results: the folder of all films.

    Raises Damaged where the catalog has no such film.
    """
    film = group.hits[0].place.film
    start = min(hit.start for hit in group.hits)
    end = max(hit.end for hit in group.hits)
    row = db.execute("SELECT video, title, source FROM films WHERE id = ?", (film,)).fetchone()
    if row is None:
        raise Damaged("a moment is of no film")
    video, title, source = row
    hits = sorted(group.hits, key=lambda hit: hit.start)
    said, seen, written = (_texts(hits, kind) for kind in ("said", "seen", "written"))
    timed = hits[0].place.kind != "title"
    scene = next((hit.place.item for hit in hits if hit.place.kind == "seen"), None)
    if scene is None:
        scene = _scene(db, film, start)
    if timed:
        said = said or _around(db, film, "said", start, end)
        seen = seen or _described(db, film, scene, start)
        written = written or _around(db, film, "written", start, end)
    return Moment(
        video,
        title or video,
        source,
        playable(results, video, source),
        start,
        end,
        said,
        seen,
        written,
        _keyframe(db, results / video, film, scene, start),
        tuple(_matches(hits, wanted)),
        missing,
        min((hit.like for hit in hits if hit.like is not None), default=None),
        round(group.score, 6),
        max((hit.meaning for hit in hits if hit.meaning is not None), default=None),
        tuple(speakers.present(db, film, start, end)) if timed else (),
    )


def playable(results: Path, video: str, source: str | None) -> str | None:
    """The path of a film's own file: of one from the web, of what was downloaded."""
    if source is None or not urls.is_url(source):
        return source
    record = artifact_files.read_json(results / video / "source.json")
    name = record.get("file") if isinstance(record, dict) else None
    return str((results / video / name).absolute()) if _is_name(name) else None


def _texts(hits: Iterable[Hit], kind: str) -> str | None:
    """What the film itself says or shows where something was found."""
    own = (hit for hit in hits if hit.place.kind == kind and hit.place.language is None)
    return "\n".join(hit.text for hit in own if hit.text) or None


def _matches(hits: Iterable[Hit], wanted: Query) -> Iterable[Match]:
    for hit in hits:
        spans = text_matches.all_spans(hit.text, [term.wanted for term in wanted.terms])
        there = [(term.typed, each) for term, each in zip(wanted.terms, spans, strict=True) if each]
        if there:
            marks = sorted(span for _, each in there for span in each)
            words = tuple(typed for typed, _ in there)
            place = hit.place
            yield Match(place.kind, words, hit.text, tuple(_merged(marks)), place.language)


def _merged(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, of which none touches another's characters."""
    found: list[Span] = []
    for start, end in spans:
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _scene(db: Connection, film: int, time: float) -> int | None:
    row = db.execute(
        "SELECT scene FROM scenes WHERE film = ? AND start <= ? ORDER BY start DESC LIMIT 1",
        (film, time + 0.001),
    ).fetchone()
    return row[0] if row else None


def _around(db: Connection, film: int, kind: str, start: float, end: float) -> str | None:
    rows = db.execute(
        "SELECT text FROM moments WHERE film = ? AND kind = ? AND language IS NULL"
        ' AND start < ? AND "end" > ? ORDER BY start LIMIT 5',
        (film, kind, max(end, start + 0.001), start - (kind == "written") * 0.001),
    )
    return "\n".join(text for (text,) in rows) or None


def _described(db: Connection, film: int, scene: int | None, start: float) -> str | None:
    row = db.execute(
        "SELECT text FROM moments WHERE film = ? AND kind = 'seen' AND item = ?"
        " ORDER BY abs(start - ?) LIMIT 1",
        (film, scene, start),
    ).fetchone()
    return row[0] if row else None


def _keyframe(
    db: Connection, folder: Path, film: int, scene: int | None, start: float
) -> str | None:
    row = db.execute(
        "SELECT file FROM keyframes WHERE film = ? AND scene = ? ORDER BY abs(time - ?) LIMIT 1",
        (film, scene, start),
    ).fetchone()
    if not row or not _is_name(row[0]):
        return None
    path = folder / "keyframes" / row[0]
    return str(path) if path.is_file() else None


def _is_name(name: object) -> TypeGuard[str]:
    """Whether it names a file in a folder, and nothing outside of it."""
    return isinstance(name, str) and name not in ("", "..") and PurePath(name).name == name
