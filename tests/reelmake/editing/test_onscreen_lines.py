"""Lines of text in single frames as lines that stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelmake.editing.onscreen_lines import Reading, merged
from reelmake.foundation import artifact_files


def at(text: str, top: float = 0.1, left: float = 0.3, confidence: float = 0.9, width: float = 0.4):
    return Reading(text, confidence, left, top, width, 0.06)


def shown(*frames, every: float = 1.0):
    """(text, start, end, frames) of each line."""
    lines = merged([(number * every, list(frame)) for number, frame in enumerate(frames)])
    content = {"frames": len(frames), "frames_with_text": 0, "skipped_frames": 0, "lines": lines}
    artifact_files.validate(content, "onscreen")
    return [(line["text"], line["start"], line["end"], line["frames"]) for line in lines]


def test_a_line_that_stays_is_one():
    assert shown([at("Agenda")], [at("Agenda")], [at("Agenda")]) == [("Agenda", 0.0, 2.0, 3)]


def test_the_surest_reading_counts():
    readings = [at("Quarter1y resu1ts", confidence=0.8), at("Quarterly results", confidence=0.99)]
    assert [text for text, *_ in shown([readings[1]], [at("Quarterly resuIts")])] == [
        "Quarterly results"
    ]
    assert shown([at("Quarterly resuits")], [readings[1]], [at("quarterlyresults")]) == [
        ("Quarterly results", 0.0, 2.0, 3)
    ]


def test_another_text_at_its_place_is_another_line():
    assert shown([at("Hello there")], [at("Good bye then")]) == [
        ("Hello there", 0.0, 0.0, 1),
        ("Good bye then", 1.0, 1.0, 1),
    ]


def test_a_digit_makes_another_text():
    for one, other in (("0:41", "0:42"), ("Slide 13 of 20", "Slide 14 of 20")):
        assert [text for text, *_ in shown([at(one)], [at(other)])] == [one, other]


@pytest.mark.parametrize(
    ("one", "other"),
    [("Part I", "Part II"), ("Phase A", "Phase B"), ("第一章的内容", "第二章的内容")],
)
def test_short_texts_of_which_the_model_is_sure_are_two_where_a_letter_differs(one, other):
    frames = [[at(text, confidence=0.99)] for text in (one, one, other)]
    assert shown(*frames) == [(one, 0.0, 1.0, 2), (other, 2.0, 2.0, 1)]
    unsure = [[at(text, confidence=0.95)] for text in (one, one, other)]
    assert len(shown(*unsure)) == 1


def test_the_same_text_elsewhere_is_another_line():
    assert len(shown([at("Exit")], [at("Exit", top=0.7)])) == 2
    assert len(shown([at("Exit"), at("Exit", top=0.7)], [at("Exit"), at("Exit", top=0.7)])) == 2


def test_a_line_that_is_overlooked_once_goes_on_and_twice_ends():
    assert shown([at("Agenda")], [], [at("Agenda")]) == [("Agenda", 0.0, 2.0, 2)]
    assert shown([at("Agenda")], [], [], [at("Agenda")]) == [
        ("Agenda", 0.0, 0.0, 1),
        ("Agenda", 3.0, 3.0, 1),
    ]


def kinds(*frames):
    lines = merged([(float(number), list(frame)) for number, frame in enumerate(frames)])
    return {line["text"]: line["kind"] for line in lines}


def test_subtitles_captions_and_the_rest():
    title, logo = at("Ten ways to boil eggs"), at("NEWS", top=0.02, left=0.02, width=0.1)
    said = ["How do you do", "Very well indeed", "And what about you", "Not too bad today"]
    frames = [[title, logo, at(text, top=0.85)] for text in said for _ in range(2)]
    frames[5].append(at("Platform", top=0.4))
    assert kinds(*frames) == {
        **dict.fromkeys(said, "subtitle"),
        "Ten ways to boil eggs": "caption",
        "NEWS": "caption",
        "Platform": "other",
    }


def test_a_line_below_that_does_not_change_is_no_subtitle():
    name = [at("Dr. Ada Example", top=0.85)]
    assert kinds(*[name] * 5) == {"Dr. Ada Example": "caption"}
    assert kinds(name) == {"Dr. Ada Example": "other"}
    aside = [[at(text, top=0.85, left=0.0, width=0.2)] for text in ("one", "two", "six", "ten")]
    assert set(kinds(*aside).values()) == {"other"}


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
SHARE = st.floats(0, 0.5)
READING = st.builds(Reading, TEXT, st.floats(0, 1), SHARE, SHARE, SHARE, SHARE)


@given(st.lists(st.lists(READING, max_size=4), max_size=6))
def test_whatever_is_read_fits_the_schema_and_nothing_is_lost(frames):
    shown(*frames)
    lines = merged([(float(number), frame) for number, frame in enumerate(frames)])
    assert sum(line["frames"] for line in lines) == sum(map(len, frames))
    assert {line["text"] for line in lines} <= {each.text for frame in frames for each in frame}


@pytest.mark.parametrize("text", ["مرحبا بكم", '<b>"it\'s"</b>', "今天"])
def test_any_script(text):
    assert shown([at(text)], [at(text)]) == [(text, 0.0, 1.0, 2)]
