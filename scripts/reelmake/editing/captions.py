"""What is said, a few words at a time, as players show it over a clip."""

import itertools
import unicodedata
from collections.abc import Sequence
from typing import Any

from reelmake.editing import sentences
from reelmake.editing.sentences import Word

# A caption: a line that can be read at a glance, as broadcasters have it (EBU and the BBC: 37 to
# 42 characters). A pause as long begins another.
CHARACTERS = 42
PAUSE = 0.6


def words_within(transcript: dict[str, Any], start: float, end: float) -> list[dict[str, Any]]:
    """The words of transcript.json in [start, end), seconds of film time: those whose middle
    lies in it."""
    return [
        word
        for segment in transcript["segments"]
        for word in segment["words"]
        if start <= (word["start"] + word["end"]) / 2 < end
    ]


def captions(transcript: dict[str, Any], start: float, end: float) -> dict[str, Any]:
    """What is said in [start, end), seconds of film time, as a transcript that `subtitles.render`
    takes. Times are seconds after `start`. A segment whose words are unknown is one caption.
    """
    lines: list[list[Word]] = []
    for word in sentences.spoken(transcript):
        inside = start <= (word.start + word.end) / 2 < end
        if not inside and not (word.alone and word.start < end and word.end > start):
            continue
        if not lines or _is_full(lines[-1], word):
            lines.append([])
        lines[-1].append(word)
    found: list[dict[str, Any]] = [
        {
            "start": max(0.0, line[0].start - start),
            "end": min(end, line[-1].end) - start,
            "text": _text(line),
        }
        for line in lines
    ]
    for caption, following in itertools.pairwise(found):
        # No flicker between captions; and some time for a word that has none.
        if 0 <= following["start"] - caption["end"] < PAUSE:
            caption["end"] = following["start"]
    return {"segments": found}


def _is_full(line: list[Word], word: Word) -> bool:
    """Whether the word begins another caption."""
    text = _text([*line, word])
    wide = sum(1 + (unicodedata.east_asian_width(character) in "WF") for character in text)
    return (
        wide > CHARACTERS
        or word.start - line[-1].end >= PAUSE
        or word.alone
        or line[-1].alone
        or sentences.ENDING.search(line[-1].text) is not None
    )


def _text(words: Sequence[Word]) -> str:
    return "".join(word.text for word in words).strip()
