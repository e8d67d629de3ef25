"""Sentences end where a reader would say so, in whatever language."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelmake.editing.sentences import pauses, sentences, split, words


def transcript(*segments, language="en"):
    """Segments of (text, first word's start, [words]); a word takes 0.4 s and none pauses."""
    made = []
    for text, start, spoken in segments:
        times = [round(start + 0.4 * number, 3) for number in range(len(spoken) + 1)]
        timed = [
            {"word": word, "start": begin, "end": end, "probability": 1.0}
            for word, (begin, end) in zip(spoken, itertools.pairwise(times), strict=True)
        ]
        made.append({"text": text, "start": start, "end": times[-1], "words": timed})
    return {"language": language, "segments": made, "duration": 1000.0}


def said(text, *, spoken=None, language="en", pause=0.5):
    """The sentences of one segment."""
    content = transcript((text, 0.0, spoken or text.split()), language=language)
    return [each.text for each in sentences(words(content, 1000.0), pause)]


@pytest.mark.parametrize(
    "expected",
    [
        ["It falls.", "Why?", "Look!", "Well…", "So it goes"],
        ['He said "Stop."', "(She did not!)", "They went “on?”", "Yes."],
        ["Mr. Smith paid 3.14 dollars.", "Dr. J. R. Low did not."],
        ["Fruit, e.g. pears, is good.", "So do I.", "The U.S. team won."],
        ["Это мяч.", "А. Пушкин писал.", "Да!"],
        ["यह लाल है।", "वह नीला है।"],
        ["هل هذا أحمر؟", "نعم."],
        ["Go to example.com now.", "Version 2.0 is out!"],
    ],
)
def test_punctuation_ends_a_sentence_but_not_every_dot_does(expected):
    assert said(" ".join(expected)) == expected


def test_a_number_that_whisper_cuts_at_its_dot_is_one():
    assert said("It is 3.14 today. Yes.", spoken=["It", "is", "3.", "14", "today.", "Yes."]) == [
        "It is 3.14 today.",
        "Yes.",
    ]


def test_languages_without_spaces():
    spoken = ["你", "好", "。", "我", "是", "红", "球", "！", "是", "吗", "?"]
    expected = ["你好。", "我是红球！", "是吗?"]
    assert said("你好。我是红球！是吗?", spoken=spoken, language="zh") == expected
    # The bracket is a word of its own, and the dot is a Latin one.
    spoken = ["「", "見", "て", "。", "」", "と", "言", "う."]
    assert said("「見て。」と言う.", spoken=spoken, language="ja") == ["「見て。」", "と言う."]


def test_two_segments_are_joined_as_the_language_is_written():
    english = transcript(("the red", 0.0, ["the", "red"]), ("ball falls.", 0.8, ["ball", "falls."]))
    assert [each.text for each in sentences(words(english, 9.0), 0.5)] == ["the red ball falls."]
    chinese = transcript(("红", 0.0, ["红"]), ("球。", 0.4, ["球", "。"]), language="zh")
    assert [each.text for each in sentences(words(chinese, 9.0), 0.5)] == ["红球。"]
    # What Whisper has translated from Japanese.
    made = transcript(("the café’s", 0.0, ["the", "café’s"]), ("ball.", 0.8, ["ball."]))
    made["language"] = "ja"
    assert [each.text for each in sentences(words(made, 9.0), 0.5)] == ["the café’s ball."]


def test_words_with_their_own_spaces_and_words_that_the_text_lacks():
    assert said("the ball", spoken=[" the", " ball"]) == ["the ball"]
    assert said("something else", spoken=["the", "ball", "don't"]) == ["the ball don't"]


def test_a_pause_ends_a_sentence():
    content = transcript(("red ball", 0.0, ["red", "ball"]), ("blue box", 1.3, ["blue", "box"]))
    spoken = words(content, 9.0)
    assert [each.text for each in sentences(spoken, 0.5)] == ["red ball", "blue box"]
    assert [each.closed for each in sentences(spoken, 0.5)] == [False, False]
    assert pauses(spoken, 0.5) == 1
    assert [each.text for each in sentences(spoken, 0.51)] == ["red ball blue box"]
    assert pauses(spoken, 0.51) == 0


def test_a_segment_without_words_is_a_sentence():
    content = transcript(
        ("so it", 0.0, ["so", "it"]), ("is. Or so", 1.0, []), ("it was", 1, ["it"])
    )
    content["segments"][1]["end"] = 3.0
    content["segments"][2]["words"][0] |= {"start": 3.0, "end": 3.5}
    found = sentences(words(content, 9.0), 5.0)
    assert [each.text for each in found] == ["so it", "is. Or so", "it"]
    assert [(each.start, each.end) for each in found] == [(0, 0.8), (1, 3), (3, 3.5)]


def test_a_long_sentence_is_split_at_its_longest_pauses():
    spoken = [f"w{number}" for number in range(100)]  # 40 s
    content = transcript((" ".join(spoken), 0.0, spoken))
    for word in content["segments"][0]["words"][40:]:
        word["start"] += 0.3
        word["end"] += 0.3
    (sentence,) = sentences(words(content, 1000.0), 0.5)
    parts = split(sentence, 30.0, [])
    assert [len(part.words) for part in parts] == [40, 60]
    assert [word for part in parts for word in part.words] == list(sentence.words)
    # Where nobody pauses: at a cut, else in the middle.
    content = transcript((" ".join(spoken), 0.0, spoken))
    (sentence,) = sentences(words(content, 1000.0), 0.5)
    assert [part.start for part in split(sentence, 30.0, [])] == [0, 20]
    assert [part.start for part in split(sentence, 30.0, [12.1])] == [0, 12]
    assert split(sentence, 40.0, []) == [sentence]
    # A pause after the first word makes no part of one word.
    for word in content["segments"][0]["words"][1:]:
        word["start"] += 0.3
        word["end"] += 0.3
    (sentence,) = sentences(words(content, 1000.0), 0.5)
    assert [len(part.words) for part in split(sentence, 30.0, [])] == [50, 50]


@pytest.mark.parametrize(("text", "language"), [("a bb ccc dddd " * 5, "en"), ("红球" * 25, "zh")])
def test_a_long_segment_without_words_is_split_too(text, language):
    content = transcript((text.strip(), 10.0, []), language=language)
    content["segments"][0]["end"] = 60.0
    (sentence,) = sentences(words(content, 1000.0), 0.5)
    parts = split(sentence, 20.0, [])
    assert "".join(part.text for part in parts).replace(" ", "") == text.replace(" ", "")
    assert (parts[0].start, parts[-1].end) == (10, pytest.approx(60))
    assert all(part.end - part.start <= 20 for part in parts)


@given(st.lists(st.tuples(st.floats(0, 20), st.floats(0, 20), st.booleans()), max_size=20))
def test_times_never_decrease_whatever_the_transcript_says(spans):
    content = transcript(("x", 0.0, ["x"] * len(spans)))
    for word, (start, end, _) in zip(content["segments"][0]["words"], spans, strict=True):
        word |= {"start": start, "end": end}
    times = [time for word in words(content, 15.0) for time in (word.start, word.end)]
    assert times == sorted(times)
    assert all(0 <= time <= 15 for time in times)


def test_a_word_that_overlaps_the_next_ends_where_that_begins():
    content = transcript(("a b c", 0.0, ["a", "b", "c"]))
    for word, times in zip(
        content["segments"][0]["words"], [(0, 9), (0.5, 1.0), (0.9, 1.4)], strict=True
    ):
        word["start"], word["end"] = times
    assert [(word.start, word.end) for word in words(content, 9.0)] == [
        (0, 0.5),
        (0.5, 0.9),
        (0.9, 1.4),
    ]
