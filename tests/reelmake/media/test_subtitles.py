"""Subtitles, read back by the library that players' authors use."""

import html

import pysubs2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reelmake.editing import transcript_page
from reelmake.editing.cues import Cue, Rules
from reelmake.media.subtitles import MARK, fitting, render, render_burned

TEXTS = ["hello today", "{\\an8} <b>not bold</b> & more", "a\\Nb --> c", "  spaced \n out "]


def cues(texts):
    return [
        Cue(3600 * number + 0.5, 3600 * number + 61.25, (text,))
        for number, text in enumerate(texts)
    ]


@pytest.mark.parametrize("format", ["srt", "vtt"])
def test_times_survive(format):
    read = pysubs2.SSAFile.from_string(render(cues(TEXTS), format), format_=format)
    assert [(event.start, event.end) for event in read] == [
        (3600_000 * number + 500, 3600_000 * number + 61_250) for number in range(len(TEXTS))
    ]


def test_text_is_shown_as_it_was_said():
    srt = render(cues(TEXTS), "srt")
    assert "{\\\u2060an8} <b>not bold</b> & more" in srt
    assert "a\\\u2060Nb → c" in srt
    assert "\nspaced out\n" in srt
    vtt = render(cues(TEXTS), "vtt")
    assert "&lt;b&gt;not bold&lt;/b&gt; &amp; more" in vtt
    assert vtt.count("-->") == len(TEXTS)  # only the time lines


@pytest.mark.parametrize("format", ["srt", "vtt"])
def test_texts_survive(format):
    texts = ["hello today", "a < b & c > d", "ça — 你好 🎬", "50 % #1 [x] (y) *z*"]
    read = pysubs2.SSAFile.from_string(
        render(cues(texts), format), format_=format, keep_unknown_html_tags=True
    )
    shown = [html.unescape(event.text) if format == "vtt" else event.text for event in read]
    assert shown == texts


@pytest.mark.parametrize("format", ["srt", "vtt"])
def test_lines_are_lines(format):
    written = render([Cue(0.0, 1.0, ("one", "two"))], format)
    assert "\none\ntwo\n" in written
    (event,) = pysubs2.SSAFile.from_string(written, format_=format)
    assert event.plaintext == "one\ntwo"


def test_lines_from_right_to_left_are_marked():
    texts = ["שלום, עולם!", "123 مرحبا.", "hello שלום", "..."]
    event_lines = render(cues(texts), "srt").splitlines()
    for text in texts[:2]:
        assert f"{MARK}{text}{MARK}" in event_lines
    for text in texts[2:]:
        assert text in event_lines


def test_plain_text_has_a_line_a_segment():
    segments = spoken((0, 1, "hello today", None), (1, 2, "", None))["segments"]
    assert transcript_page.text(segments) == "hello today\n"
    assert transcript_page.page(segments) == "# Transcript\n\n**[0:00:00]** hello today\n"


def test_silence_gives_empty_files_that_can_be_read():
    assert render([], "vtt").startswith("WEBVTT")
    assert render([], "srt") == ""
    assert transcript_page.text([]) == ""
    assert transcript_page.page([]) == "# Transcript\n"


def test_lines_burned_into_a_tall_picture_are_short():
    rules = Rules(42, 2, 20.0, 1.0, 7.0, 0.08)
    assert fitting(rules, 1920, 1080) == rules
    assert 20 <= fitting(rules, 1080, 1920).max_chars <= 26


def spoken(*parts):
    """Segments of (start, end, text, speaker or None)."""
    segments = [
        {"start": start, "end": end, "text": text} | ({"speaker": speaker} if speaker else {})
        for start, end, text, speaker in parts
    ]
    return {"segments": segments}


def test_markdown_has_a_paragraph_up_to_each_pause():
    content = spoken((5, 7, "The ball", None), (8.9, 10, "falls.", None), (12, 13, "Why?", None))
    assert transcript_page.page(content["segments"]) == (
        "# Transcript\n\n**[0:00:05]** The ball falls.\n\n**[0:00:12]** Why?\n"
    )
    lecture = spoken(*((3600 + 10 * n, 3610 + 10 * n, f"s{n}", None) for n in range(8)))
    assert transcript_page.page(lecture["segments"]) == (
        "# Transcript\n\n**[1:00:00]** s0 s1 s2 s3 s4 s5\n\n**[1:01:00]** s6 s7\n"
    )


def test_markdown_says_who_speaks():
    content = spoken(
        (0, 1, "Yes.", "A*"), (1, 2, "It is.", "A*"), (2, 3, "No.", "B"), (3, 4, "So?", None)
    )
    assert transcript_page.page(content["segments"]).split("\n\n")[1:] == [
        "**[0:00:00]** **A\\*:** Yes. It is.",
        "**[0:00:02]** **B:** No.",
        "**[0:00:03]** So?\n",
    ]


# As GitHub renders it, but for addresses that become links by themselves.
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
NASTY = st.text(st.sampled_from("ab1 \n\\`*_{}[]()<>#+-=.!|~:&;/\"'é你"), min_size=1, max_size=20)


def shown(markdown):
    """The text of the only paragraph; nothing in it is more than text."""
    start, inline, end = MARKDOWN.parse(markdown)
    assert (start.type, end.type) == ("paragraph_open", "paragraph_close")
    assert {token.type for token in inline.children} <= {"text"}, markdown
    return "".join(token.content for token in inline.children)


@given(NASTY)
@example("<script>alert(1)</script> &amp; &copy; <!-- -->")
@example("[a](http://b) ![c](d) <http://e> [f]: g")
@example("# a")
@example("1. a")
@example("- [ ] a")
@example("--- ")
@example("~~a~~ **b** __c__ `d` $e$")
@example("| a | b |\n| - | - |\n| c | d |")
def test_markdown_shows_what_was_said(text):
    prefix = "# Transcript\n\n**[0:00:00]** x "
    written = transcript_page.page(spoken((0, 1, "x", None), (1, 2, text, None))["segments"])
    assert written.startswith(prefix.rstrip())
    line = written[len(prefix) :]
    assert "\n" not in line[:-1]
    expected = " ".join(text.split())
    if expected:
        assert shown(line) == expected
        assert shown(f"x {line}") == f"x {expected}"


def test_markdown_makes_no_links_and_keeps_no_control_characters():
    content = spoken((0, 1, "see https://a.b and www.c.d\x1b[0m", None))
    written = transcript_page.page(content["segments"])
    assert "https\\://a.b and www\\.c.d\\[0m" in written


def test_burned_text_has_no_commands():
    ass = render_burned(cues(TEXTS), 320, 180)
    assert "\\{\\\u2060an8\\} <b>not bold</b> & more" in ass
    assert "PlayResX: 320\nPlayResY: 180" in ass
    read = pysubs2.SSAFile.from_string(ass)
    assert (read[0].start, read[0].end) == (500, 61_250)
