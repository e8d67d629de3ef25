"""Subtitles from a transcript with pysubs2, the only module that imports it."""

from typing import Any


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


def _plain(text: str, format: str) -> str:
    """`text` as one line without what pysubs2 or the format would take for markup."""
    text = " ".join(text.split())
    text = text.replace("\\", "\\\u2060")  # a word joiner: `\N` would become a line break
    if format == "vtt":
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("-->", "→")  # SubRip cannot escape its own time line
