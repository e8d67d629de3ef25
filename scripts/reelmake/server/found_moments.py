"""What a search finds, as its page shows it. The only module of the server that searches."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from reelmake.catalog import by_meaning, like_picture, updating
from reelmake.catalog import search as catalog_search
from reelmake.catalog.by_meaning import Rankers
from reelmake.catalog.candidates import KINDS
from reelmake.catalog.moments import Match, Moment
from reelmake.catalog.opening import opened
from reelmake.catalog.search import Ranker
from reelmake.foundation.text import count
from reelmake.pages.links import Links

LIMIT = 60
"""Moments on a page."""
LONGEST = 500
"""Characters of a query that are looked at."""
SHOWN = 280
"""Characters of a text that are shown."""
BEFORE = 90
"""Of them, before the first word that was looked for."""

HINT = "Nothing was found. Fewer words find more; a part of a word will do."
HINT_LIKE = "No picture of another scene looks like this one."

Meant = Callable[[str], Rankers]
"""Gives, for a query, what ranks moments by its meaning."""
Parts = list[tuple[str, bool]]
"""A text in pieces; true: a word that was looked for."""


class Wanted(NamedTuple):
    """query: words, "phrases", -without, begin*. where: said, seen, written or empty
    (all). film: only in this one, by id, or in those whose title has that. like: FILM@TIME, a
    picture to compare. speaker: only while somebody of this name speaks."""

    query: str = ""
    where: str = ""
    film: str = ""
    like: str = ""
    speaker: str = ""


def find(results: Path, wanted: Wanted, links: Links, meant: Meant) -> dict[str, Any]:
    """What the template search.html shows. Raises UserError for a film that isn't there."""
    kinds = (wanted.where,) if wanted.where in ("said", "seen", "written") else KINDS
    moments: Sequence[Moment] = ()
    notes: list[str] = []
    if wanted.query.strip() or wanted.like or wanted.speaker.strip():
        query = wanted.query[:LONGEST]
        by_vectors = meant(query) if query.strip() or wanted.like else Rankers([], [])
        others: list[Ranker] = list(by_vectors.rankers)
        if wanted.like:
            there = like_picture.parse(wanted.like)
            others.append(like_picture.LikePicture(results, *there))
            others.append(by_meaning.LikePicture(results, *there))
        moments, notes = catalog_search.search(
            results / updating.NAME,
            query,
            kinds=kinds,
            film=wanted.film or None,
            speaker=wanted.speaker.strip() or None,
            limit=LIMIT,
            others=others,
        )
        notes = [*by_vectors.notes, *notes]
    shown = [_shown(moment, links) for moment in moments]
    said = count(len(shown), "moment") if shown else ""
    if len(shown) == LIMIT:
        said = f"the best {LIMIT} moments"
    return nothing(wanted, HINT_LIKE if wanted.like else HINT) | {
        "moments": shown,
        "given": _given(results, wanted.like, links) if wanted.like else None,
        "said": "; ".join([*([said] if said else []), *notes]),
    }


def nothing(wanted: Wanted, why: str) -> dict[str, Any]:
    """What the template shows of a search that has found nothing."""
    return {
        "moments": [],
        "given": None,
        "said": "",
        "hint": why,
        "query": wanted.query[:LONGEST],
        "where": wanted.where,
        "film": wanted.film,
        "like": wanted.like,
        "speaker": wanted.speaker[:LONGEST],
    }


def _given(results: Path, like: str, links: Links) -> dict[str, Any] | None:
    """The picture that others are compared with; None where its film is not named by its id."""
    film, time = like_picture.parse(like)
    with opened(results / updating.NAME) as db:
        row = db.execute(
            "SELECT video, title, file FROM films JOIN keyframes ON keyframes.film = films.id"
            " WHERE video = ? ORDER BY abs(time - ?) LIMIT 1",
            (film, time),
        ).fetchone()
    if row is None:
        return None
    video, title, file = row
    picture = links.artifact(video, f"keyframes/{file}")
    return {"id": video, "title": title, "start": time, "picture": picture}


def _shown(moment: Moment, links: Links) -> dict[str, Any]:
    file = Path(moment.keyframe).name if moment.keyframe else None
    return {
        "id": moment.film,
        "title": moment.title,
        "start": moment.start,
        "picture": links.artifact(moment.film, f"keyframes/{file}") if file else None,
        "said": _parts(moment, "said", moment.said),
        "seen": _parts(moment, "seen", moment.seen),
        "speakers": moment.speakers,
        "written": _parts(moment, "written", moment.written),
        "why": _why(moment),
        "like": f"{moment.film}@{moment.start:.3f}" if file else None,
    }


def _parts(moment: Moment, kind: str, otherwise: str | None) -> Parts:
    found: Parts = []
    for match in moment.matches:
        if match.kind == kind:
            found += [*([(" … ", False)] if found else []), *_marked(match)]
    if found or not otherwise:
        return found
    more = "…" if len(otherwise) > SHOWN else ""
    return [(otherwise[:SHOWN].replace("\n", " · ") + more, False)]


def _marked(match: Match) -> Parts:
    """The text around the first word that was looked for."""
    first = match.marks[0][0] if match.marks else 0
    at = max(0, first - BEFORE) if len(match.text) > SHOWN else 0
    end = min(len(match.text), at + SHOWN)
    found: Parts = [("…", False)] if at else []
    for start, stop in match.marks:
        if start >= end:
            break
        found += [(match.text[at:start], False), (match.text[start : min(stop, end)], True)]
        at = min(stop, end)
    found += [(match.text[at:end], False), ("…" if end < len(match.text) else "", False)]
    return [(text.replace("\n", " · "), is_found) for text, is_found in found if text]


def _why(moment: Moment) -> str:
    reasons: dict[str, list[str]] = {}
    for match in moment.matches:
        reasons.setdefault(match.where, []).extend(match.words)
    parts = [
        f"{', '.join(dict.fromkeys(words))} {'in the title' if kind == 'title' else f'is {kind}'}"
        for kind, words in reasons.items()
    ]
    if moment.like is not None:
        parts.append(f"looks alike ({64 - moment.like} of 64 bits)")
    if moment.meaning is not None:
        parts.append(f"means about the same ({moment.meaning:.2f} of 1)")
    elif moment.missing:
        parts.append(f"without {', '.join(moment.missing)}")
    return "; ".join(parts)
