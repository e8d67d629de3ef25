"""What is said in a clip."""

from dataclasses import replace
from typing import Any

from reelmake.editing import cues
from reelmake.editing.cues import Cue, Rules


def words_within(transcript: dict[str, Any], start: float, end: float) -> list[dict[str, Any]]:
    """The words of transcript.json in [start, end), seconds of film time: those whose middle
    lies in it."""
    return [
        word
        for segment in transcript["segments"]
        for word in segment["words"]
        if start <= (word["start"] + word["end"]) / 2 < end
    ]


def captions(transcript: dict[str, Any], start: float, end: float, rules: Rules) -> list[Cue]:
    """Subtitles of what is said in [start, end), seconds of film time; their times are seconds
    after `start`, and none lasts longer than the clip. Of a segment whose words are unknown, those
    parts that are said in it by their length.
    """
    length = end - start
    words = [
        replace(word, start=max(0.0, word.start - start), end=min(length, word.end - start))
        for word in cues.words(transcript)
        if start <= (word.start + word.end) / 2 < end
    ]
    found = cues.cues(words, transcript.get("language"), rules)
    return [replace(cue, end=min(cue.end, round(length, 3))) for cue in found if cue.start < length]
