"""What stays together on the screen."""

from reelmake.editing import phrases
from reelmake.editing.sentences import Word


def test_widths_are_of_what_is_seen():
    assert phrases.width("hello") == 5
    assert phrases.width("字" * 16) == 42
    assert phrases.width("e\u0301") == 1  # an accent takes no room


def test_words_of_scripts_with_spaces_are_phrases():
    words = [Word(" New", 0, 1, None), Word(" York", 1, 2, None)]
    assert phrases.phrases(words, "en", 42) == words


def test_characters_become_phrases_where_lines_may_break():
    text = "私は遅刻魔で、"
    words = [Word(one, n, n + 1, None) for n, one in enumerate(text)]
    found = phrases.phrases(words, "ja", 42)
    assert [word.text for word in found] == ["私は", "遅刻魔で、"]
    assert [(word.start, word.end) for word in found] == [(0, 2), (2, 7)]


def test_what_is_wider_than_a_line_is_cut_and_no_mark_leaves_its_letter():
    (first, second) = phrases.phrases([Word(" " + "e\u0301" * 15, 0.0, 3.0, None)], "en", 10)
    assert (first.text, second.text) == (" " + "e\u0301" * 10, "e\u0301" * 5)
    assert (first.start, first.end, second.start, second.end) == (0.0, 2.0, 2.0, 3.0)
