"""Who says what: the words of a transcript beside the turns of speakers.json.

A word is said by whose turn covers most of what is heard of it; one that lies in no turn, by the
nearest. Where two turns cover the same words for a while, two people speak at once, and both are
said to: `S1+S2`.
"""

import functools
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from heapq import heappop, heappush
from itertools import groupby
from typing import Any, NamedTuple

from reelmake.editing import sentences
from reelmake.editing.sentences import Word

TOGETHER = 1.0
"""Seconds that two must speak at once for both to be named: a word in which one falls into the
other's is said by one of them."""
WHOLE = 0.5
"""The share of a word that a turn has to cover for its speaker to have said it beside another."""
HEARD = 0.3
"""Seconds of a word that count, about as long as one lasts: the times of Whisper's words reach over
the pause beside them, and into the turn of somebody else. Where two real voices take turns after
pauses of 0 to 0.8 s, of 79 first words 7 went to whoever spoke before, and 2 do so."""
FEW = 8
"""People at once, whom a time between two beginnings or ends is known by; there are few more."""
BOTH = "+"
"""Stands between the labels of those who speak at once."""


class Turn(NamedTuple):
    """Someone speaks from `start` to `end`, seconds. speaker: the label."""

    start: float
    end: float
    speaker: str


class Turns:
    """The turns of a film in the order of their beginnings, to be asked for times."""

    def __init__(self, turns: Iterable[Turn]):
        self.all = sorted(turns)
        self._starts = [turn.start for turn in self.all]
        # Of the turns up to each, the one that ends last; of those alike, the later one.
        self._last_to_end: list[Turn] = []
        for turn in self.all:
            last = self._last_to_end[-1] if self._last_to_end else turn
            self._last_to_end.append(last if last.end > turn.end else turn)
        self._lanes = [_Lane(lane) for lane in _apart(self.all)]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Turns":
        """document: speakers.json."""
        return cls(Turn(each["start"], each["end"], each["speaker"]) for each in document["turns"])

    @property
    def labels(self) -> list[str]:
        """The speakers, in the order in which they speak first."""
        return list(dict.fromkeys(turn.speaker for turn in self.all))

    def steady(self, time: float) -> tuple[float, float, tuple[str, ...]]:
        """The time around one (seconds) in which nobody begins or ends, from and until when, and
        who speaks in it, whoever began first before: nobody, or `covered` has to tell. Most words
        lie within one such time, and a library has millions."""
        bounds, between = self._steady
        place = bisect_right(bounds, time)
        if 0 < place < len(bounds):
            return bounds[place - 1], bounds[place], between[place - 1]
        return 0.0, 0.0, ()

    @functools.cached_property
    def _steady(self) -> tuple[list[float], list[tuple[str, ...]]]:
        return _steady(self.all)  # not where nobody asks about words: a search has many films

    def covered(self, start: float, end: float) -> dict[str, float]:
        """How many seconds of a span each speaks in, the longest first; of those alike, whoever
        began first. Who speaks in none of it is left out."""
        found: dict[str, float] = {}
        for turn in sorted(turn for lane in self._lanes for turn in lane.within(start, end)):
            seconds = min(turn.end, end) - max(turn.start, start)
            if seconds > 0:
                found[turn.speaker] = found.get(turn.speaker, 0.0) + seconds
        return dict(sorted(found.items(), key=lambda each: -each[1]))

    def nearest(self, start: float, end: float) -> str | None:
        """Who speaks next to a span; of two that are as near, who spoke before. None: nobody."""
        place = bisect_left(self._starts, start)
        around = [self.all[place]] if place < len(self.all) else []
        if place:
            around.append(self._last_to_end[place - 1])  # however early it began
        best = min(
            around,
            key=lambda turn: (max(turn.start - end, start - turn.end, 0.0), turn.start),
            default=None,
        )
        return best.speaker if best else None


