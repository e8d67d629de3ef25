"""What is said as sentences with times, from the words of a transcript."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

ENDING = re.compile(r"[.!?…。！？؟।｡．۔։።][\"'”’»›)\]}」』】）］]*$")
CLOSING = re.compile(r"[\"'”’»›)\]}」』】）］]+$")

ABBREVIATIONS = frozenset(
    ["mr", "mrs", "ms", "dr", "prof", "st", "vs", "ca", "approx", "bzw", "nr"]
)
"""Words whose dot ends no sentence. "etc." and "no." often do, so they are not here."""

LETTERS = re.compile(r"\W*((?:[^\W\d_]\.)+)")
"""Single letters with dots: initials, "e.g.", "z.B."."""

WITHOUT_SPACES = frozenset({"zh", "ja", "th", "lo", "my", "km", "yue", "bo"})
"""Languages that are written without spaces between words."""

NEAR_CUT = 0.5
"""Seconds around a scene cut in which a sentence that is too long is rather split."""


@dataclass(frozen=True, slots=True)
class Word:
    """text: with the space before it, if any. start, end: seconds. alone: a segment of the
    transcript whose words are unknown, which is a sentence."""

    text: str
    start: float
    end: float
    speaker: str | None
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Sentence:
    """closed: it ends with punctuation, or is a part of the transcript without words."""

    words: Sequence[Word]
    closed: bool

    @property
    def start(self) -> float:
        return self.words[0].start

    @property
    def end(self) -> float:
        return self.words[-1].end

    @property
    def text(self) -> str:
        return " ".join("".join(word.text for word in self.words).split())


def words(transcript: dict[str, Any], duration: float) -> list[Word]:
    """All words of transcript.json in their order, from 0 to `duration` (seconds).

    Where they overlap the later start counts, where one goes back in time it waits for the one
    before: the times never decrease.
    """
    found: list[Word] = []
    for word in spoken(transcript):
        start = max(word.start, found[-1].start if found else 0.0)
        if start >= duration:
            break
        if found and found[-1].end > start:
            found[-1] = replace(found[-1], end=start)
        found.append(replace(word, start=start, end=min(max(word.end, start), duration)))
    return found


def spoken(transcript: dict[str, Any]) -> Iterator[Word]:
    """The words of transcript.json as it has them, with the spaces that stand between them; a
    segment without words is one."""
    for segment in transcript["segments"]:
        speaker = segment.get("speaker")
        if not segment["words"]:
            if segment["text"].strip():
                text = f" {segment['text']}"
                yield Word(text, segment["start"], segment["end"], speaker, alone=True)
            continue
        texts = pieces(segment, transcript.get("language"))
        for text, word in zip(texts, segment["words"], strict=True):
            if text:
                yield Word(text, word["start"], word["end"], speaker)


def pieces(segment: dict[str, Any], language: str | None) -> list[str]:
    """The text of each word of a segment of transcript.json, with the space before it, if any;
    empty for a word that is none."""
    # What Whisper has translated is English, whatever was spoken.
    spaces = language not in WITHOUT_SPACES or not any(map(_is_without_spaces, segment["text"]))
    found, rest = [], segment["text"]
    for number, word in enumerate(segment["words"]):
        bare = word["word"].strip()
        space = spaces if number == 0 else word["word"][:1].isspace() or spaces
        # Words are kept without the spaces between them; the text knows where they are.
        if rest.lstrip().startswith(bare):
            if number:
                space = rest[:1].isspace()
            rest = rest.lstrip()[len(bare) :]
        found.append(" " * space + bare if bare else "")
    return found


def _is_without_spaces(character: str) -> bool:
    """Whether it is a letter of a script without spaces: in Unicode these come after Latin, Greek,
    Cyrillic, Hebrew, Arabic and the scripts of India."""
    return character >= "\u0e00" and character.isalpha()


def sentences(words: Sequence[Word], pause: float) -> list[Sentence]:
    """Words up to one that ends a sentence by its punctuation, or before a pause.

    pause: the shortest that ends a sentence, seconds.
    """
    found = []
    first = 0
    for number, word in enumerate(words):
        after = words[number + 1] if number + 1 < len(words) else None
        closed = word.alone or is_closed(words, number, after)
        # Times have at most 6 digits: a pause that is just as long must not fall to rounding.
        if after is None or closed or after.alone or round(after.start - word.end, 6) >= pause:
            found.append(Sentence(words[first : number + 1], closed))
            first = number + 1
    return found


def is_closed(words: Sequence[Word], number: int, after: Word | None) -> bool:
    """Whether the punctuation of the word with this number ends a sentence. after: the next."""
    text = words[number].text.strip()
    if number and CLOSING.match(text):  # Whisper may give 」 as a word
        text = words[number - 1].text.strip() + text
    if not ENDING.search(text):
        return False
    if after is not None and CLOSING.match(after.text.strip()):
        return False
    return not CLOSING.sub("", text).endswith(".") or not _is_inner_dot(text, after)


def _is_inner_dot(text: str, after: Word | None) -> bool:
    """Whether the dot at the end of a word is part of a number, a name or an abbreviation."""
    if after is not None and re.match("[A-Za-z0-9]", after.text):
        return True  # "3." before "14", "example." before "com"
    letters = LETTERS.fullmatch(text)
    if letters:
        return len(letters[1]) > 2 or (text[-2].isupper() and letters[1] != "I.")
    return text.lstrip("\"'“‘«‹([{¿¡").rstrip(".").lower() in ABBREVIATIONS


def split(sentence: Sentence, longest: float, cuts: Sequence[float]) -> list[Sentence]:
    """The sentence in parts of at most `longest` seconds.

    Split at its longest pauses; of those alike nearest to a scene cut, else to the middle. cuts:
    when scenes change, seconds, in order. A single word that takes longer stays whole.
    """
    if sentence.end - sentence.start <= longest:
        return [sentence]
    parts, open_parts = [], [sentence]
    if sentence.words[0].alone:
        open_parts = [Sentence(list(guessed(sentence.words[0])), sentence.closed)]
    while open_parts:
        part = open_parts.pop()
        if part.end - part.start <= longest or len(part.words) == 1:
            parts.append(part)
            continue
        at = _best_split(part, cuts)
        open_parts += [
            Sentence(part.words[at:], part.closed),
            Sentence(part.words[:at], closed=False),
        ]
    return parts


def guessed(word: Word) -> Iterator[Word]:
    """A segment without words as words, each as long as its letters are of all."""
    text = " ".join(word.text.split())
    pieces = [f" {piece}" for piece in text.split()] if " " in text else list(text)
    letters = sum(map(len, pieces))
    done = 0
    for piece in pieces:
        times = (done, done + len(piece))
        start, end = (word.start + (word.end - word.start) * at / letters for at in times)
        done += len(piece)
        yield Word(piece, start, end, word.speaker)


def _best_split(sentence: Sentence, cuts: Sequence[float]) -> int:
    """The number of the word that begins the second part; no part is a mere eighth if avoidable:
    words at the edge are no part of a film."""
    middle = (sentence.start + sentence.end) / 2
    reach = (sentence.end - sentence.start) * 3 / 8

    def worth(at: int) -> tuple[bool, float, float, float]:
        before, after = sentence.words[at - 1].end, sentence.words[at].start
        off = abs((before + after) / 2 - middle)
        near = cuts[bisect_left(cuts, before - NEAR_CUT) : bisect_left(cuts, after + NEAR_CUT)]
        cut = min((max(before - cut, cut - after, 0.0) for cut in near), default=NEAR_CUT)
        return off <= reach, round(after - before, 1), -cut, -off

    return max(range(1, len(sentence.words)), key=worth)


def pauses(words: Sequence[Word], shortest: float) -> int:
    """How many pauses of at least `shortest` seconds are between words."""
    return sum(round(after.start - word.end, 6) >= shortest for word, after in pairwise(words))
