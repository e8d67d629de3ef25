"""Subtitle files of cues with pysubs2, the only module that imports it."""

import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from reelmake.editing.cues import Cue, Rules

if TYPE_CHECKING:
    import pysubs2

MARK = "\u200f"
"""RIGHT-TO-LEFT MARK: around a line of Arabic or Hebrew, or a player puts its full stop to the
wrong side."""


def render(cues: Iterable[Cue], format: str, voices: bool = False) -> str:
    """Cues as `srt` or `vtt`. Text is data: what looks like markup is written so that players
    show it. voices: in `vtt`, say who speaks (WebVTT, 6.2.4)."""
    return str(_file(cues, format, voices).to_string(format, keep_ssa_tags=True))


def fitting(rules: Rules, width: int, height: int) -> Rules:
    """The rules for subtitles that are burned into a picture of `width` x `height` pixels: of a
    tall one, lines are short."""
    size = _font_size(width, height)
    # A character is about half as wide as its font is high.
    return replace(rules, max_chars=max(10, min(rules.max_chars, round(0.9 * width / size * 2))))


def render_burned(cues: Iterable[Cue], width: int, height: int) -> str:
    """Cues as ASS for a picture of `width` x `height` pixels: large, white with a black outline,
    at the bottom. As in `render`, text is data."""
    import pysubs2

    subtitles = _file(cues, "ass")
    subtitles.info |= {"PlayResX": str(width), "PlayResY": str(height), "WrapStyle": "0"}
    size = _font_size(width, height)
    subtitles.styles["Default"] = pysubs2.SSAStyle(
        fontname="sans-serif",
        fontsize=round(size, 1),
        outline=round(size / 12, 1),
        shadow=0,
        marginl=round(width / 20),
        marginr=round(width / 20),
        marginv=round(height / 20),
    )
    return str(subtitles.to_string("ass"))


def _font_size(width: int, height: int) -> float:
    """Pixels: 42 characters fit into a line of a wide picture."""
    return max(8.0, min(height / 16, width / 13))


def _file(cues: Iterable[Cue], format: str, voices: bool = False) -> "pysubs2.SSAFile":
    import pysubs2

    subtitles = pysubs2.SSAFile()
    for cue in cues:
        event = pysubs2.SSAEvent(
            start=pysubs2.make_time(s=cue.start), end=pysubs2.make_time(s=cue.end)
        )
        event.text = "\\N".join(_plain(line, format) for line in cue.lines)
        if voices and format == "vtt" and cue.speaker:
            # Of the whole cue: it needs no end tag.
            event.text = f"<v {_plain(cue.speaker, format, mark=False)}>{event.text}"
        subtitles.append(event)
    return subtitles


def _plain(text: str, format: str, mark: bool = True) -> str:
    """`text` as one line without what pysubs2 or the format would take for markup.

    mark: put marks around a line from right to left."""
    text = " ".join(text.split())
    text = text.replace("\\", "\\\u2060")  # a word joiner: `\N` would become a line break
    if mark and _is_right_to_left(text):
        text = f"{MARK}{text}{MARK}"
    if format == "vtt":
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if format == "ass":
        return text.replace("{", "\\{").replace("}", "\\}")  # braces hold commands
    return text.replace("-->", "→")  # SubRip cannot escape its own time line


def _is_right_to_left(text: str) -> bool:
    """Whether its first letter is of such a script (rules P2 and P3 of Unicode's bidirectional
    algorithm, UAX #9)."""
    directions = map(unicodedata.bidirectional, text)
    return next((found for found in directions if found in ("L", "R", "AL")), "L") != "L"
