"""Chapters of a film: from the beats of its narrative or its scenes, as players read them."""

import itertools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reelmake.foundation.text import without

TITLE_LENGTH = 80
"""Characters; players show one line."""

# What turns the direction of the text after it, and so what a list of chapters looks like.
DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class Chapter:
    """start, end: milliseconds. title: one line, which is not empty."""

    start: int
    end: int
    title: str


def build(
    media: dict[str, Any],
    scenes: dict[str, Any],
    described: Sequence[dict[str, Any]],
    narrative: dict[str, Any],
    settings: dict[str, Any],
) -> list[Chapter]:
    """The chapters, one beginning where the other ends, from 0 to the end of the film.

    media, scenes, narrative: the artifacts of these names. described: the results in
    V.scenedesc.msgpack. settings: `by` (beats or scenes) and `min_seconds`. One chapter for a
    film without beats or scenes. A beat for which the model found no title has what is seen where
    it begins, or a number.
    """
    seen = _first_descriptions(described)
    if settings["by"] == "beats":
        marks = [
            (
                beat["start"],
                title(beat["title"])
                or title(_seen_at(beat["start"], scenes["scenes"], seen))
                or f"Part {number}",
            )
            for number, beat in enumerate(narrative["beats"], 1)
        ]
    else:
        marks = [
            (scene["start"], title(seen.get(scene["id"])) or f"Scene {scene['id'] + 1}")
            for scene in scenes["scenes"]
        ]
    ends = [part["end"] for part in (*scenes["scenes"], *narrative["beats"])]
    duration = media["duration"] or max(ends, default=0)
    return _chapters(marks, duration, settings["min_seconds"])


def title(text: str | None) -> str:
    """A model's answer as a title: one line, without what could steer a player or a terminal."""
    spaced = "".join(" " if unicodedata.category(c) == "Cc" else c for c in text or "")
    line = without("".join(c for c in spaced if c not in DIRECTIONS), "Cs")
    # ffmpeg's reader takes a backslash at the end of a line, escaped or not, for a line that
    # goes on, and the next chapter for a part of the title.
    line = " ".join(line.split()).rstrip("\\ ")
    if len(line) <= TITLE_LENGTH:
        return line
    # At a space, if there is one that leaves enough.
    words = line[:TITLE_LENGTH].rpartition(" ")[0]
    short = words if len(words) >= TITLE_LENGTH // 2 else line[: TITLE_LENGTH - 1]
    return short.rstrip(" ,;:.–—-") + "…"


def ffmetadata(chapters: Sequence[Chapter]) -> str:
    """The chapters for ffmpeg: `ffmpeg -i film -i this -map_chapters 1 …`."""
    lines = [";FFMETADATA1"]
    for chapter in chapters:
        escaped = re.sub(r"[=;#\\\n]", r"\\\g<0>", chapter.title)
        lines += ["[CHAPTER]", "TIMEBASE=1/1000", f"START={chapter.start}", f"END={chapter.end}"]
        lines.append(f"title={escaped}")
    return "\n".join(lines) + "\n"


def plain(chapters: Sequence[Chapter]) -> str:
    """The chapters as people write them below a video: `00:00 Title`, a line each."""
    return "".join(f"{_clock(chapter.start)} {chapter.title}\n" for chapter in chapters)


def _first_descriptions(described: Sequence[dict[str, Any]]) -> dict[int, str]:
    """What is seen in the first described frame of each scene, by the scene's number."""
    seen: dict[int, str] = {}
    for result in described:
        if result["description"] is not None:
            seen.setdefault(
                result["record"].get("scene_id"), result["description"]["visual_content"]
            )
    return seen


def _seen_at(time: float, scenes: Sequence[dict[str, Any]], seen: dict[int, str]) -> str | None:
    """What is seen in the scene at a time (seconds)."""
    return next(
        (seen.get(scene["id"]) for scene in scenes if scene["start"] <= time < scene["end"]), None
    )


def _chapters(
    marks: Sequence[tuple[float, str]], duration: float, shortest: float
) -> list[Chapter]:
    """Chapters that begin at the marks (seconds, title).

    From the last to the first each that is too short becomes part of the one before it, so that
    many short ones in a row add up to some that are long enough. A first one that is too short
    gives its time to the second.
    """
    end = max(round(duration * 1000), 1)
    least = max(round(shortest * 1000), 1)
    inside = [(round(start * 1000), name) for start, name in marks if round(start * 1000) < end]
    if not inside:
        return [Chapter(0, end, "Film")]
    first, *others = sorted(inside, key=lambda mark: mark[0])
    kept = [(end, "")]
    for start, name in reversed(others):
        if kept[-1][0] - start >= least:
            kept.append((start, name))
    kept = [(0, first[1]), *reversed(kept)]
    if len(kept) > 2 and kept[1][0] < least:
        kept[:2] = [(0, kept[1][1])]
    return [Chapter(start, stop, name) for (start, name), (stop, _) in itertools.pairwise(kept)]


def _clock(milliseconds: int) -> str:
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"
