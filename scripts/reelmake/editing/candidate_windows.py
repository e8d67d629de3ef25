"""Where parts of a film can begin and end without cutting a word: runs of whole sentences, and
of whole scenes where nobody speaks."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from reelmake.editing.sentences import Sentence

MARGIN = 0.25
"""Seconds at most from a window's border to the word next to it, unless a cut is there."""

LONG_PAUSE = 1.0
"""Seconds; a longer pause makes no better border."""

SLIVER = 0.5
"""Seconds; what is shorter between a scene's border and the film's is no scene."""

ROUNDING = 1e-6
"""Seconds; times are rounded to it."""

Window = tuple[float, float, float]
"""Start and end, seconds, and how good its borders are, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Border:
    """Where windows begin or end next to a sentence. at: seconds. word: the sentence's own
    time. worth: 0 to 1, better with a long pause, punctuation, and a cut."""

    at: float
    word: float
    worth: float


def find(
    parts: Sequence[Sentence],
    cuts: Sequence[float],
    duration: float,
    snap: float,
    shortest: float,
    longest: float,
) -> Iterator[Window]:
    """All windows from `shortest` to `longest` seconds in a film of `duration` seconds.

    parts: what is said, none longer than `longest`. cuts: when scenes begin and end, in order.
    snap: how far from its place a border goes to be on a cut, seconds.
    """
    begins, ends = _borders(parts, cuts, duration, snap)
    runs = list(_runs(begins, ends, shortest, longest))
    yield from runs
    yield from _lonely(begins, ends, runs, duration, shortest, longest)
    after = [0.0, *(border.at for border in ends)]
    before = [*(border.at for border in begins), duration]
    for start, end in zip(after, before, strict=True):
        yield from _silent(start, end, cuts, shortest, longest)


def even(start: float, end: float, shortest: float, longest: float) -> Iterator[Window]:
    """Windows of `longest` seconds one after the other, whatever is there.

    The last is shorter; where that would be too short it begins before the end of the one before.
    """
    begin = start
    while end - begin > longest + ROUNDING:
        yield round(begin, 6), round(begin + longest, 6), 0.3
        begin += longest
    if begin > start and end - begin < SLIVER:
        return
    if begin > start and end - begin < shortest:
        begin = end - longest
    yield round(begin, 6), min(round(end, 6), end), 0.3


def _borders(
    parts: Sequence[Sentence], cuts: Sequence[float], duration: float, snap: float
) -> tuple[list[Border], list[Border]]:
    """Where windows begin before each sentence, and where they end after it.

    Both lie in the pause between two sentences, so neither decreases.
    """
    begins, ends = [], []
    bounds = [0.0, *(time for part in parts for time in (part.start, part.end)), duration]
    closed = [True, *(part.closed for part in parts)]
    for low, high, dot in zip(bounds[::2], bounds[1::2], closed, strict=True):
        margin = min((high - low) / 2, MARGIN)
        worth = 0.5 * min(high - low, LONG_PAUSE) / LONG_PAUSE + 0.3 * dot
        inside = cuts[bisect_left(cuts, low) : bisect_right(cuts, high)]
        ends.append(_snapped(low + margin, low, worth, inside, snap))
        begins.append(_snapped(high - margin, high, worth, inside, snap))
    return begins[:-1], ends[1:]


def _snapped(at: float, word: float, worth: float, cuts: Sequence[float], snap: float) -> Border:
    """The border at the nearest of the cuts, if that is near enough."""
    cut = min(cuts, key=lambda cut: abs(cut - at), default=None)
    if cut is None or abs(cut - at) > snap + ROUNDING:
        return Border(round(at, 6), word, worth)
    return Border(round(cut, 6), word, worth + 0.2)


def _runs(
    begins: Sequence[Border], ends: Sequence[Border], shortest: float, longest: float
) -> Iterator[Window]:
    """All runs of whole sentences that are neither too short nor too long."""
    at = [border.at for border in ends]
    words = [border.word for border in ends]
    for number, begin in enumerate(begins):
        first = bisect_left(at, begin.at + shortest - ROUNDING)
        last = bisect_right(words, begin.word + longest + ROUNDING / 2)
        for end in ends[max(first, number) : last]:
            yield _window(begin, end, longest)


def _window(begin: Border, end: Border, longest: float) -> Window:
    """From border to border; with less of the pauses where that would be too long."""
    worth = (begin.worth + end.worth) / 2
    over = end.at - begin.at - longest
    if over < ROUNDING / 2:
        return begin.at, end.at, worth
    before, after = begin.word - begin.at, end.at - end.word
    start = round(begin.at + over * before / (before + after), 6)
    return start, min(round(start + longest, 6), end.at), worth / 2  # it is on no cut


def _lonely(
    begins: Sequence[Border],
    ends: Sequence[Border],
    runs: Sequence[Window],
    duration: float,
    shortest: float,
    longest: float,
) -> Iterator[Window]:
    """What is said in no run, being too short and too far from the rest, with as much silence
    around it as makes it long enough; nothing where there is not so much."""
    starts = [border.word for border in begins]
    changes = [0] * (len(begins) + 1)
    for start, end, _ in runs:
        changes[bisect_left(starts, start)] += 1
        changes[bisect_left(starts, end)] -= 1
    runs_of = list(accumulate(changes))
    number = 0
    while number < len(begins):
        begin, last = begins[number].word, number
        while (
            runs_of[number] == runs_of[last + 1] == 0
            and last + 1 < len(begins)
            and ends[last + 1].word - begin <= longest
        ):
            last += 1
        low = ends[number - 1].at if number else 0.0
        high = begins[last + 1].at if last + 1 < len(begins) else duration
        if runs_of[number] == 0 and high - low >= shortest:
            spare = shortest - (ends[last].word - begin)
            start = min(max(begin - spare / 2, low), high - shortest)
            yield round(start, 6), min(round(start + shortest, 6), duration), 0.5
        number = last + 1


def _silent(
    start: float, end: float, cuts: Sequence[float], shortest: float, longest: float
) -> Iterator[Window]:
    """Runs of whole scenes where nobody speaks; windows of `longest` in a scene that is longer."""
    if end - start < shortest - ROUNDING / 2:
        return
    inner = list(cuts[bisect_right(cuts, start) : bisect_left(cuts, end)])
    # Sound and pictures rarely begin and end together.
    first = [] if inner and inner[0] - start < SLIVER else [start]
    last = [] if inner and end - inner[-1] < SLIVER else [end]
    bounds = [round(bound, 6) for bound in (*first, *inner, *last)]
    on_cut = {round(cut, 6) for cut in cuts}
    found = False
    for number, begin in enumerate(bounds):
        for stop in bounds[number + 1 : bisect_right(bounds, begin + longest + ROUNDING / 2)]:
            if stop - begin >= shortest - ROUNDING / 2:
                found = True
                yield begin, stop, 0.5 + 0.1 * (begin in on_cut) + 0.1 * (stop in on_cut)
    for begin, stop in pairwise(bounds):
        if stop - begin > longest + ROUNDING / 2:
            found = True
            yield from even(begin, stop, shortest, longest)
    if not found and bounds[-1] - bounds[0] >= shortest:  # scenes that do not add up
        yield from even(bounds[0], bounds[-1], shortest, longest)
