"""The transcript as text and as Markdown, for people to read."""

import re
from collections.abc import Iterator
from typing import Any

from reelmake.foundation.text import without

PARAGRAPH_PAUSE = 2.0
"""Seconds; a pause of so long begins a paragraph."""

PARAGRAPH_SECONDS = 60.0
"""After so long the next segment begins one, so that a lecture without pauses can be read."""


def text(segments: list[dict[str, Any]], voices: bool = False) -> str:
    """A line for each segment of transcript.json. voices: with whoever begins to speak."""
    lines, before = [], None
    for segment in segments:
        if not segment["text"]:
            continue
        speaker = segment.get("speaker") if voices else None
        begins = speaker is not None and speaker != before
        lines.append(f"{speaker}: {segment['text'].strip()}" if begins else segment["text"])
        before = speaker
    return "".join(f"{line}\n" for line in lines)


def page(segments: list[dict[str, Any]]) -> str:
    """Paragraphs with their times and speakers. segments: of transcript.json; text is data."""
    paragraphs = _paragraphs([segment for segment in segments if segment["text"]])
    return "\n\n".join(["# Transcript", *map(_paragraph, paragraphs)]) + "\n"


def _paragraphs(segments: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Segments of one speaker without a long pause."""
    paragraph: list[dict[str, Any]] = []
    for segment in segments:
        if paragraph and (
            segment["start"] - paragraph[-1]["end"] >= PARAGRAPH_PAUSE
            or segment["start"] - paragraph[0]["start"] >= PARAGRAPH_SECONDS
            or segment.get("speaker") != paragraph[0].get("speaker")
        ):
            yield paragraph
            paragraph = []
        paragraph.append(segment)
    if paragraph:
        yield paragraph


def _paragraph(segments: list[dict[str, Any]]) -> str:
    """One line of Markdown: when it begins, who speaks, what is said."""
    minutes, seconds = divmod(int(segments[0]["start"]), 60)
    hours, minutes = divmod(minutes, 60)
    line = [f"**[{hours}:{minutes:02}:{seconds:02}]**"]
    if segments[0].get("speaker"):
        line.append(f"**{_markdown(segments[0]['speaker'])}:**")
    return " ".join([*line, *(_markdown(segment["text"]) for segment in segments)])


def _markdown(text: str) -> str:
    """`text` as one line that Markdown shows as it is, GitHub's included."""
    text = without(" ".join(text.split()), "Cc", "Cs")
    text = re.sub(r"[\\`*_\[\]|~$]", r"\\\g<0>", text)
    # Someone may break the line before it: no heading, no list, no rule.
    text = re.sub(r"^(\d*)(?=[.)])|^(?=[#+=-])", r"\1\\", text)
    # Addresses become links by themselves.
    text = re.sub(r"(?i)(?<=\w):(?=//)|(?<=\bwww)\.", r"\\\g<0>", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
