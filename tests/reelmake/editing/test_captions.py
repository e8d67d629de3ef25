"""Captions: a few words at a time, with the spaces that the transcript's words lack."""

import pytest

from reelmake.editing import captions


def said(text: str, *words: tuple[str, float, float], **more) -> dict:
    """A segment of a transcript."""
    listed = [{"word": word, "start": start, "end": end} for word, start, end in words]
    times = {"start": words[0][1], "end": words[-1][2]} if words else {}
    return {"text": text, "words": listed, "speaker": "A"} | times | more


def texts(language: str, *segments: dict, start: float = 0.0, end: float = 100.0) -> list[str]:
    transcript = {"language": language, "segments": list(segments)}
    return [each["text"] for each in captions.captions(transcript, start, end)["segments"]]


def spread(text: str, words: list[str], seconds: float = 0.4) -> dict:
    return said(text, *((word, n * seconds, (n + 1) * seconds) for n, word in enumerate(words)))


def test_words_are_joined_as_the_transcript_has_them():
    plain = "hello and welcome to the big room"
    assert texts("en", spread(plain, plain.split())) == [plain]
    assert texts("ja", spread("今日は 良い天気", ["今日", "は", "良い", "天気"])) == [
        "今日は 良い天気"
    ]


def test_a_caption_is_short_and_ends_with_its_sentence():
    text = "one two three four five six seven eight nine. Ten"
    assert texts("en", spread(text, text.split())) == [
        "one two three four five six seven eight",
        "nine.",
        "Ten",
    ]
    wide = ["字" * 8] * 4
    assert texts("zh", spread("".join(wide), wide)) == ["字" * 16, "字" * 16]


def test_times_count_from_the_clip():
    segment = said("a b c", ("a", 1.0, 1.4), ("b", 3.0, 3.4), ("c", 5.0, 5.4))
    found = captions.captions({"language": "en", "segments": [segment]}, 2.5, 4.0)
    assert found == {"segments": [{"start": 0.5, "end": 3.4 - 2.5, "text": "b"}]}


def test_no_flicker_between_captions():
    segment = said("a. b", ("a.", 1.0, 1.4), ("b", 1.7, 2.0))
    found = captions.captions({"language": "en", "segments": [segment]}, 0.0, 9.0)["segments"]
    assert (found[0]["end"], found[1]["start"]) == (1.7, 1.7)


def test_a_segment_whose_words_are_unknown_is_one():
    segments = [said("All of it", start=1.0, end=9.0), said("more", ("more", 9.0, 9.2))]
    found = captions.captions({"language": "en", "segments": segments}, 2.0, 8.0)["segments"]
    assert found == [{"start": 0.0, "end": 6.0, "text": "All of it"}]
    assert texts("en", *segments) == ["All of it", "more"]


def words(*spoken):
    """A transcript of one segment: (word, start, end) each."""
    found = [{"word": word, "start": start, "end": end} for word, start, end in spoken]
    text = "".join(word["word"] for word in found)
    return {"segments": [{"start": 0, "end": 99, "text": text, "words": found}]}


def lines(*spoken, start=0.0, end=99.0):
    found = captions.captions(words(*spoken), start, end)["segments"]
    return [(line["start"], line["end"], line["text"]) for line in found]


def test_words_belong_to_the_clip_that_their_middle_is_in():
    spoken = (" one", 1, 2), (" two", 2, 3), (" three", 3, 4)
    assert lines(*spoken, start=1.6, end=3.4) == [(pytest.approx(0.4), pytest.approx(1.4), "two")]
    # Cut off at both ends, never outside.
    assert lines(*spoken, start=1.4, end=3.6) == [(0, pytest.approx(2.2), "one two three")]


def test_captions_are_short_and_end_with_pauses_and_sentences():
    many = [(f" w{n}", n * 0.2, n * 0.2 + 0.2) for n in range(9)]
    assert [text for _, _, text in lines(*many)] == ["w0 w1 w2 w3 w4 w5 w6 w7 w8"]
    long = [(" abcdefghijklmnopqrst", n, n + 1) for n in range(3)]
    assert [len(text) for _, _, text in lines(*long)] == [41, 20]
    wide = [("字", n * 0.2, n * 0.2 + 0.2) for n in range(30)]
    assert [len(text) for _, _, text in lines(*wide)] == [21, 9]
    paused = lines((" Yes.", 0, 1), (" No", 1, 2), (" way", 3, 4))
    assert paused == [(0, 1, "Yes."), (1, 2, "No"), (3, 4, "way")]
    # A short gap is bridged, and so is a word without a length.
    assert lines((" Yes.", 1, 1), (" No.", 1.5, 2)) == [(1, 1.5, "Yes."), (1.5, 2, "No.")]


def test_segments_without_words_are_captions():
    segment = {"start": 1.0, "end": 3.0, "text": "hello", "words": []}
    found = captions.captions({"segments": [segment]}, 2.0, 9.0)["segments"]
    assert found == [{"start": 0.0, "end": 1.0, "text": "hello"}]
    assert captions.captions({"segments": [segment]}, 3.0, 9.0) == {"segments": []}
