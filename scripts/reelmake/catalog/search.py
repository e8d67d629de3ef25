"""Finding moments in all films: by what is said, seen and written there, by titles, by pictures."""

import datetime
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from reelmake.catalog import candidates, film_choice, moments, query, ranks, speakers
from reelmake.catalog.candidates import KINDS, Filters, Hit, Index
from reelmake.catalog.database import Connection
from reelmake.catalog.moments import Moment
from reelmake.catalog.opening import opened
from reelmake.catalog.query import Query

LIMIT = 20
DEPTH = 5
"""Hits that are fetched for each moment that is wanted: some are one moment."""
ENOUGH = 2
"""Times as many hits of whole words as moments are wanted: then no parts are looked for."""
LEAST = 200
"""Hits that are fetched at least."""

Ranker = Callable[[Connection, Filters, int], Sequence[Hit]]
"""Another ranked list of hits, best first: of the open catalog, what the filters leave, and how
many at most. It is fused with those of the two full-text indexes."""


class Answer(NamedTuple):
    """moments: best first. notes: what a person should know about them."""

    moments: list[Moment]
    notes: list[str]


def search(
    catalog: Path,
    text: str,
    *,
    kinds: Sequence[str] = KINDS,
    film: str | None = None,
    since: datetime.datetime | None = None,
    speaker: str | None = None,
    limit: int = LIMIT,
    others: Sequence[Ranker] = (),
) -> Answer:
    """The moments that a query finds.

    text: words (all are wanted), "phrases", -without, begin*; where no moment has all, those that
    have most. catalog: its file, in the folder of all films. kinds: where to look: said, seen,
    written, title. film: only in this one, by id, or in those whose title or file name has that.
    since: only films that are not older. speaker: only while somebody of that name speaks; without
    words, what is said then. others: more ranked lists. Raises UserError where there is no catalog,
    no such film or no such speaker.
    """
    wanted = query.parse(text)
    notes = list(wanted.notes) if text.strip() or not (others or speaker) else []
    with opened(catalog) as db:
        filters = Filters(tuple(kinds), _films(db, film, since))
        most = max(LEAST, limit * DEPTH)
        speaking = speakers.Speaking(db, speaker) if speaker else None
        if speaking:
            filters = _where_they_speak(filters, speaking)
            most *= DEPTH  # of which many are said by others
            if not (text.strip() or others):
                others = [speaking]
        lists: list[Sequence[Hit]] = []
        complete = True
        if wanted.terms:
            lists, complete = _by_text(db, wanted, filters, most, limit * ENOUGH)
        meant: list[Sequence[Hit]] = []
        for ranker in others:
            found = ranker(db, filters, most)
            meant.append([hit for hit in found if not candidates.excluded(hit.text, wanted)])
        is_meant = any(hit.meaning is not None for ranked in meant for hit in ranked)
        if speaking:
            lists = [speaking.kept(ranked) for ranked in lists]
            meant = [speaking.kept(ranked) for ranked in meant]
        if is_meant and not complete:
            lists = [candidates.telling(Index(db, "moment_words", filters), wanted, *lists)]
        groups = moments.grouped(fused([*lists, *meant]))
        missing: dict[int, tuple[str, ...]] = {}
        if complete and wanted.terms and is_meant and groups and not any(lists):
            notes.append("no moment has this word; these mean about the same")
        if not complete:
            missing = {id(group): moments.lacking(group, wanted) for group in groups}
            if is_meant:
                notes.append("no moment has all of these words; these mean about the same")
            else:
                groups.sort(key=lambda group: len(missing[id(group)]))
                if groups and missing[id(groups[0])]:
                    notes.append("no moment has all of these words; these have most of them")
        told: list[Moment] = []
        for group in groups:
            if len(told) == limit:
                break
            lacks = missing.get(id(group), ())
            moment = moments.told(db, catalog.parent, group, wanted, lacks)
            # A sentence may lack a word that is seen at the same time.
            there = f"{moment.said}\n{moment.seen}\n{moment.written}"
            if not candidates.excluded(there, wanted):
                told.append(moment)
    return Answer(told, notes)


def _where_they_speak(filters: Filters, speaking: speakers.Speaking) -> Filters:
    films = {*speaking.films} if filters.films is None else {*filters.films} & {*speaking.films}
    return Filters(tuple(kind for kind in filters.kinds if kind != "title"), tuple(sorted(films)))


def fused(lists: Iterable[Sequence[Hit]]) -> dict[Hit, float]:
    """The hits of several ranked lists with their scores, best first; those at one place are one.

    Of what one list knows of a place, such as the text, the first that knows it counts.
    """
    hits: dict[candidates.Place, Hit] = {}
    places = []
    for ranked in lists:
        for hit in ranked:
            known = hits.get(hit.place)
            hits[hit.place] = hit if known is None else _both(known, hit)
        places.append(list(dict.fromkeys(hit.place for hit in ranked)))
    return {hits[place]: score for place, score in ranks.fused(places).items()}


def _both(known: Hit, hit: Hit) -> Hit:
    like = known.like if known.like is not None else hit.like
    meanings = [each.meaning for each in (known, hit) if each.meaning is not None]
    nearest = max(meanings, default=None)
    return known._replace(text=known.text or hit.text, like=like, meaning=nearest)


def _by_text(
    db: Connection, wanted: Query, filters: Filters, most: int, enough: int
) -> tuple[list[Sequence[Hit]], bool]:
    """The ranked lists of the two indexes, and whether their moments have all that is wanted.

    enough: whole words found so often leave no room for parts of words, which cost more time.
    """
    words = Index(db, "moment_words", filters)
    parts = Index(db, "moment_parts", filters)
    found = candidates.by_words(words, wanted, most)
    lists = [found, candidates.in_a_row(words, wanted, most) if found else []]
    if len(found) >= enough:
        return [*lists], True
    lists.append(candidates.by_parts(parts, wanted, most))
    if any(lists):
        return [*lists], True
    if len(wanted.terms) == 1:
        return [], True
    return [candidates.by_most(words, parts, wanted, most)], False


def _films(
    db: Connection, film: str | None, since: datetime.datetime | None
) -> tuple[int, ...] | None:
    if film is None and since is None:
        return None
    named = None if film is None else {each.number for each in film_choice.named(db, film)}
    young = None if since is None else set(film_choice.since(db, since))
    both = named if young is None else young if named is None else named & young
    return tuple(sorted(both or ()))
