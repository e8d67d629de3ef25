"""Words are cut as the index cuts them, and marked where they are in the text."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelmake.catalog import query, text_matches
from reelmake.catalog.indexed_text import folded, spread


def marked(text: str, typed: str) -> list[str]:
    (term,) = query.parse(typed).terms
    return [text[start:end] for start, end in text_matches.spans(text, term.wanted)]


@pytest.mark.parametrize(
    "text, typed, found",
    [
        ("The Crowd cheers", "crowd", ["Crowd"]),
        ("Crowds, crowd; overcrowded", "crowd", ["crowd"]),
        ("overcrowded crowds", "crowd", ["crowd", "crowd"]),
        ("Zoë and zoe\u0308!", "zoe", ["Zoë", "zoe\u0308"]),
        ("İstanbul ist", "istanbul", ["İstanbul"]),
        ("crowd -- cheers crowd cheers", '"crowd cheers"', ["crowd -- cheers", "crowd cheers"]),
        ("cheering cheers", "cheer*", ["cheering", "cheers"]),
        ("我今天去看足球比赛", "足球", ["足球"]),
        ("東京タワーが見えます", "タワー", ["タワー"]),
        ("ผมชอบฟุตบอล", "ฟุตบอล", ["ฟุตบอล"]),
        ("हिन्दी में", "हिन्दी", ["हिन्दी"]),
        ("snake_case", "case", ["case"]),
        ("don't", "don't", ["don't"]),
        ("nothing", "crowd", []),
    ],
)  # fmt: skip
def test_where_words_are(text, typed, found):
    assert marked(text, typed) == found


TEXT = st.text(
    st.sampled_from("aBé\u0301ñİß0_-.,'\"\n 足球ータผมวัหน้हिंγΆשָ한안②ⅷ😀\u200d\u00a0"), max_size=30
)


@pytest.fixture(scope="module")
def cut():
    """The words of a text as SQLite has them."""
    db = sqlite3.connect(":memory:")
    tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'"
    db.execute(f'CREATE VIRTUAL TABLE words USING fts5 (text, tokenize="{tokenize}")')
    db.execute("CREATE VIRTUAL TABLE terms USING fts5vocab (words, instance)")

    def terms(text: str) -> list[str]:
        db.execute("DELETE FROM words")
        db.execute("INSERT INTO words VALUES (?)", (text,))
        return [term for (term,) in db.execute("SELECT term FROM terms ORDER BY offset")]

    yield terms
    db.close()


@given(text=TEXT)
def test_words_are_those_of_the_index(cut, text):
    """That is what makes a mark where the index has found something."""
    found = [word.text for word in text_matches.words(text_matches.plain(text))]
    assert found == cut(spread(folded(text)))


@given(text=TEXT)
def test_a_word_is_where_it_says(text):
    end_before = 0
    for word in text_matches.words(text_matches.plain(text)):
        assert end_before <= word.start < word.end <= len(text)
        end_before = word.start
