"""The page of one film: what the catalog and the film's artifacts say, for its template."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reelmake.catalog import speakers
from reelmake.editing import languages
from reelmake.foundation import artifact_files
from reelmake.pages import film_files, playable, rendering
from reelmake.pages.links import Links

Row = dict[str, Any]
Film = dict[str, Any]
"""What the template film.html shows."""

_TABLES = {
    "segments": "start, segment",
    "speakers": "seconds DESC",
    "scenes": "start, scene",
    "keyframes": "scene, time",
    "descriptions": "time",
    "onscreen_texts": "start, line",
    "highlights": "start",
    "clips": "start",
    "beats": "start",
    "chapters": "start",
    "failures": "stage",
    "provenance": "made, stage",
}
"""What a film's page shows, and in which order."""

TIMELINE = 1000.0
"""Units of the timeline's width."""


def find(db: Any, video: str) -> Row | None:
    """A film's row in the catalog; None where it is not in there.

    db: an open catalog. video: its id. Raises sqlite3.Error.
    """
    found = _rows(db, "SELECT * FROM films WHERE video = ?", video)
    return found[0] if found else None


def read(db: Any, results: Path, row: Row) -> Film:
    """All that the page of a film shows.

    db: an open catalog. results: the folder of all films. row: of the film, as `find` gives it.
    Raises sqlite3.Error.
    """
    folder = results / row["video"]
    tables = {
        name: _rows(db, f"SELECT * FROM {name} WHERE film = ? ORDER BY {order}", row["id"])
        for name, order in _TABLES.items()
    }
    names = {
        each["speaker"]: speakers.shown(each["name"], each["guessed"], each["speaker"])
        for each in tables["speakers"]
    }
    alone = [each["name"] for each in tables["speakers"]] == [None]  # S1 would tell nobody anything
    media = _object(artifact_files.read_json(folder / "media.json"))
    wanted = _object(artifact_files.read_json(folder / "fingerprints" / "media.json"))
    source = film_files.source(folder, wanted)
    name = source.path.name if source.path else source.name
    player = playable.player(media, name)
    files = film_files.artifacts(folder)
    scenes = _scenes(tables)
    highlights = _highlights(tables, scenes)
    duration = row["duration"] or max((scene["end"] or 0 for scene in scenes), default=0)
    return {
        "id": row["video"],
        "title": row["title"] or row["video"],
        "row": row,
        "duration": duration,
        "facts": _facts(row, media),
        "source": source,
        "player": player,
        "files": sorted(files, key=_first_wanted),
        "wanted": [file.path for file in files if film_files.is_wanted(file.path)],
        "tracks": _tracks(db, row["id"], files),
        "has": {file.path for file in files},
        "segments": _said(tables["segments"], names),
        "speakers": [each | {"shown": names[each["speaker"]]} for each in tables["speakers"]],
        "scenes": scenes,
        "highlights": [
            each | {"by": None if alone else _named(each["speakers"], names)} for each in highlights
        ],
        "beats": _with_pictures(tables["beats"], scenes),
        "chapters": tables["chapters"],
        "failures": [
            each | {"error": rendering.reason(each["error"], row["video"], each["stage"])}
            for each in tables["failures"]
        ],
        "provenance": [_with_engines(each) for each in tables["provenance"]],
        "poster": _poster(highlights, scenes),
        "timeline": _timeline(duration, scenes, highlights),
    }


def page(film: Film, links: Links) -> str:
    """The page as HTML."""
    return rendering.render(
        "film.html",
        film=film,
        links=links,
        src=links.source(film["id"], film["source"]),
    )


def _said(segments: list[Row], names: Mapping[str, str]) -> list[Row]:
    """The segments of speech, each with its speaker as people read it, where several speak."""
    found = [each for each in segments if each["start"] is not None]
    if not names:  # but perhaps the sides of their microphones
        return found
    several = len({each["speaker"] for each in found} - {None}) > 1
    return [
        each | {"speaker": _named(each["speaker"], names) if several else None} for each in found
    ]


def _named(labels: str | None, names: Mapping[str, str]) -> str | None:
    """Who labels stand for, for people. labels: with commas, or with a plus where both speak."""
    if not labels:
        return None
    return ", ".join(names.get(label, label) for label in re.split(r", |\+", labels))


def _first_wanted(file: film_files.Artifact) -> int:
    wanted = film_files.WANTED
    if film_files.language(file.path):
        return wanted.index("chapters.txt")  # after the film's own transcript
    return wanted.index(file.path) if file.path in wanted else len(wanted)


def _tracks(db: Any, film: int, files: list[film_files.Artifact]) -> list[Row]:
    """The subtitles of the languages that something was translated into."""
    rows = db.execute("SELECT DISTINCT language FROM translations WHERE film = ?", (film,))
    translated = {language for (language,) in rows}
    codes = [(film_files.language(file.path), file.path) for file in files]
    return [
        {"language": code, "name": languages.name(code) or code, "path": path}
        for code, path in codes
        if code in translated and path.endswith(".vtt")
    ]


