"""Captions: a few words at a time, with the spaces that the transcript's words lack."""

from reelmake import captions


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
        "one two three four five six seven",
        "eight nine.",
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
