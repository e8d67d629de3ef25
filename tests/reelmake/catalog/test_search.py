"""What the two indexes find: words, phrases, diacritics, scripts without spaces, parts."""

import pytest

from make_moments import make_film
from reelmake.catalog import updating
from reelmake.catalog.indexed_text import folded, spread

TEXTS = [
    "The Crowd cheers for Zoë in Malmö",
    "Café Ångström, naïve",
    "我今天去看足球比赛",
    "東京タワーが見えます",
    "สวัสดีครับ ผมชอบฟุตบอล",
    "हिन्दी में बात",
    "Ελλάδα και Άγιος",
    "안녕하세요 세계",
    "И ещё один",
    "שָׁלוֹם",
    "مَرْحَبًا",
]


@pytest.fixture
def find(results, ask):
    """The texts that are found by words or by parts of them."""
    make_film(results / "film0", texts=TEXTS, segments=len(TEXTS), scenes=0)
    updating.update(results)

    def found(index: str, query: str) -> list[str]:
        return [
            text
            for (text,) in ask(
                f"SELECT moments.text FROM {index} JOIN moments ON id = {index}.rowid"
                f" WHERE {index} MATCH ? AND kind = 'said' ORDER BY item",
                query,
            )
        ]

    return found


@pytest.mark.parametrize(
    "words, place",
    [
        ("crowd", 0),
        ('"CROWD CHEERS"', 0),
        ("zoe malmo", 0),
        ("cheer*", 0),
        ("cafe", 1),
        ("Angstrom", 1),
        ("足球", 2),
        ("球", 2),
        ("タワー", 3),
        ("見え", 3),
        ("ฟุตบอล", 4),
        ("हिन्दी", 5),
        ("ελλαδα", 6),
        ("안녕하세요", 7),
        ("ещё", 8),
        ("еще", 8),
        ("שלום", 9),
        ("مرحبا", 10),
    ],
)
def test_words(find, words, place):
    query = spread(folded(words))
    query = f'"{query}"' if query != folded(words) else query
    assert find("moment_words", query) == [TEXTS[place]]


@pytest.mark.parametrize(
    "part, place",
    [
        ("rowd", 0),
        ("malmo", 0),
        ("ngstrom", 1),
        ("足球比", 2),
        ("京タワ", 3),
        ("ตบอล", 4),
        ("λαδ", 6),
        ("하세요", 7),
    ],
)
def test_parts_of_words(find, part, place):
    assert find("moment_parts", f'"{folded(part)}"') == [TEXTS[place]]


def test_a_word_of_hindi_is_whole(find):
    """Its vowels are marks, at which SQLite would cut it apart."""
    assert find("moment_words", '"न"') == []


def test_marks_that_make_another_letter_stay():
    for text in ("สวัสดีครับ", "हिन्दी", "がぎぐ", "한국어", "plain"):
        assert folded(text) == text
    assert folded("Ångström Ñandú") == "Angstrom Nandu"


def test_only_scripts_without_spaces_are_spread():
    assert spread("Zoë says 足球 now") == "Zoë says 足 球 now"
    assert spread("สวัสดี") == "ส วั ส ดี"
    for text in ("naïve  Zoë", "हिन्दी में", "안녕하세요 세계"):
        assert spread(text) == text
