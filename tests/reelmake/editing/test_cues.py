"""Subtitle cues: the rules that always hold, the best of all ways to break, and how that reads."""

import itertools
import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelmake.editing import cues, phrases
from reelmake.editing.cues import Cue, Rules
from reelmake.editing.sentences import Word
from reelmake.library import config

RULES = Rules.of(config.load({})["subtitles"], 25.0)


def say(text: str, cps: float = 14.0, start: float = 0.0, pause: float = 0.4) -> list[Word]:
    """Words, spoken at so many characters a second, with a pause after each sentence."""
    words, time = [], start
    for word in text.split():
        length = (len(word) + 1) / cps
        words.append(Word(f" {word}", round(time, 3), round(time + length, 3), None))
        time += length + (pause if word[-1] in ".!?" else 0)
    return words


def lines(words: list[Word], language: str = "en", rules: Rules = RULES) -> list[tuple[str, ...]]:
    return [cue.lines for cue in cues.cues(words, language, rules)]


def test_the_defaults_are_those_of_the_trade():
    assert Rules(42, 2, 20.0, 1.0, 7.0, 0.08) == RULES
    assert Rules.of(config.load({})["subtitles"], None).gap == 0.08
    assert Rules.of(config.load({})["subtitles"], 50.0).gap == 0.04


def test_cues_end_where_sentences_and_clauses_do():
    text = (
        "When Gregor Samsa woke from troubled dreams, he found himself transformed in his bed "
        "into a horrible vermin. He lay on his back. No. The bedding was hardly able to cover it."
    )
    assert lines(say(text)) == [
        ("When Gregor Samsa woke", "from troubled dreams,"),
        ("he found himself transformed", "in his bed into a horrible vermin."),
        ("He lay on his back. No.",),
        ("The bedding was hardly able to cover it.",),
    ]


def test_names_and_numbers_stay_whole():
    for name in ("20 000 000 dollars", "New York City Hall", "Mr. Smith"):
        text = f"and everybody said that it would be about {name} if it is what we think it will be"
        shown = lines(say(text))
        assert any(name in line for cue in shown for line in cue), shown


def test_what_is_short_is_shown_longer_where_nothing_follows():
    (cue,) = cues.cues([Word(" Yes.", 2.0, 2.2, None)], "en", RULES)
    assert cue == Cue(2.0, 3.0, ("Yes.",))
    first, second = cues.cues(
        [Word(" Yes.", 2.0, 2.2, None), Word(" No.", 9.0, 9.2, None)], "en", RULES
    )
    assert (first.end, second.start) == (3.0, 9.0)


def test_cues_that_are_near_follow_without_flicker():
    first, second = cues.cues(
        say("This is a whole sentence. And this is another one, which is just as long."),
        "en",
        RULES,
    )
    assert second.start - first.end == pytest.approx(0.08)


def test_a_long_pause_and_another_voice_begin_a_cue():
    words = [Word(" one", 0, 0.5, "A"), Word(" two", 0.5, 1, "B"), Word(" three", 4, 4.5, "B")]
    assert lines(words) == [("one",), ("two",), ("three",)]


def test_chinese_lines_have_sixteen_characters_and_phrases_stay_whole():
    text = "今日は良い天気ですね。私は東京へ行きたいと思っていますが、明日は雨が降るそうです。"
    words = [Word(one, n * 0.15, n * 0.15 + 0.15, None) for n, one in enumerate(text)]
    shown = lines(words, "ja")
    assert shown == [
        ("今日は良い天気ですね。",),
        ("私は東京へ行きたいと", "思っていますが、"),
        ("明日は雨が降るそうです。",),
    ]


def test_a_segment_without_words_is_read_as_fast_as_its_letters():
    text = "It is said here that nobody knows the words of this, but they are still many. " * 3
    segment = {"start": 10.0, "end": 28.0, "text": text.strip(), "words": []}
    found = cues.of_transcript({"language": "en", "segments": [segment]}, RULES)
    assert " ".join(line for cue in found for line in cue.lines) == text.strip()
    assert found[0].start == 10.0 and found[-1].end == pytest.approx(28.0, abs=0.5)
    assert broken(found, RULES) == []


