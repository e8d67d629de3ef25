"""The smallest pieces of what is said that stay together on the screen: words, or phrases in
scripts without spaces."""

import functools
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from reelmake.editing import sentences
from reelmake.editing.sentences import Word

WIDE = 42 / 16
"""The width of a Chinese, Japanese or Korean character beside that of a Latin one: a line of
subtitles holds 42 of these or 16 of those (Netflix's timed text style guides)."""

PARSERS = {
    "ja": "load_default_japanese_parser",
    "zh": "load_default_simplified_chinese_parser",
    "yue": "load_default_traditional_chinese_parser",
    "th": "load_default_thai_parser",
}
"""BudouX's, by language. In other scripts without spaces, Whisper's words are the phrases."""


PAUSE = 0.3
"""Seconds; a longer one tears a phrase."""


def width(text: str) -> float:
    """How wide a text is shown, in Latin characters; marks above or below one have no width."""
    return sum(_cells(character) for character in text)


def phrases(words: Sequence[Word], language: str | None, longest: float) -> list[Word]:
    """Words, or where a script has no spaces whole phrases of them, in their order.

    longest: the width of a line; what is wider is cut, and its time shared out by characters.
    """
    joined = _joined(words, _parser(language), longest) if language in PARSERS else words
    return [piece for phrase in joined for piece in _cut(phrase, longest)]


def _joined(
    words: Sequence[Word], parse: Callable[[str], list[str]], longest: float
) -> Iterator[Word]:
    """The words between two places at which a line may break, as one."""
    for run in _runs(words):
        ends, place = set(), 0
        for phrase in parse("".join(word.text for word in run)):
            place += len(phrase)
            ends.add(place)
        place, whole = 0, None
        for word in run:
            fits = whole is not None and width(whole.text + word.text) <= longest
            if whole is not None and place not in ends and fits:
                whole = replace(whole, text=whole.text + word.text, end=word.end)
            else:
                if whole is not None:
                    yield whole
                whole = word
            place += len(word.text)
        if whole is not None:
            yield whole


def _runs(words: Sequence[Word]) -> Iterator[list[Word]]:
    """Words without a space, a pause, a sentence's end or another speaker between them."""
    run = list(words[:1])
    for before, word in pairwise(words):
        if (
            word.text[:1].isspace()
            or word.speaker != before.speaker
            or word.start - before.end > PAUSE
            or sentences.ENDING.search(before.text)
        ):
            yield run
            run = []
        run.append(word)
    if run:
        yield run


@functools.cache
def _parser(language: str | None) -> Callable[[str], list[str]]:
    import budoux

    load = getattr(budoux, PARSERS[language or ""])
    parse: Callable[[str], list[str]] = load().parse
    return parse


def _cut(phrase: Word, longest: float) -> Iterator[Word]:
    """The phrase, or parts of it that are no wider than a line."""
    text = phrase.text.strip()
    if width(text) <= longest:
        yield phrase
        return
    pieces = [""]
    for number, character in enumerate(text):
        # A mark belongs to the character before it, and both sides of a joiner together.
        is_part = _cells(character) == 0 or text[number - 1 : number] == "\u200d"
        if width(pieces[-1] + character) > longest and not is_part:
            pieces.append("")
        pieces[-1] += character
    space = phrase.text[: len(phrase.text) - len(phrase.text.lstrip())]
    done, length = 0, phrase.end - phrase.start
    for piece in pieces:
        start = phrase.start + length * done / len(text)
        done += len(piece)
        end = phrase.start + length * done / len(text)
        yield replace(phrase, text=space + piece, start=start, end=end)
        space = ""


def _cells(character: str) -> float:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return WIDE if unicodedata.east_asian_width(character) in "WF" else 1
