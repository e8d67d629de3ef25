"""What the page of the library shows of every film: one row each, as small as may be."""

import json
from pathlib import PurePath
from typing import Any

from reelmake.pages.rendering import reason, shown

# The picture of a film is the one next to the start of its best highlight, or else to its middle.
_QUERY = """
WITH best AS (SELECT film, start, max(score) AS score FROM highlights GROUP BY film),
shown AS (
    SELECT films.id AS film, coalesce(best.start + 0.5, films.duration / 2, 0) AS time, best.score
    FROM films LEFT JOIN best ON best.film = films.id
),
pictures AS (
    SELECT keyframes.film, keyframes.file, min(abs(keyframes.time - shown.time))
    FROM keyframes JOIN shown ON shown.film = keyframes.film GROUP BY keyframes.film
)
SELECT films.video, films.title, films.duration, films.state, films.highlights, films.scenes,
       films.segments, iif(films.segments, films.language, NULL),
       films.size, films.modified, pictures.file, shown.score,
       failed.stage, failed.error, films.source
FROM films JOIN shown ON shown.film = films.id LEFT JOIN pictures ON pictures.film = films.id
LEFT JOIN (SELECT film, min(stage) AS stage, error FROM failures GROUP BY film) AS failed
    ON failed.film = films.id
ORDER BY films.id
"""
FIELDS = (
    *("id", "title", "duration", "state", "highlights", "scenes", "segments", "language", "size"),
    *("modified", "picture", "best", "failure"),
)
LONGEST = 300
"""Characters of the reason of a failure."""


def rows(db: Any) -> list[list[Any]]:
    """A list of the values of `FIELDS` for each film. Raises sqlite3.Error.

    db: an open catalog.
    """
    found = []
    for *values, stage, error, source in db.execute(_QUERY):
        duration, modified = values[2], values[9]
        values[2] = round(duration, 1) if duration is not None else None
        values[9] = modified[:10] if isinstance(modified, str) else None
        values.append(shown(_failure(values[0], stage, error, source)) if stage else None)
        values[1] = shown(values[1] or values[0])
        found.append(values)
    return found


def _failure(video: str, stage: str, error: str | None, source: str | None) -> str:
    """Why a film failed, in the few lines that the grid has: its file by its name alone."""
    why = reason(error, video, stage) or ""
    if source:
        why = why.replace(source, PurePath(source).name)
    return f"{stage}: {why}"[:LONGEST] if why else stage


def script(films: list[list[Any]]) -> bytes:
    """The rows as a script that a page loads: pages on disk can't read JSON by themselves."""
    text = json.dumps(films, ensure_ascii=False, separators=(",", ":"))
    # JSON is JavaScript; the two line separators and `<` are escaped for old readers of either.
    for char in "\u2028\u2029<":
        text = text.replace(char, f"\\u{ord(char):04x}")
    fields = json.dumps(FIELDS)
    return f"self.reelmake={{fields:{fields},films:{text}}};\n".encode(errors="replace")
