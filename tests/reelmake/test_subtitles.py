"""Subtitles, read back by the library that players' authors use."""

import pysubs2
import pytest

from reelmake.subtitles import captions, render, render_burned

TEXTS = ["hello today", "{\\an8} <b>not bold</b> & more", "a\\Nb --> c", "  spaced \n out "]


def transcript(texts):
    return {
        "segments": [
            {"start": 3600 * number + 0.5, "end": 3600 * number + 61.25, "text": text}
            for number, text in enumerate(texts)
        ]
    }


@pytest.mark.parametrize("format", ["srt", "vtt"])
def test_times_survive(format):
    read = pysubs2.SSAFile.from_string(render(transcript(TEXTS), format), format_=format)
    assert [(event.start, event.end) for event in read] == [
        (3600_000 * number + 500, 3600_000 * number + 61_250) for number in range(len(TEXTS))
    ]


def test_text_is_shown_as_it_was_said():
    srt = render(transcript(TEXTS), "srt")
    assert "{\\\u2060an8} <b>not bold</b> & more" in srt
    assert "a\\\u2060Nb → c" in srt
    assert "\nspaced out\n" in srt
    vtt = render(transcript(TEXTS), "vtt")
    assert "&lt;b&gt;not bold&lt;/b&gt; &amp; more" in vtt
    assert vtt.count("-->") == len(TEXTS)  # only the time lines


def test_plain_text_has_a_line_a_segment():
    assert render(transcript(["hello today", ""]), "txt") == "hello today\n"


def test_silence_gives_empty_files_that_can_be_read():
    assert render({"segments": []}, "vtt").startswith("WEBVTT")
    assert render({"segments": []}, "srt") == ""


def words(*spoken):
    """A transcript of one segment: (word, start, end) each."""
    found = [{"word": word, "start": start, "end": end} for word, start, end in spoken]
    text = "".join(word["word"] for word in found)
    return {"segments": [{"start": 0, "end": 99, "text": text, "words": found}]}


def lines(*spoken, start=0.0, end=99.0):
    found = captions(words(*spoken), start, end)["segments"]
    return [(line["start"], line["end"], line["text"]) for line in found]


def test_words_belong_to_the_clip_that_their_middle_is_in():
    spoken = (" one", 1, 2), (" two", 2, 3), (" three", 3, 4)
    assert lines(*spoken, start=1.6, end=3.4) == [(pytest.approx(0.4), pytest.approx(1.4), "two")]
    # Cut off at both ends, never outside.
    assert lines(*spoken, start=1.4, end=3.6) == [(0, pytest.approx(2.2), "one two three")]


def test_captions_are_short_and_end_with_pauses_and_sentences():
    many = [(f" w{n}", n * 0.2, n * 0.2 + 0.2) for n in range(9)]
    assert [text for _, _, text in lines(*many)] == ["w0 w1 w2 w3 w4 w5 w6", "w7 w8"]
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
    found = captions({"segments": [segment]}, 2.0, 9.0)["segments"]
    assert found == [{"start": 0.0, "end": 1.0, "text": "hello"}]
    assert captions({"segments": [segment]}, 3.0, 9.0) == {"segments": []}


def test_burned_text_has_no_commands():
    ass = render_burned(transcript(TEXTS), 320, 180)
    assert "\\{\\\u2060an8\\} <b>not bold</b> & more" in ass
    assert "PlayResX: 320\nPlayResY: 180" in ass
    read = pysubs2.SSAFile.from_string(ass)
    assert (read[0].start, read[0].end) == (500, 61_250)
