"""Text for people: nothing that steers a terminal, hints, lists cut short."""

import pytest

from reelmake.foundation import text


@pytest.mark.parametrize("harm", ["\x1b[31m", "\n", "\u202e", "\x07", "\ud800"])
def test_nothing_steers_a_terminal(harm):
    assert text.printable(f"a{harm}b")[0] == "a"
    assert text.printable(f"a{harm}b").isprintable()


def test_what_is_visible_stays_and_what_is_not_goes():
    assert text.visible(" a\x00b\u200b\n\tc \ue000\ud800 ") == "ab c"
    family = "👨\u200d👩\u200d👧"
    assert text.visible(family) == family
    assert text.without("a\x1bb\ud800", "Cc") == "ab\ud800"
    assert text.without("a\u200db", "Cf", keep="\u200d") == "a\u200db"


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [("abc", "abd", "ab"), ("a", "abc", "a"), ("abc", "a", "a"), ("a", "b", ""), ("", "a", "")],
)
def test_what_two_begin_with(one, other, shared):
    assert text.shared_beginning(one, other) == shared
    assert text.shared_beginning(*(list(map(ord, each)) for each in (one, other))) == list(
        map(ord, shared)
    )


def test_the_nearest_name_is_a_hint():
    assert text.did_you_mean("transcrip", ["scenes", "transcripts"]) == (
        " (did you mean 'transcripts'?)"
    )
    assert text.did_you_mean("xyz", ["scenes"]) == ""
    assert text.nearest("xyz", []) is None


def test_lists_are_cut_short():
    assert text.some(["a", "b", "a"]) == "a, b"
    assert text.videos(["a"]) == "1 video (a)"
    assert text.videos(list("abcde")) == "5 videos (a, b, c, …)"
    assert [text.count(n, "job") for n in (0, 1, 1522)] == ["0 jobs", "1 job", "1,522 jobs"]
