"""What is said in a clip: its words, and its subtitles."""

import pytest

from reelmake.editing import captions
from reelmake.editing.cues import Cue, Rules

RULES = Rules(42, 2, 20.0, 1.0, 7.0, 0.08)


def transcript(*spoken: tuple[str, float, float], language: str = "en") -> dict:
    """Of one segment: (word, start, end) each."""
    found = [{"word": word, "start": start, "end": end} for word, start, end in spoken]
    text = " ".join(word for word, _, _ in spoken)
    segment = {"start": 0, "end": 99, "text": text, "words": found}
    return {"language": language, "segments": [segment]}


def shown(*spoken, start=0.0, end=99.0) -> list[tuple[float, float, str]]:
    found = captions.captions(transcript(*spoken), start, end, RULES)
    return [(cue.start, cue.end, " | ".join(cue.lines)) for cue in found]


def test_words_belong_to_the_clip_that_their_middle_is_in():
    spoken = ("one", 1, 2), ("two", 2, 3), ("three", 3, 4)
    assert shown(*spoken, start=1.6, end=3.4) == [(0.4, 1.4, "two")]
    # Cut off at both ends, never outside.
    assert shown(*spoken, start=1.4, end=3.6) == [(0, 2.2, "one two three")]
    found = captions.words_within(transcript(*spoken), 1.6, 3.4)
    assert [word["word"] for word in found] == ["two"]


def test_none_lasts_longer_than_the_clip():
    """A short word is shown for a second, but not beyond the end."""
    assert shown(("Yes.", 5.0, 5.2), start=4.0, end=5.5) == [(1.0, 1.5, "Yes.")]
    assert shown(("Yes.", 5.0, 5.2), start=4.0, end=9.0) == [(1.0, 2.0, "Yes.")]


def test_single_words_are_read_together():
    found = shown(("Yes.", 1, 1.3), ("No.", 1.5, 1.8), ("Why?", 2.0, 2.3))
    assert found == [(1, 2.3, "Yes. No. Why?")]


def test_words_are_joined_as_the_transcript_has_them():
    words = [("今日", 0, 1), ("は", 1, 2), ("良い", 2, 3), ("天気", 3, 4)]
    said = transcript(*words, language="ja")
    said["segments"][0]["text"] = "今日は 良い天気"
    (cue,) = captions.captions(said, 0.0, 9.0, RULES)
    assert cue.lines == ("今日は 良い天気",)


def test_of_a_segment_whose_words_are_unknown_its_part_is_shown():
    segment = {"start": 1.0, "end": 7.0, "text": "aaa bbb ccc ddd", "words": []}
    said = {"language": "en", "segments": [segment]}
    assert captions.captions(said, 0.0, 9.0, RULES) == [Cue(1.0, 7.0, ("aaa bbb ccc ddd",))]
    (cue,) = captions.captions(said, 3.6, 9.0, RULES)
    assert cue.lines == ("ccc ddd",)
    assert cue.start == pytest.approx(0.5, abs=0.3)
    assert captions.captions(said, 9.0, 12.0, RULES) == []
