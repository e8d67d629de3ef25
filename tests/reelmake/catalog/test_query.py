"""Any text is a query, and what a person means by it is what FTS5 is asked."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelmake.catalog import query


def typed(terms):
    return [term.typed for term in terms]


@pytest.mark.parametrize(
    "text, terms, without",
    [
        ("the crowd", ["the", "crowd"], []),
        ('"the crowd" cheers', ["the crowd", "cheers"], []),
        ("crowd -boo", ["crowd"], ["boo"]),
        ('crowd -"boo them"', ["crowd"], ["boo them"]),
        ("cheer*", ["cheer*"], []),
        ('"crowd chee"*', ["crowd chee*"], []),
        ("“the crowd” „boo“", ["the crowd", "boo"], []),
        ("well-known - word -- x", ["well-known", "word", "x"], []),
        ('a "crowd', ["a", '"crowd'.strip('"')], []),
        ("Crowd crowd CROWD crówd", ["Crowd"], []),
        ("AND OR NOT NEAR(a, 5)", ["AND", "OR", "NOT", "NEAR(a,", "5)"], []),
    ],
)
def test_what_is_meant(text, terms, without):
    found = query.parse(text)
    assert typed(found.terms) == terms and typed(found.without) == without


@pytest.mark.parametrize(
    "text", ["", "  ", ")))", '"', '""', "*", "-", "--", "^:'", "\0", "😀", "\ud800"]
)
def test_without_a_word_nothing_is_wanted_and_it_is_said(text):
    found = query.parse(text)
    assert found.terms == () and found.notes == ("there is no word in the query",)


def test_only_what_must_not_be_there_is_no_query():
    assert query.parse("-boo").notes == ("a query needs a word that is wanted",)


def test_a_long_query_is_cut_and_it_is_said():
    found = query.parse(" ".join(f"w{n}" for n in range(3_000)))
    assert len(found.terms) == query.MOST
    assert len(found.notes) == 2
    assert query.parse("x" * 10_000).notes


def test_parts_are_of_single_words_of_three_characters():
    terms = query.parse('crowd no "of them" cheer* 足球比赛 don\'t').terms
    assert [term.parts for term in terms] == ['"crowd"', None, None, None, None, None]


def test_a_beginning_of_one_letter_is_a_word():
    assert [term.words for term in query.parse("m* ma*").terms] == ['"m"', '"ma"*']


@pytest.fixture(scope="module")
def fts():
    db = sqlite3.connect(":memory:")
    tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'"
    db.execute(f'CREATE VIRTUAL TABLE words USING fts5 (text, tokenize="{tokenize}")')
    db.execute("CREATE VIRTUAL TABLE parts USING fts5 (text, tokenize='trigram')")
    yield db
    db.close()


PIECES = [*"abé\u0301足ผ \t\n\0\"'*-+^:(){}[],.;%_\\/“”😀\ud800\u202e", "AND ", "NOT ", "NEAR("]
SIGNS = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


@given(text=st.one_of(st.text(), SIGNS))
def test_no_text_is_an_error_of_fts5(fts, text):
    found = query.parse(text)
    for terms in (found.terms, found.without):
        for expression in (query.all_of(terms), query.any_of(terms)):
            if terms:
                fts.execute("SELECT * FROM words WHERE words MATCH ?", (expression,)).fetchall()
        if found.terms:
            expression = query.in_a_row(found.terms)
            fts.execute("SELECT * FROM words WHERE words MATCH ?", (expression,)).fetchall()
        for term in terms:
            if term.parts:
                fts.execute("SELECT * FROM parts WHERE parts MATCH ?", (term.parts,)).fetchall()
