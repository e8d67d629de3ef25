"""Subtitles, read back by the library that players' authors use."""

import pysubs2
import pytest

from reelmake.subtitles import render

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
