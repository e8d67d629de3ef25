"""Where somebody speaks, in all films of the catalog."""

from collections.abc import Iterable
from typing import Any

from reelmake.catalog.candidates import Filters, Hit, Place
from reelmake.catalog.database import Connection
from reelmake.catalog.text_matches import plain
from reelmake.editing.speakers import Turn, Turns
from reelmake.foundation.errors import UserError
from reelmake.foundation.text import did_you_mean


def shown(name: str | None, guessed: Any, label: str) -> str:
    """A voice for people: 'Anna', 'Anna?' where that is guessed, or its label."""
    return label if name is None else f"{name}?" if guessed else name


def present(db: Connection, film: int, start: float, end: float) -> list[str]:
    """Who speaks in a span of a film, for people, the longest first: names, or labels where the
    film has several voices. S1 of a film with one voice would tell nobody anything.
    """
    rows = db.execute(
        "SELECT turns.speaker, name, guessed,"
        ' sum(min(turns."end", :end) - max(turns.start, :start)) AS seconds'
        " FROM speaker_turns AS turns LEFT JOIN speakers"
        " ON speakers.film = turns.film AND speakers.speaker = turns.speaker"
        ' WHERE turns.film = :film AND turns.start < :end AND turns."end" > :start'
        " GROUP BY turns.speaker ORDER BY seconds DESC, turns.speaker",
        {"film": film, "start": start, "end": max(end, start + 0.001)},
    )
    voices = db.execute("SELECT count(*) FROM speakers WHERE film = ?", (film,)).fetchone()[0]
    return list(
        dict.fromkeys(
            shown(name, guessed, label)
            for label, name, guessed, _ in rows
            if name is not None or voices != 1
        )
    )


class Speaking:
    """Where somebody speaks, in all films; also ranks what is said there, the longest first.

    name: of a person, or a part of it; case and diacritics don't matter. Raises UserError where
    nobody is called so.
    """

    def __init__(self, db: Connection, name: str):
        people = [text for (text,) in db.execute("SELECT DISTINCT name FROM speakers") if text]
        wanted = plain(name).text.strip()
        there = [each for each in people if plain(each).text == wanted]
        there = there or [each for each in people if wanted and wanted in plain(each).text]
        if not there:
            hint = did_you_mean(name, people)
            raise UserError(f"no speaker is called '{name}'{hint}; `reel speakers` lists them")
        spans: dict[int, list[Turn]] = {}
        for who in there:
            for film, start, end, label in db.execute(
                'SELECT turns.film, turns.start, turns."end", turns.speaker'
                " FROM speakers JOIN speaker_turns AS turns ON turns.film = speakers.film"
                " AND turns.speaker = speakers.speaker WHERE name = ?",
                (who,),
            ):
                spans.setdefault(film, []).append(Turn(start, end, label))
        self.turns = {film: Turns(found) for film, found in spans.items()}

    def seconds(self, hit: Hit) -> float:
        """How long they speak in a hit."""
        turns = self.turns.get(hit.place.film)
        end = max(hit.end, hit.start + 0.001)
        return sum(turns.covered(hit.start, end).values()) if turns else 0.0

    def kept(self, hits: Iterable[Hit]) -> list[Hit]:
        """Of hits those at whose time they speak."""
        return [hit for hit in hits if hit.place.kind != "title" and self.seconds(hit) > 0]

    def __call__(self, db: Connection, filters: Filters, most: int) -> list[Hit]:
        """What is said while they speak, the longest first."""
        films = self.turns.keys() if filters.films is None else {*filters.films} & self.turns.keys()
        hits = [
            Hit(Place(film, "said", item), start or 0.0, end or 0.0, text)
            for film in sorted(films)
            for item, start, end, text in db.execute(
                'SELECT item, start, "end", text FROM moments'
                " WHERE film = ? AND kind = 'said' AND language IS NULL",
                (film,),
            )
        ]
        return sorted(self.kept(hits), key=lambda hit: -self.seconds(hit))[:most]
