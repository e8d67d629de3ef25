"""Lines of text in single frames as lines that stay for a while, and what they are.

Two readings are of one line where the boxes overlap and the texts are nearly the same: a model
reads no two frames alike. The surest reading counts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rapidfuzz.distance import Levenshtein

ALIKE = 0.8
"""1 less the share of characters that are to be changed to make one text of the other."""
SURE, SHORT = 0.97, 12
"""The confidence from which on readings of so few characters are right: of 378 drawn ones 10 were
wrong, of which the model was less sure, and of the right ones as sure for 85 %. Two such readings
that differ are two texts: Part I and Part II, Phase A and Phase B."""
OVERLAP = 0.4
"""Of two boxes: the area that both have, of the area that either has."""
MISSED = 1
"""Frames in a row in which a line that stays may be overlooked."""

LOWER = 2 / 3
"""Subtitles have their middle below this share of the height."""
CENTERED = 0.15
"""…and no farther from the middle of the width than this share of it."""
LONGEST = 8.0
"""Seconds for which no subtitle stays: 7 is what most guides allow."""
OTHERS = 2
"""Other texts that come at the place of a subtitle, in the film."""
STAYS = 3.0
"""Seconds from which on a text that is no subtitle is a caption."""


class Reading(NamedTuple):
    """A line of text in one frame. confidence: 0 to 1. left, top, width, height: of its box, as
    shares of the picture's."""

    text: str
    confidence: float
    left: float
    top: float
    width: float
    height: float


@dataclass
class _Line:
    """frames: the numbers of those that show it, and the times of the first and last (s)."""

    best: Reading
    last: Reading
    start: float
    end: float
    number: int
    frames: int = 1
    compared: str = field(default="")


def merged(frames: Iterable[tuple[float, Sequence[Reading]]]) -> list[dict[str, Any]]:
    """The lines of a film as onscreen.json lists them, from those of its frames.

    frames: when each is shown (s), in order, and what it shows.
    """
    done: list[_Line] = []
    shown: list[_Line] = []
    for number, (time, readings) in enumerate(frames):
        done += [line for line in shown if line.number < number - 1 - MISSED]
        shown = [line for line in shown if line.number >= number - 1 - MISSED]
        for reading in readings:
            compared = _compared(reading.text)
            known = [line for line in shown if line.number < number]
            line = max(known, key=lambda line: _likeness(line, reading, compared), default=None)
            if line is None or not _likeness(line, reading, compared):
                shown.append(_Line(reading, reading, time, time, number, compared=compared))
                continue
            line.last, line.end, line.number = reading, time, number
            line.frames += 1
            if reading.confidence > line.best.confidence:
                line.best, line.compared = reading, compared
    lines = sorted(
        done + shown, key=lambda line: (line.start, round(line.best.top, 2), line.best.left)
    )
    return [
        {
            "id": number,
            "text": line.best.text,
            "start": round(line.start, 6),
            "end": round(line.end, 6),
            "frames": line.frames,
            "kind": kind,
            "confidence": round(line.best.confidence, 4),
            "box": {
                name: round(getattr(line.best, name), 4)
                for name in ("left", "top", "width", "height")
            },
        }
        for number, (line, kind) in enumerate(zip(lines, _kinds(lines), strict=True))
    ]


def _likeness(line: _Line, reading: Reading, compared: str) -> float:
    """How much a line and a reading are alike, 0 to 2; 0: they are two."""
    overlap = _overlap(line.last, reading)
    if overlap < OVERLAP or _digits(line.compared) != _digits(compared):
        return 0.0
    if compared != line.compared and _is_sure(reading) and _is_sure(line.best):
        return 0.0
    alike: float = Levenshtein.normalized_similarity(line.compared, compared, score_cutoff=ALIKE)
    return alike and alike + overlap


def _is_sure(reading: Reading) -> bool:
    return reading.confidence >= SURE and len(reading.text) <= SHORT


def _compared(text: str) -> str:
    """A text without what a model reads now so, now otherwise: spaces and case."""
    return "".join(text.casefold().split())


def _digits(text: str) -> str:
    # A clock, a score and the number of a slide differ in a digit alone.
    return "".join(character for character in text if character.isdigit())


def _overlap(one: Reading, other: Reading) -> float:
    across = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    down = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    if across <= 0 or down <= 0:
        return 0.0
    both = across * down
    return both / (one.width * one.height + other.width * other.height - both)


def _kinds(lines: Sequence[_Line]) -> list[str]:
    """subtitle, caption or other, for each line."""
    below = [line for line in lines if _may_be_subtitle(line)]
    subtitles = {id(line) for line in below if _has_others(line, below)}
    return [
        "subtitle"
        if id(line) in subtitles
        else "caption"
        if line.end - line.start >= STAYS
        else "other"
        for line in lines
    ]


def _may_be_subtitle(line: _Line) -> bool:
    box = line.best
    is_centered = abs(box.left + box.width / 2 - 0.5) <= CENTERED
    return box.top + box.height / 2 >= LOWER and is_centered and line.end - line.start < LONGEST


def _has_others(line: _Line, below: Sequence[_Line]) -> bool:
    """Whether enough other texts come at the line's place. It looks no farther than it has to: a
    film with burned-in subtitles has thousands of lines."""
    found = {line.compared}
    for each in below:
        if each.compared not in found and _at_one_place(line, each):
            found.add(each.compared)
            if len(found) > OTHERS:
                return True
    return False


def _at_one_place(one: _Line, other: _Line) -> bool:
    first, second = one.best, other.best
    apart = abs(first.top + first.height / 2 - second.top - second.height / 2)
    return apart < max(first.height, second.height) / 2