class _Lane:
    """Turns of which none overlaps another, in order: those within a time lie in a row."""

    def __init__(self, turns: Sequence[Turn]):
        self._turns = turns
        self._starts = [turn.start for turn in turns]
        self._ends = [turn.end for turn in turns]

    def within(self, start: float, end: float) -> Sequence[Turn]:
        """Those that cover some of a span."""
        return self._turns[bisect_right(self._ends, start) : bisect_left(self._starts, end)]


def _steady(turns: Sequence[Turn]) -> tuple[list[float], list[tuple[str, ...]]]:
    """The times at which somebody begins or ends, and who speaks from each to the next, whoever
    began first before; empty where nobody does, more than `FEW` do, or one does twice.

    turns: by their beginnings.
    """
    turns = [turn for turn in turns if turn.start < turn.end]
    bounds = sorted({time for turn in turns for time in (turn.start, turn.end)})
    between: list[tuple[str, ...]] = []
    here: list[Turn] = []
    place = 0
    for time in bounds:
        here = [turn for turn in here if turn.end > time]
        while place < len(turns) and turns[place].start == time:
            here.append(turns[place])
            place += 1
        who = tuple(turn.speaker for turn in here) if len(here) <= FEW else ()
        between.append(who if len(set(who)) == len(who) else ())
    return bounds, between


def _apart(turns: Sequence[Turn]) -> list[list[Turn]]:
    """The turns in as few lists as there are at once, so that none overlaps another in its list.

    In one list a turn of hours would have all that come after it be looked at for each word.
    turns: by their beginnings; those that last no time are left out.
    """
    lanes: list[list[Turn]] = []
    free: list[tuple[float, int]] = []  # when each list's last turn ends
    for turn in turns:
        if turn.end <= turn.start:
            continue
        if free and free[0][0] <= turn.start:
            number = heappop(free)[1]
        else:
            number = len(lanes)
            lanes.append([])
        lanes[number].append(turn)
        heappush(free, (turn.end, number))
    return lanes


class Span(NamedTuple):
    """A word, or a segment whose words have no times. start, end: as the transcript has them
    (seconds). word: its text; None: it is a segment."""

    start: float
    end: float
    word: str | None = None

    @property
    def heard(self) -> tuple[float, float]:
        """When it is surely said (start, end; seconds): a word begins after a pause, unless it ends
        a sentence: then a pause follows."""
        if self.word is None:
            return self.start, self.end
        if sentences.ENDING.search(self.word):
            return self.start, min(self.end, self.start + HEARD)
        return max(self.start, self.end - HEARD), self.end


def speakers_of(spans: Sequence[Span], turns: Turns) -> list[str | None]:
    """Who says each of the words that have these spans, in order: a label, or several, joined by
    `BOTH`; None where the film has no turn."""
    single: list[str | None] = []
    several: list[tuple[str, ...]] = []
    since, until, steady = turns.steady(0.0)
    for span in spans:
        start, end, _ = span
        if not since <= start < until:
            since, until, steady = turns.steady(start)
        if steady and start < end <= until:
            before = single[-1] if single else None
            single.append(before if before in steady else steady[0])
            several.append(tuple(sorted(steady)) if len(steady) > 1 else ())
            continue
        whole = turns.covered(start, end) or turns.covered(start - 0.001, end + 0.001)
        covered = turns.covered(*span.heard) or whole
        best = next(iter(covered), None) or turns.nearest(start, end)
        before = single[-1] if single else None
        if before in covered and best and covered[before] >= covered.get(best, 0.0):
            best = before  # as long as another: nobody is interrupted
        single.append(best)
        least = WHOLE * (end - start)
        at_once = sorted(who for who, seconds in whole.items() if seconds >= least > 0)
        several.append(tuple(at_once) if len(at_once) > 1 else ())
    if not any(several):
        return single
    found = list(single)
    numbered = range(len(spans))
    for group, numbers in groupby(numbered, key=lambda number: several[number]):
        run = list(numbers)
        if group and spans[run[-1]].end - spans[run[0]].start >= TOGETHER:
            for number in run:
                found[number] = BOTH.join(group)
    return found


