"""The moments that a library's artifacts name, for an editor."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reelmake.editing.string_out import Moment
from reelmake.tables import rows

Row = dict[str, Any]


def of(what: str, results: Path, source: Path) -> list[Moment]:
    """The moments of a video in the order of time; none where they have not been made.

    what: one of `KINDS`. results: the video's folder. source: its film.
    """
    table, words = KINDS[what]
    video = rows.Artifacts(results)
    seen = _seen(video) if what == "scenes" else {}
    moments = []
    found = [row for row in rows.of(table, video) if _is_span(row)]
    for number, row in enumerate(sorted(found, key=lambda row: row["start"])):
        label, note = words(row | {"seen": seen.get(row.get("scene"))}, number + 1)
        moments.append(Moment(source, row["start"], row["end"], label, note))
    return moments


def _is_span(row: Row) -> bool:
    """Whether its times are some: people edit files."""
    times = [row.get("start"), row.get("end")]
    if not all(isinstance(time, int | float) and math.isfinite(time) for time in times):
        return False
    return bool(0 <= row["start"] < row["end"])


def _highlight(row: Row, number: int) -> tuple[str, str | None]:
    score = row.get("score")
    rated = f", {score:g} of 10" if isinstance(score, int | float) else ""
    return f"Highlight {number}{rated}", _text(row.get("reason")) or _text(row.get("text"))


def _scene(row: Row, number: int) -> tuple[str, str | None]:
    return f"Scene {number}", _text(row["seen"])


def _beat(row: Row, number: int) -> tuple[str, str | None]:
    beat = (_text(row.get("beat")) or f"beat {number}").capitalize()
    title = _text(row.get("title"))
    return f"{beat}: {title}" if title else beat, _text(row.get("why"))


def _seen(video: rows.Artifacts) -> dict[Any, Any]:
    """What is seen in each scene: the first of its keyframes that was described."""
    found: dict[Any, Any] = {}
    for row in rows.of("descriptions", video):
        if row["visual_content"]:
            found.setdefault(row["scene"], row["visual_content"])
    return found


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


KINDS: dict[str, tuple[str, Callable[[Row, int], tuple[str, str | None]]]] = {
    "highlights": ("highlights", _highlight),
    "scenes": ("scenes", _scene),
    "beats": ("beats", _beat),
}
"""What can be asked for: the table that it is in, and a row's label and note."""
