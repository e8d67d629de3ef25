"""Subtitles from a transcript with pysubs2, the only module that imports it."""

import itertools
import unicodedata
from typing import Any

# A caption: a line that can be read at a glance, as broadcasters have it (EBU and the BBC: 37 to
# 42 characters), with no more words than are spoken in about 3 s. A pause as long begins another.
CHARACTERS = 42
WORDS = 7
PAUSE = 0.6
ENDINGS = (".", "?", "!", "…", "。", "？", "！")


def render(transcript: dict[str, Any], format: str) -> str:
    """The transcript as `srt`, `vtt`, or `txt` (one segment a line).

    Times are the film's. Text is data: what looks like markup is written so that players
    show it.
    """
    import pysubs2

    segments = [segment for segment in transcript["segments"] if segment["text"]]
    if format == "txt":
        return "".join(f"{segment['text']}\n" for segment in segments)
    subtitles = pysubs2.SSAFile()
    for segment in segments:
        event = pysubs2.SSAEvent(
            start=pysubs2.make_time(s=segment["start"]), end=pysubs2.make_time(s=segment["end"])
        )
        event.text = _plain(segment["text"], format)
        subtitles.append(event)
    return str(subtitles.to_string(format, keep_ssa_tags=True))


def words_within(transcript: dict[str, Any], start: float, end: float) -> list[dict[str, Any]]:
    """The words spoken in [start, end), seconds of film time: those whose middle lies in it."""
    return [
        word
        for segment in transcript["segments"]
        for word in segment["words"]
        if start <= (word["start"] + word["end"]) / 2 < end
    ]


def captions(transcript: dict[str, Any], start: float, end: float) -> dict[str, Any]:
    """What is said in [start, end), a few words at a time, as a transcript that `render` takes.

    Times are seconds after `start`. A segment whose words have no times is one caption.
    """
    found: list[dict[str, Any]] = []
    for segment in transcript["segments"]:
        words = words_within({"segments": [segment]}, start, end)
        if not segment["words"] and segment["start"] < end and segment["end"] > start:
            words = [{"word": segment["text"], "start": segment["start"], "end": segment["end"]}]
        lines: list[list[dict[str, Any]]] = []
        for word in words:
            if not lines or _is_full(lines[-1], word):
                lines.append([])
            lines[-1].append(word)
        found += [
            {
                "start": max(0.0, line[0]["start"] - start),
                "end": min(end, line[-1]["end"]) - start,
                "text": _text(line).strip(),
            }
            for line in lines
        ]
    for caption, following in itertools.pairwise(found):
        # No flicker between captions; and some time for a word that has none.
        if 0 <= following["start"] - caption["end"] < PAUSE:
            caption["end"] = following["start"]
    return {"segments": found}


def _is_full(line: list[dict[str, Any]], word: dict[str, Any]) -> bool:
    text = _text([*line, word]).strip()
    wide = sum(1 + (unicodedata.east_asian_width(character) in "WF") for character in text)
    return (
        wide > CHARACTERS
        or len(text.split()) > WORDS
        or word["start"] - line[-1]["end"] >= PAUSE
        or line[-1]["word"].rstrip().endswith(ENDINGS)
    )


def _text(words: list[dict[str, Any]]) -> str:
    # They come with the spaces between them, where their script has any.
    return "".join(word["word"] for word in words)


def render_burned(transcript: dict[str, Any], width: int, height: int) -> str:
    """The transcript as ASS for a picture of `width` x `height` pixels: large, white with a black
    outline, at the bottom. As in `render`, text is data."""
    import pysubs2

    subtitles = pysubs2.SSAFile()
    subtitles.info |= {"PlayResX": str(width), "PlayResY": str(height), "WrapStyle": "0"}
    # CHARACTERS, of half the size each, fit into one line of a wide picture, two of a tall one.
    size = max(8.0, min(height / 16, width / 13))
    subtitles.styles["Default"] = pysubs2.SSAStyle(
        fontname="sans-serif",
        fontsize=round(size, 1),
        outline=round(size / 12, 1),
        shadow=0,
        marginl=round(width / 20),
        marginr=round(width / 20),
        marginv=round(height / 20),
    )
    for segment in transcript["segments"]:
        event = pysubs2.SSAEvent(
            start=pysubs2.make_time(s=segment["start"]), end=pysubs2.make_time(s=segment["end"])
        )
        # Braces hold commands.
        event.text = _plain(segment["text"], "ass").replace("{", "\\{").replace("}", "\\}")
        subtitles.append(event)
    return str(subtitles.to_string("ass"))


def _plain(text: str, format: str) -> str:
    """`text` as one line without what pysubs2 or the format would take for markup."""
    text = " ".join(text.split())
    text = text.replace("\\", "\\\u2060")  # a word joiner: `\N` would become a line break
    if format == "vtt":
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if format == "ass":
        return text
    return text.replace("-->", "→")  # SubRip cannot escape its own time line
