"""Subtitle cues: what is said in pieces that people can read while it is said.

Where the cues break is the cheapest way of all, by dynamic programming over the places between
phrases. The rules are those of Netflix's timed text style guide and of EBU R 37: two lines of 42
characters, 20 characters a second, 1 to 7 seconds, breaks at the ends of sentences and clauses.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest
from typing import Any

from reelmake.editing import phrases, sentences
from reelmake.editing.sentences import Word

CLAUSE = re.compile(r"[,;:–—、，；：،؛]['\"”’»)\]]*$")

PAUSE = 0.3
"""Seconds; a shorter one is no place to break at."""
LONG_PAUSE = 2.0
"""Seconds; nobody waits so long for the rest of a cue."""
CHAINED = 0.5
"""Seconds; cues that are nearer follow each other with the shortest gap, so nothing flickers."""


@dataclass(frozen=True)
class Rules:
    """max_chars: the width of a line (a Chinese, Japanese or Korean character counts 2.6);
    max_lines: of a cue; max_cps: characters a second; min_seconds, max_seconds: of a cue; gap:
    seconds between two."""

    max_chars: int
    max_lines: int
    max_cps: float
    min_seconds: float
    max_seconds: float
    gap: float

    @classmethod
    def of(cls, settings: Mapping[str, Any], fps: float | None = None) -> "Rules":
        """settings: the config section `subtitles`. fps: of the film: a gap has two frames."""
        names = ("max_chars", "max_lines", "max_cps", "min_seconds", "max_seconds")
        return cls(**{name: settings[name] for name in names}, gap=round(2 / (fps or 25), 3))

    def needed(self, width: float) -> float:
        """Seconds to read so much text in."""
        return min(self.max_seconds, max(self.min_seconds, width / self.max_cps))


@dataclass(frozen=True)
class Cue:
    """What is shown from `start` to `end`, seconds. speaker: who says it, where that is known."""

    start: float
    end: float
    lines: tuple[str, ...]
    speaker: str | None = None


def of_transcript(transcript: dict[str, Any], rules: Rules) -> list[Cue]:
    """The cues of a film's transcript.json, in film time."""
    return cues(words(transcript), transcript.get("language"), rules)


def is_broken(cue: Cue, rules: Rules) -> bool:
    """Whether a cue has more lines, longer ones, or is shown for longer than the rules allow."""
    return (
        len(cue.lines) > rules.max_lines
        or cue.end - cue.start > rules.max_seconds + 0.002
        or any(phrases.width(line) > rules.max_chars for line in cue.lines)
    )


def words(transcript: dict[str, Any]) -> list[Word]:
    """What is said, in the order of its times. A segment whose words are unknown has guessed
    ones, each as long as its letters are of all."""
    found = sentences.words(transcript, math.inf)
    return [part for word in found for part in (sentences.guessed(word) if word.alone else [word])]


def cues(words: Sequence[Word], language: str | None, rules: Rules) -> list[Cue]:
    """The cues of words in the order of their times, as by `sentences.words`.

    Always: lines and their number are within the rules, no cue is longer than `max_seconds`, and
    there is a gap before the next. Where speech leaves the time for it, a cue lasts `min_seconds`
    and as long as its text needs; else it ends with the gap before the next.
    """
    breaks = _Breaks(phrases.phrases(words, language, rules.max_chars), rules)
    made = [breaks.cue(start, end) for start, end in pairwise(breaks.best())]
    return list(_apart(made, rules))


