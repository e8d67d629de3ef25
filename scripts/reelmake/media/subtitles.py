"""Subtitles from a transcript with pysubs2, the only module that imports it."""

from typing import Any

from reelmake.editing import transcript_page


def render(transcript: dict[str, Any], format: str) -> str:
    """The transcript as `srt`, `vtt`, `txt` (one segment a line), or `md` (paragraphs).

    Times are the film's. Text is data: what looks like markup is written so that players
    show it.
    """
    segments = [segment for segment in transcript["segments"] if segment["text"]]
    if format == "txt":
        return "".join(f"{segment['text']}\n" for segment in segments)
    if format == "md":
        return transcript_page.page(segments)
    import pysubs2

    subtitles = pysubs2.SSAFile()
    for segment in segments:
        event = pysubs2.SSAEvent(
            start=pysubs2.make_time(s=segment["start"]), end=pysubs2.make_time(s=segment["end"])
        )
        event.text = _plain(segment["text"], format)
        subtitles.append(event)
    return str(subtitles.to_string(format, keep_ssa_tags=True))


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
