"""Where somebody may have spoken of whom the transcript has no word."""

from collections.abc import Iterable

from reelmake.models.audio_chunks import RATE
from reelmake.models.voices import Span, joined, without

SHORTEST = 1.0
"""Seconds; a shorter sound may be a cough."""
NEAR = 0.5
"""Seconds by which the times of words may be off."""


def spans(voices: Iterable[Span], words: Iterable[tuple[float, float]]) -> list[Span]:
    """Where there is a voice for SHORTEST at least, and no word; in samples.

    voices: in samples. words: from when to when each is said, seconds.
    """
    said = joined(
        (round((start - NEAR) * RATE), round((end + NEAR) * RATE)) for start, end in words
    )
    return [
        (start, end)
        for voice in joined(voices)
        for start, end in without(voice, said)
        if end - start >= SHORTEST * RATE
    ]
