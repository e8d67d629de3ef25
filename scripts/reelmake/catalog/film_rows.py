"""One film as the catalog has it: plain values, ready to be written."""

import datetime
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from reelmake.catalog import schema
from reelmake.catalog.indexed_text import folded, spread
from reelmake.foundation import urls
from reelmake.tables import rows, titles
from reelmake.tables.columns import TABLES

Value = str | int | float | None
Values = list[Value]
_LARGEST = 2**63
_AS_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode

DESCRIBED = ("visual_content", "action", "setting", "mood")
"""What the text of a seen moment is made of, in this order."""


class FilmRows(NamedTuple):
    """film: the values of its row in `films`, but for its number. tables: table -> rows, each
    without the film's number. moments: (kind, item, start, end, text, spread, folded, language)
    each."""

    film: Values
    tables: dict[str, list[Values]]
    moments: list[Values]


def read(results: Path) -> FilmRows:
    """What the artifacts of the film in `results` say. What is damaged is absent."""
    video = rows.Artifacts(results)
    (film, *_) = [*_of("videos", video), {"title": titles.of(results.name)}]
    tables: dict[str, list[Values]] = {}
    for table, key in schema.KEYS.items():
        columns = schema.columns(table)
        fitters = [(column.name, _FITTERS[column.dtype]) for column in columns]
        places = [number for number, column in enumerate(columns) if column.name in key]
        found: list[Values] = []
        for row in _of(table, video):
            if table == "segments":
                row = row | {"words": _words(row.get("words"))}
            elif table == "speakers":
                row = row | {"guessed": 0}
            values = [fit(row.get(name)) for name, fit in fitters]
            if all(values[place] is not None for place in places):
                found.append(values)
        tables[table] = found
    values = [_FITTERS[column.dtype](film.get(column.name)) for column in TABLES["videos"]]
    values[0] = _text(results.name)
    return FilmRows(values, tables, list(_moments(film, results.name, tables)))


def _of(table: str, video: rows.Artifacts) -> Iterator[rows.Row]:
    try:
        yield from rows.of(table, video)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
        return  # a file that somebody has edited


def _moments(film: rows.Row, name: str, tables: dict[str, list[Values]]) -> Iterator[Values]:
    title = _text(film.get("title")) or name
    source = film.get("source")
    file = name
    if isinstance(source, str):
        file = urls.name(source) if urls.is_url(source) else PurePath(source).name
    yield _moment("title", None, 0.0, _number(film.get("duration")), f"{title}\n{_text(file)}")
    at = {column.name: place for place, column in enumerate(schema.columns("segments"))}
    for row in tables["segments"]:
        text = row[at["text"]]
        if isinstance(text, str) and text.strip():
            start, end = row[at["start"]], row[at["end"]]
            yield _moment("said", row[at["segment"]], start, end, text.strip())
    at = {column.name: place for place, column in enumerate(schema.columns("translations"))}
    for row in tables["translations"]:
        text, language = row[at["text"]], row[at["language"]]
        if isinstance(text, str) and text.strip():
            times = row[at["start"]], row[at["end"]]
            yield _moment("said", row[at["segment"]], *times, text.strip(), language)
    scenes = {scene: end for scene, _, end, *_ in tables["scenes"]}
    at = {column.name: place for place, column in enumerate(schema.columns("descriptions"))}
    for row in tables["descriptions"]:
        parts = [part for name in DESCRIBED if isinstance(part := row[at[name]], str) and part]
        if parts:
            scene, time = row[at["scene"]], row[at["time"]]
            yield _moment("seen", scene, time, scenes.get(scene, time), "\n".join(parts))
    yield from _written(tables["onscreen_texts"])


def _written(lines: list[Values]) -> Iterator[Values]:
    """What comes into the picture at one time is one moment: a slide is found by words of several
    lines."""
    at = {column.name: place for place, column in enumerate(schema.columns("onscreen_texts"))}
    slides: dict[Value, list[Values]] = {}
    for row in lines:
        slides.setdefault(row[at["start"]], []).append(row)
    for start, shown in slides.items():
        text = "\n".join(part for row in shown if isinstance(part := row[at["text"]], str))
        if text.strip():
            ends = [end for row in shown if isinstance(end := row[at["end"]], float)]
            yield _moment("written", shown[0][at["line"]], start, max(ends, default=start), text)


def _moment(
    kind: str, item: Value, start: Value, end: Value, text: str, language: Value = None
) -> Values:
    plain = folded(text)
    apart = spread(plain)
    return [
        *(kind, item, start, end, text),
        apart if apart != plain else None,
        plain if plain != text else None,
        language,
    ]


def _words(found: Any) -> str | None:
    """The words of a segment as compact JSON; None where there are none, or damaged ones."""
    if not isinstance(found, list) or not found:
        return None
    try:
        return _text(_AS_JSON([_word(word) for word in found]))
    except (TypeError, KeyError, ValueError):
        return None


def _word(word: dict[str, Any]) -> list[Any]:
    known = [word["word"], word["start"], word["end"], word["probability"]]
    return [*known, word["speaker"]] if "speaker" in word else known


def _text(value: Any) -> str | None:
    if value is None or (type(value) is str and value.isascii()):
        return value
    # Without halves of surrogate pairs, which no file can hold.
    return str(value).encode(errors="replace").decode()


def _whole(value: Any) -> int | None:
    if isinstance(value, float) and math.isfinite(value):
        value = round(value)
    return int(value) if isinstance(value, int) and -_LARGEST <= value < _LARGEST else None


def _number(value: Any) -> float | None:
    if type(value) is float and -math.inf < value < math.inf:
        return value
    try:
        found = float(value) if isinstance(value, int | float) else math.nan
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def _time(value: Any) -> str | None:
    """Seconds since 1970 as ISO 8601, which sorts as it is."""
    seconds = _number(value)
    if seconds is None:
        return None
    try:
        moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    except (OverflowError, OSError, ValueError):
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


_FITTERS: dict[str, Callable[[Any], Value]] = {
    "string": _text,
    "Int64": _whole,
    "boolean": _whole,
    "float64": _number,
    "Float64": _number,
    "datetime64[us, UTC]": _time,
}
