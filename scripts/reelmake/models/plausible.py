"""Whether somebody can have said what a model says it heard.

Whisper models invent sentences where a film is silent, at the end of a piece above all, and repeat
themselves; and a word's time may reach over the silence beside it.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from reelmake.models.audio_chunks import RATE
from reelmake.models.voices import Span

FASTEST = 12.0
"""Words a second; the fastest talkers say about 11."""
FASTEST_CHARACTERS = 60.0
"""The same in characters a second, for scripts without spaces and long words."""
FEW = 4
"""Words whose time says nothing: what is so short may be cut off by a rounded time."""
AGAIN = 3
"""The same sentence so many times in a row is said by nobody, if it has MANY words."""
MANY = 3
LONG = 1.5
"""Seconds; a longer word may reach into silence."""


def doubt(segment: Mapping[str, Any], before: Sequence[Mapping[str, Any]]) -> str | None:
    """What speaks against a segment; None where nothing does.

    `pace`: nobody talks so fast. `repeated`: it is the same sentence once more without a pause, as
    models stutter and people hardly do. before: the segments before it.
    """
    words, text = segment["text"].split(), segment["text"]
    seconds = max(segment["end"] - segment["start"], 0.01)
    if len(words) > FEW and len(words) / seconds > FASTEST:
        return "pace"
    if len(text) > 4 * FEW and len(text) / seconds > FASTEST_CHARACTERS:
        return "pace"
    last = [each["text"] for each in before[1 - AGAIN :]]
    if len(words) >= MANY and last == [text] * (AGAIN - 1) and _is_pressed([*before, segment]):
        return "repeated"
    return None


def is_good(segment: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    """Whether the engine would not try a segment again at a higher temperature.

    settings: the config section `transcription`.
    """
    ratio, likely = settings["compression_ratio_threshold"], settings["log_prob_threshold"]
    return not (
        (ratio is not None and segment["compression_ratio"] > ratio)
        or (likely is not None and segment["avg_logprob"] < likely)
        or doubt(segment, [])
    )


def cut_long_words(segment: dict[str, Any], voices: Sequence[Span]) -> None:
    """Let no word of a segment that is longer than LONG reach out of the voice that it is in.

    Of several voices in its time it has the longest. voices: samples, in order and apart.
    """
    words = segment["words"]
    for word in words:
        if word["end"] - word["start"] <= LONG:
            continue
        inside = [
            (max(word["start"], start / RATE), min(word["end"], end / RATE))
            for start, end in voices
            if start / RATE < word["end"] and end / RATE > word["start"]
        ]
        if inside:
            word["start"], word["end"] = max(inside, key=lambda span: span[1] - span[0])
    if words:
        segment["start"] = max(segment["start"], words[0]["start"])
        segment["end"] = max(segment["start"], min(segment["end"], words[-1]["end"]))


def _is_pressed(segments: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the last of them follow each other without a pause, as people never say them."""
    last = segments[-AGAIN:]
    gaps = [after["start"] - before["end"] for before, after in pairwise(last)]
    return all(gap < 0.05 for gap in gaps)
