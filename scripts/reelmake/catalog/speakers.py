"""Where somebody speaks, in all films of the catalog."""

import json
from collections.abc import Collection, Iterable
from typing import Any

from reelmake.catalog.candidates import Filters, Hit, Place
from reelmake.catalog.database import Connection
from reelmake.catalog.text_matches import plain
from reelmake.editing.speakers import Turn, Turns
from reelmake.foundation.errors import UserError
from reelmake.foundation.text import did_you_mean

KEPT = 2_000
"""Films whose turns are kept while a question is answered."""
MANY = 200
"""Films from which on not each line is compared with each turn."""

_LINES = """
SELECT film, item, start, "end", text FROM moments
WHERE film IN (SELECT value FROM json_each(?)) AND kind = 'said' AND language IS NULL
"""
_THEIRS = """
SELECT segments.film, segment, start, "end", text FROM speakers
JOIN segments ON segments.film = speakers.film
WHERE speakers.film IN (SELECT value FROM json_each(?))
  AND name IN (SELECT value FROM json_each(?))
  AND instr('+' || segments.speaker || '+', '+' || speakers.speaker || '+') AND trim(text) != ''
ORDER BY "end" - start DESC, segments.film, segment LIMIT ?
"""


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

    Who is in thousands of films has millions of turns: a film's are read where it is asked about.

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
            raise UserError(
                f"no speaker is called '{name}'{hint}; `reel speakers` lists them, and a name that "
                "was just given is known here after the next run"
            )
        self._db, self._names = db, there
        self._labels: dict[int, set[str]] = {}
        for who in there:
            for film, label in db.execute(
                "SELECT film, speaker FROM speakers WHERE name = ?", (who,)
            ):
                self._labels.setdefault(film, set()).add(label)
        self._turns: dict[int, Turns] = {}

    @property
    def films(self) -> Collection[int]:
        """The numbers of the films that have a voice of theirs."""
        return self._labels.keys()

    def seconds(self, hit: Hit) -> float:
        """How long they speak in a hit."""
        film = hit.place.film
        if film not in self._labels:
            return 0.0
        if film not in self._turns:
            if len(self._turns) == KEPT:
                self._turns.clear()
            rows = self._db.execute(
                'SELECT start, "end", speaker FROM speaker_turns WHERE film = ?', (film,)
            )
            self._turns[film] = Turns(Turn(*row) for row in rows if row[2] in self._labels[film])
        end = max(hit.end, hit.start + 0.001)
        return sum(self._turns[film].covered(hit.start, end).values())

    def kept(self, hits: Iterable[Hit]) -> list[Hit]:
        """Of hits those at whose time they speak."""
        return [hit for hit in hits if hit.place.kind != "title" and self.seconds(hit) > 0]

    def __call__(self, db: Connection, filters: Filters, most: int) -> list[Hit]:
        """What is said while they speak, the longest first. Of somebody in many films, what mostly
        they say: to compare all their lines with all their turns would take a minute."""
        films = {*self.films} if filters.films is None else {*filters.films} & {*self.films}
        chosen = f"[{','.join(map(str, sorted(films)))}]"
        if len(films) > MANY:
            rows = db.execute(_THEIRS, (chosen, json.dumps(self._names), most))
        else:
            rows = db.execute(_LINES, (chosen,))
        hits = [
            Hit(Place(film, "said", item), start or 0.0, end or 0.0, text.strip())
            for film, item, start, end, text in rows
        ]
        hits.sort(key=lambda hit: hit.place.film)  # so that each film's turns are read once
        timed = [(self.seconds(hit), hit) for hit in hits]
        timed.sort(key=lambda each: -each[0])
        return [hit for seconds, hit in timed[:most] if seconds > 0]