class _Breaks:
    """What it costs to break between phrases. Place n is before the n-th."""

    def __init__(self, parts: Sequence[Word], rules: Rules):
        self.parts, self.rules = parts, rules
        self._widths = [0.0]
        for part in parts:
            self._widths.append(self._widths[-1] + phrases.width(part.text))
        after = [*parts[1:], None] if parts else []
        self._is_end = [False] + [sentences.is_closed(parts, n, a) for n, a in enumerate(after)]
        self._spaces = [phrases.width(p.text) - phrases.width(p.text.lstrip()) for p in parts]
        inner = [p.text.lstrip() for p in parts]
        self._tails = [phrases.width(text) - phrases.width(text.rstrip()) for text in inner]
        self._costs = [0.0, *map(self._cost_of_break, range(1, len(parts))), 0.0]

    def best(self) -> list[int]:
        """The places before the first cue and after each, of the cues that cost least together."""
        count = len(self.parts)
        costs, before = [0.0] + [math.inf] * count, [0] * (count + 1)
        for end in range(1, count + 1):
            for start in range(end - 1, -1, -1):
                cost = self._cost_of_cue(start, end)
                if math.isinf(cost):
                    break  # and so is a longer one
                if costs[start] + cost < costs[end]:
                    costs[end], before[end] = costs[start] + cost, start
        places = [count]
        while places[-1]:
            places.append(before[places[-1]])
        return places[::-1]

    def cue(self, start: int, end: int) -> Cue:
        """The one between two places."""
        _, ends = self.lines(start, end, self.rules.max_lines)
        lines = tuple(
            "".join(part.text for part in self.parts[a:b]).strip()
            for a, b in pairwise([start, *ends])
        )
        first = self.parts[start]
        return Cue(first.start, self.end(start, end), lines, first.speaker)

    def width(self, start: int, end: int) -> float:
        """Of the text between two places, without the space before and behind it."""
        around = self._spaces[start] + self._tails[end - 1]
        return self._widths[end] - self._widths[start] - around

    def end(self, start: int, end: int) -> float:
        """Seconds; when the cue between two places disappears."""
        begin, said = self.parts[start].start, self.parts[end - 1].end
        until = max(said, begin + self.rules.needed(self.width(start, end)))
        if end < len(self.parts):
            following = self.parts[end].start
            if following - until < CHAINED:
                until = following - self.rules.gap
        return min(until, begin + self.rules.max_seconds)

    def lines(self, start: int, end: int, count: int) -> tuple[float, list[int]]:
        """What it costs to show the text in so many lines at most, and where each ends."""
        rest = self.width(start, end)
        if rest <= self.rules.max_chars:
            return 0.0, [end]
        best: tuple[float, list[int]] = (math.inf, [end])
        if count * self.rules.max_chars < rest or count == 1:
            return best
        for place in range(end - 1, start, -1):
            wide = self.width(start, place)
            if wide > self.rules.max_chars:
                continue
            uneven = abs(wide - self.width(place, end)) / self.rules.max_chars
            cost = 0.2 + 0.3 * self._costs[place] + 0.5 * uneven
            if cost >= best[0]:
                continue
            more, ends = self.lines(place, end, count - 1)
            if cost + more < best[0]:
                best = cost + more, [place, *ends]
        return best

    def _cost_of_cue(self, start: int, end: int) -> float:
        parts, rules = self.parts, self.rules
        first, last = parts[start], parts[end - 1]
        if end - start > 1 and last.end - first.start > rules.max_seconds:
            return math.inf
        after = parts[start + 1] if end - start > 1 else None
        if after and (after.speaker != first.speaker or after.start - first.end >= LONG_PAUSE):
            return math.inf
        cost, _ = self.lines(start, end, rules.max_lines)
        if math.isinf(cost):
            return cost
        cost += 1 + self._costs[end]
        for place in range(start + 1, end):
            pause = parts[place].start - parts[place - 1].end
            cost += 2 * pause if pause > PAUSE else 0
            if self._is_end[place]:  # worse where the second sentence goes on elsewhere
                cost += 0.5 if self._is_end[end] else 1.5
        shown = max(0.01, self.end(start, end) - first.start)
        cost += 10 * max(0.0, 1 - shown / rules.min_seconds) if rules.min_seconds else 0
        too_fast = self.width(start, end) / rules.max_cps / shown - 1
        return cost + 10 * min(1.0, max(0.0, too_fast))

    def _cost_of_break(self, place: int) -> float:
        """How ill the text is torn there: 0 at a sentence's end, 7 within a name."""
        before, after = self.parts[place - 1], self.parts[place]
        if self._is_end[place] or before.speaker != after.speaker:
            return 0.0
        pause = after.start - before.end
        if pause >= 1:
            return 0.0
        if CLAUSE.search(before.text):
            return 0.5 if pause > PAUSE else 1.0
        bare = before.text.strip()
        cost = 3.0
        # Articles, prepositions and conjunctions, of which most languages have short ones, belong
        # to what follows.
        if len(bare) <= 3 and bare.isalpha():
            cost += 0.5
        if pause > PAUSE:
            cost -= 2
        return cost + 4 * _is_one(bare, after.text.strip())


def _is_one(before: str, after: str) -> bool:
    """Whether two words are parts of one name or number."""
    if before[-1:].isdigit():
        return True  # 20 000, 5 km
    return before[:1].isupper() and after[:1].isupper() and len(before) > 1


def _apart(made: Sequence[Cue], rules: Rules) -> Iterator[Cue]:
    """The same cues, moved where words have no time between them; rounded to milliseconds."""
    reached = -math.inf
    for cue, following in zip_longest(made, made[1:]):
        start = max(cue.start, reached + rules.gap)
        moved = cue.end + start - cue.start
        end = min(moved, following.start - rules.gap) if following else moved
        reached = max(cue.end, end, start + rules.gap)
        yield replace(cue, start=round(start, 3), end=round(reached, 3))
