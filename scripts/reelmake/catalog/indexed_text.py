"""How text is put into the catalog's two full-text indexes, and how a query has to be put.

Diacritics are taken off here: SQLite's words keep those of Greek and Cyrillic, its trigrams all of
them before version 3.45. `moment_words` holds words. SQLite takes a run of Chinese, Japanese or
Thai for one word, so there each character is made a word of its own, and what is searched a phrase
of them. `moment_parts` holds each three characters in a row.
"""

import re
import unicodedata

_UNSPACED = (
    "\u0e00-\u0edf"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer
    "\u3005-\u3007\u3041-\u309f\u30a1-\u30ff\u31f0-\u31ff\uff66-\uff9d"  # Japanese syllables
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Chinese characters
)
_MARKS = (  # written on the character before them
    "\u0e31\u0e33-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb3-\u0ebc\u0ec8-\u0ece"
    "\u102b-\u103e\u17b4-\u17d3\u3099\u309a\u30fc\uff70"
)
_CHARACTER = re.compile(f"[{_UNSPACED}][{_MARKS}]*")
_DIACRITIC = re.compile(
    "[\u0300-\u036f"  # Latin, Greek, Cyrillic
    "\u0591-\u05bd\u05bf-\u05c7"  # the points of Hebrew
    "\u0640\u064b-\u0652\u0670]"  # the short vowels of Arabic, and what stretches a line
)


def spread(text: str) -> str:
    """The text with a space around each character of a script that is written without any, as
    `moment_words` has what is folded. Other text is returned as it is."""
    if text.isascii() or not _CHARACTER.search(text):
        return text
    return " ".join(_CHARACTER.sub(r" \g<0> ", text).split())


def folded(text: str) -> str:
    """The text without diacritics, as `moment_parts` has it.

    Marks that make other letters of it, as in Thai, Hindi or Japanese, stay.
    """
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", _DIACRITIC.sub("", apart))