def test_a_space_behind_a_word_that_fills_a_line_is_not_counted():
    words = [Word("a", 0.0, 0.0, None), Word("0" * 42 + " ", 0.0, 0.0, None)]
    found = cues.cues(words, "en", RULES)
    assert broken(found, RULES) == []
    assert [cue.lines for cue in found] in ([("a", "0" * 42)], [("a",), ("0" * 42,)])


def broken(found: list[Cue], rules: Rules) -> list[str]:
    """What of the rules that always hold does not."""
    wrong = []
    for cue in found:
        if not 0 < cue.end - cue.start <= rules.max_seconds + 0.002:
            wrong.append(f"length {cue}")
        if not 1 <= len(cue.lines) <= rules.max_lines:
            wrong.append(f"lines {cue}")
        if any(phrases.width(line) > rules.max_chars for line in cue.lines):
            wrong.append(f"width {cue}")
    for cue, after in pairwise(found):
        if after.start - cue.end < rules.gap - 0.0015:
            wrong.append(f"gap {cue} {after}")
    return wrong


@pytest.mark.parametrize(
    ("start", "end", "lines"),
    [(0, 8, ("a",)), (0, 2, ("a", "b", "c")), (0, 2, ("a", "b" * 43)), (0, 2, ("字" * 17,))],
)
def test_a_cue_that_breaks_the_rules_is_told(start, end, lines):
    assert cues.is_broken(Cue(start, end, lines), RULES)
    assert not cues.is_broken(Cue(0, 7, ("a" * 42, "字" * 16)), RULES)


TEXT = st.one_of(
    st.text(st.sampled_from("abcdeÄß,.!?'-0 9\"…"), min_size=1, max_size=14),
    st.text(st.sampled_from("字今日は。、ー你好กำลังไป"), min_size=1, max_size=30),
    st.text(min_size=1, max_size=60),
)
SPOKEN = st.lists(
    st.tuples(
        TEXT,
        st.booleans(),
        st.sampled_from((0.0, 0.0, 0.0, 0.05, 0.2, 0.5, 1.5, 9.0)),
        st.sampled_from((0.0, 0.01, 0.1, 0.3, 0.3, 1.0, 12.0)),
        st.sampled_from((None, None, None, "A")),
    ),
    max_size=40,
)


def spoken(parts) -> list[Word]:
    words, time = [], 0.0
    for text, space, pause, length, speaker in parts:
        time = round(time + pause, 3)
        words.append(Word(" " * space + text, time, round(time + length, 3), speaker))
        time = round(time + length, 3)
    return words


@settings(max_examples=300)
@given(
    SPOKEN,
    st.sampled_from(["en", "ja", "zh", "th", None]),
    st.builds(
        Rules,
        max_chars=st.sampled_from((10, 23, 42)),
        max_lines=st.integers(1, 4),
        max_cps=st.sampled_from((5.0, 20.0)),
        min_seconds=st.sampled_from((0.0, 1.0)),
        max_seconds=st.sampled_from((1.0, 7.0)),
        gap=st.sampled_from((0.033, 0.08)),
    ),
)
def test_the_rules_hold_whatever_is_said(parts, language, rules):
    words = spoken(parts)
    found = cues.cues(words, language, rules)
    assert broken(found, rules) == []
    shown = "".join("".join(cue.lines) for cue in found)
    said = "".join(word.text for word in words)
    assert "".join(shown.split()) == "".join(said.split())
    # Where speech leaves the time, it can be read.
    for cue, after in itertools.pairwise([*found, Cue(math.inf, math.inf, ())]):
        width = sum(map(phrases.width, cue.lines))
        needed = min(rules.max_seconds, max(rules.min_seconds, width / rules.max_cps))
        assert cue.end - cue.start >= min(needed, after.start - rules.gap - cue.start) - 0.003


@settings(max_examples=60)
@given(st.lists(st.sampled_from(["one", "Two", "three.", "a", "20", "longerword,"]), max_size=9))
def test_no_other_way_to_break_costs_less(said):
    words = say(" ".join(said))
    breaks = cues._Breaks(phrases.phrases(words, "en", 42), RULES)
    places = range(1, len(said))

    def cost(chosen) -> float:
        ends = [0, *chosen, len(said)] if said else [0]
        return sum(breaks._cost_of_cue(a, b) for a, b in pairwise(ends))

    every = (c for n in range(len(said)) for c in itertools.combinations(places, n))
    best = min(map(cost, every), default=0.0)
    assert cost(breaks.best()[1:-1]) == pytest.approx(best)