def _rows(db: Any, query: str, *values: Any) -> list[Row]:
    found = db.execute(query, values)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found]


def _object(found: Any) -> Row:
    return found if isinstance(found, dict) else {}


def _scenes(tables: Mapping[str, list[Row]]) -> list[Row]:
    """The scenes, each with its pictures, and what is seen and written in them."""
    described = {each["file"]: each for each in tables["descriptions"]}
    pictures: dict[Any, list[Row]] = {}
    for frame in tables["keyframes"]:
        seen = described.get(frame["file"])
        pictures.setdefault(frame["scene"], []).append(frame | {"seen": seen})
    found = []
    written = _written(tables["onscreen_texts"], tables["scenes"])
    for scene, lines in zip(tables["scenes"], written, strict=True):
        frames = pictures.get(scene["scene"], [])
        seen = next((frame["seen"] for frame in frames if frame["seen"]), None) or {}
        more = [seen[part] for part in ("action", "setting", "mood") if seen.get(part)]
        found.append(
            scene
            | {"pictures": frames, "picture": frames[0] if frames else None}
            | {"seen": seen.get("visual_content"), "more": " · ".join(more)}
            | {"written": lines}
        )
    return found


def _written(lines: list[Row], scenes: list[Row]) -> Iterator[list[str]]:
    """What is written in the picture in each scene, each line once.

    lines, scenes: by their beginnings. A long film has thousands of each, so that not each is
    compared with each.
    """
    lines = [line for line in lines if None not in (line["start"], line["end"], line["text"])]
    here: list[Row] = []  # those that have come so far, and may not be gone
    at = 0
    for scene in scenes:
        start, end = scene["start"], scene["end"]
        if start is None or end is None:
            yield []
            continue
        while at < len(lines) and lines[at]["start"] < end:
            here.append(lines[at])
            at += 1
        here = [line for line in here if line["end"] >= start]
        yield list(dict.fromkeys(line["text"] for line in here if line["start"] < end))


def _highlights(tables: Mapping[str, list[Row]], scenes: list[Row]) -> list[Row]:
    clips = {each["candidate"]: each for each in tables["clips"]}
    chosen = tables["highlights"] or tables["clips"]
    found = [each | {"clip": clips.get(each["candidate"])} for each in chosen]
    found.sort(key=lambda each: (-(each["score"] or 0), each["start"] or 0))
    return _with_pictures(found, scenes)


def _with_pictures(rows: list[Row], scenes: list[Row]) -> list[Row]:
    return [each | {"picture": _picture_at(each["start"] or 0.0, scenes)} for each in rows]


def _picture_at(time: float, scenes: list[Row]) -> Row | None:
    """The picture of the scene that is shown then, or of the one next to it."""
    for scene in scenes:
        if (scene["start"] or 0) <= time < (scene["end"] or 0) and scene["picture"]:
            found: Row = scene["picture"]
            return found
    frames = [frame for scene in scenes for frame in scene["pictures"]]
    return min(frames, key=lambda frame: abs((frame["time"] or 0) - time), default=None)


def _poster(highlights: list[Row], scenes: list[Row]) -> Row | None:
    found: Row | None = None
    if highlights:
        found = highlights[0]["picture"]
    elif scenes:
        found = _picture_at((scenes[-1]["end"] or 0) / 2, scenes)
    return found


def _timeline(duration: float, scenes: list[Row], highlights: list[Row]) -> Row:
    def spans(rows: list[Row]) -> list[Row]:
        if not duration:
            return []
        per_second = TIMELINE / duration
        whole = [each for each in rows if None not in (each["start"], each["end"])]
        return [
            {
                "x": round(each["start"] * per_second, 2),
                "width": round(max(1.0, (each["end"] - each["start"]) * per_second), 2),
            }
            for each in whole
        ]

    return {"scenes": spans(scenes), "highlights": spans(highlights)}


def _facts(row: Row, media: Row) -> list[str]:
    """What the film is, in a few words each."""
    streams = playable.streams_of(media)
    codecs = [
        playable.codec_name(each.get("codec"))
        for index in (media.get("video"), media.get("audio"))
        for each in streams
        if index is not None and each.get("index") == index
    ]
    found = []
    if row["width"] and row["height"]:
        found.append(f"{row['width']} × {row['height']}")
    if row["fps"]:
        found.append(f"{row['fps']:.5g} frames/s")
    if codecs:
        found.append(" + ".join(codecs))
    if row["language"] and row["segments"]:  # of silence, it is what was set or guessed
        found.append(f"spoken: {row['language']}")
    return found


def _with_engines(row: Row) -> Row:
    try:
        engines = _object(json.loads(row["engines"] or "{}"))
    except ValueError:
        engines = {}
    return row | {"engines": ", ".join(f"{name} {engines[name]}" for name in engines)}
