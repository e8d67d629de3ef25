"""Subtitles, read back by the library that players' authors use."""

import html

import pysubs2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reelmake.media.subtitles import render, render_burned

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


@pytest.mark.parametrize("format", ["srt", "vtt"])
def test_texts_survive(format):
    texts = ["hello today", "a < b & c > d", "ça — 你好 🎬", "50 % #1 [x] (y) *z*"]
    read = pysubs2.SSAFile.from_string(
        render(transcript(texts), format), format_=format, keep_unknown_html_tags=True
    )
    shown = [html.unescape(event.text) if format == "vtt" else event.text for event in read]
    assert shown == texts


def test_plain_text_has_a_line_a_segment():
    assert render(transcript(["hello today", ""]), "txt") == "hello today\n"


def test_silence_gives_empty_files_that_can_be_read():
    assert render({"segments": []}, "vtt").startswith("WEBVTT")
    assert render({"segments": []}, "srt") == ""
    assert render({"segments": []}, "md") == "# Transcript\n"


def spoken(*parts):
    """Segments of (start, end, text, speaker or None)."""
    segments = [
        {"start": start, "end": end, "text": text} | ({"speaker": speaker} if speaker else {})
        for start, end, text, speaker in parts
    ]
    return {"segments": segments}


def test_markdown_has_a_paragraph_up_to_each_pause():
    content = spoken((5, 7, "The ball", None), (8.9, 10, "falls.", None), (12, 13, "Why?", None))
    assert render(content, "md") == (
        "# Transcript\n\n**[0:00:05]** The ball falls.\n\n**[0:00:12]** Why?\n"
    )
    lecture = spoken(*((3600 + 10 * n, 3610 + 10 * n, f"s{n}", None) for n in range(8)))
    assert render(lecture, "md") == (
        "# Transcript\n\n**[1:00:00]** s0 s1 s2 s3 s4 s5\n\n**[1:01:00]** s6 s7\n"
    )


def test_markdown_says_who_speaks():
    content = spoken(
        (0, 1, "Yes.", "A*"), (1, 2, "It is.", "A*"), (2, 3, "No.", "B"), (3, 4, "So?", None)
    )
    assert render(content, "md").split("\n\n")[1:] == [
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
    written = render(spoken((0, 1, "x", None), (1, 2, text, None)), "md")
    assert written.startswith(prefix.rstrip())
    line = written[len(prefix) :]
    assert "\n" not in line[:-1]
    expected = " ".join(text.split())
    if expected:
        assert shown(line) == expected
        assert shown(f"x {line}") == f"x {expected}"


def test_markdown_makes_no_links_and_keeps_no_control_characters():
    written = render(spoken((0, 1, "see https://a.b and www.c.d\x1b[0m", None)), "md")
    assert "https\\://a.b and www\\.c.d\\[0m" in written


def test_burned_text_has_no_commands():
    ass = render_burned(transcript(TEXTS), 320, 180)
    assert "\\{\\\u2060an8\\} <b>not bold</b> & more" in ass
    assert "PlayResX: 320\nPlayResY: 180" in ass
    read = pysubs2.SSAFile.from_string(ass)
    assert (read[0].start, read[0].end) == (500, 61_250)