def with_speakers(transcript: dict[str, Any], turns: Turns) -> dict[str, Any]:
    """The transcript with its segments cut where the speaker changes, each with its `speaker`.

    It is the very same where fewer than two speak, or where it knows its speakers already, by the
    microphone of each (audio.mix: each). A segment without times of words goes to whoever speaks
    most in it.
    """
    segments = transcript["segments"]
    if len(turns.labels) < 2 or any("speaker" in segment for segment in segments):
        return transcript
    spans = [span for segment in segments for span in _spans(segment)]
    given = iter(speakers_of(spans, turns))
    made = [
        part
        for segment in segments
        for part in _cut(transcript, segment, [next(given) for _ in _spans(segment)])
    ]
    spoken = transcript | {"segments": made}
    return spoken if are_several(spoken) else transcript


def named(label: str, names: Mapping[str, str]) -> str:
    """Who a label stands for, for people: 'Anna', 'S2', or 'Anna, S2' where both speak."""
    return ", ".join(dict.fromkeys(names.get(each, each) for each in label.split(BOTH)))


def with_names(
    transcript: dict[str, Any], names: Mapping[str, str]
) -> tuple[dict[str, Any], set[str]]:
    """The transcript whose segments have names instead of labels, and which of them are names: of
    somebody without one, the label stands there. names: by label."""
    segments, known = [], set()
    for segment in transcript["segments"]:
        label = segment.get("speaker")
        if label is not None:
            segment = segment | {"speaker": named(label, names)}
            if any(each in names for each in label.split(BOTH)):
                known.add(segment["speaker"])
        segments.append(segment)
    return transcript | {"segments": segments}, known


def are_several(transcript: Mapping[str, Any]) -> bool:
    """Whether the segments of a transcript have two speakers or more."""
    return len({segment.get("speaker") for segment in transcript["segments"]} - {None}) > 1


def introduced(words: Sequence[Word], names: Collection[str]) -> list[Word]:
    """The words with who begins to speak before the first of each: 'Anna: hello', or '- hello' of
    somebody without a name.

    SubRip has no voices, and readers of subtitles expect a dash where somebody else speaks; S2
    would tell them nothing more. names: the speakers of words that are names.
    """
    found: list[Word] = []
    before = None
    for word in words:
        if word.speaker is not None and word.speaker != before:
            mark = f"{word.speaker}:" if word.speaker in names else "-"
            found.append(replace(word, text=f" {mark} {word.text.strip()}"))
        else:
            found.append(word)
        before = word.speaker
    return found


def present(turns: Turns, start: float, end: float) -> list[str]:
    """The labels of those who speak within a span of seconds, the longest first."""
    return list(turns.covered(start, end))


def _spans(segment: dict[str, Any]) -> list[Span]:
    """Of what a segment says: of its words, or of the whole where their times are unknown."""
    if segment["words"]:
        return [Span(word["start"], word["end"], word["word"]) for word in segment["words"]]
    return [Span(segment["start"], segment["end"])] if segment["text"].strip() else []


def _cut(
    transcript: dict[str, Any], segment: dict[str, Any], speakers: Sequence[str | None]
) -> list[dict[str, Any]]:
    """The segment in parts of one speaker each. speakers: of each of its spans."""
    runs = [(who, len(list(group))) for who, group in groupby(speakers)]
    if len(runs) < 2:
        who = runs[0][0] if runs else None
        return [segment | ({"speaker": who} if who else {})]
    parts, first = [], 0
    pieces = sentences.pieces(segment, transcript.get("language"))
    for who, count in runs:
        words = segment["words"][first : first + count]
        said = "".join(pieces[first : first + count]).strip()
        own = {"start": words[0]["start"], "end": words[-1]["end"], "text": said, "words": words}
        if said:
            parts.append(segment | own | ({"speaker": who} if who else {}))
        first += count
    return parts
