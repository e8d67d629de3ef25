"""The closed vocabulary said in other words, and what a text or a picture means.

Depends on nothing but the standard library and the generators beside it, so that tests can ask
for a moment in words that its film does not have.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import drawing
import vocabulary

# What else a word of the vocabulary can be called.  No expression stands for two words.
OTHERWISE: dict[str, tuple[str, ...]] = {
    "again": ("once more", "another time", "anew"),
    "amazing": ("wonderful", "fantastic", "astonishing"),
    "ball": ("sphere", "football"),
    "big": ("large", "huge", "enormous"),
    "bird": ("songbird", "feathered animal", "sparrow"),
    "black": ("ebony", "jet coloured", "pitch dark"),
    "blue": ("azure", "navy", "sapphire"),
    "car": ("automobile", "vehicle", "motorcar"),
    "cat": ("kitten", "feline", "kitty"),
    "center": ("middle", "centre"),
    "cheers": ("applauds", "claps", "rejoices"),
    "circle": ("disc", "round shape", "round thing", "round object"),
    "crashes": ("collides", "smashes", "is wrecked"),
    "crowd": ("audience", "spectators", "fans", "onlookers"),
    "cyan": ("turquoise", "aqua", "teal"),
    "dog": ("puppy", "hound", "canine"),
    "door": ("gate", "entrance", "doorway"),
    "explosion": ("blast", "detonation", "bang"),
    "falls": ("drops", "tumbles", "plummets"),
    "fire": ("flames", "blaze", "burning"),
    "goal": ("target", "hit"),
    "goodbye": ("farewell", "bye", "so long"),
    "gray": ("grey", "ashen", "slate"),
    "green": ("emerald", "lime", "olive"),
    "happens": ("occurs", "takes place"),
    "happy": ("joyful", "glad", "merry"),
    "hello": ("hi", "greetings", "good day"),
    "in": ("inside", "within"),
    "jumps": ("leaps", "hops", "springs"),
    "left": ("left hand side", "left side", "left edge"),
    "loudly": ("noisily", "at full volume"),
    "moves": ("shifts", "travels"),
    "near": ("beside", "close to", "next to"),
    "nothing": ("not a thing", "nought"),
    "now": ("at this moment", "currently"),
    "on": ("atop", "upon"),
    "opens": ("unlocks", "swings wide"),
    "orange": ("tangerine", "amber", "apricot"),
    "pink": ("rose coloured", "salmon", "magenta"),
    "player": ("athlete", "sportsman", "footballer"),
    "purple": ("violet", "lilac", "plum"),
    "quickly": ("fast", "rapidly", "in a hurry"),
    "quiet": ("silent", "hushed", "noiseless"),
    "quietly": ("softly", "without a sound", "silently"),
    "red": ("crimson", "scarlet", "ruby"),
    "right": ("right hand side", "right side", "right edge"),
    "river": ("stream", "creek", "brook"),
    "rolls": ("spins", "turns over"),
    "room": ("chamber", "hall"),
    "runs": ("sprints", "races", "dashes"),
    "scene": ("shot", "view"),
    "scores": ("nets", "makes a point"),
    "see": ("watch", "look at", "observe"),
    "shouts": ("yells", "screams", "cries out"),
    "sings": ("chants", "hums", "warbles"),
    "sleeps": ("naps", "dozes", "slumbers"),
    "slowly": ("gradually", "without haste", "at a snail's pace"),
    "small": ("little", "tiny", "miniature"),
    "square": ("box", "four sided shape", "quadrangle"),
    "stops": ("halts", "comes to a standstill"),
    "team": ("squad", "crew", "eleven"),
    "today": ("this day", "these hours"),
    "train": ("locomotive", "railway"),
    "triangle": ("three sided shape", "pyramid", "wedge"),
    "under": ("below", "beneath"),
    "video": ("film", "movie", "clip"),
    "waits": ("lingers", "pauses"),
    "welcome": ("come in", "pleased to meet you"),
    "white": ("ivory", "snowy", "chalk coloured"),
    "wins": ("triumphs", "is victorious"),
    "yellow": ("golden", "lemon", "canary"),
    "one": ("1", "a single"),
    "two": ("2", "a pair of"),
    "three": ("3", "a trio of"),
    "four": ("4", "a quartet of"),
    "five": ("5",),
    "six": ("6", "half a dozen"),
    "seven": ("7",),
    "eight": ("8",),
    "nine": ("9",),
    "ten": ("10",),
}
BACKGROUNDS = ("background", "backdrop", "ground", "surroundings")
_SIDES = {
    "left": ("on the left", "at the left hand side", "towards the left edge", "to the left"),
    "center": ("in the center", "in the middle", "at the centre", "centred"),
    "right": ("on the right", "at the right hand side", "towards the right edge", "to the right"),
}
_STANDS = ("stands", "is", "sits", "is placed")
# What people write around what they look for; it means nothing.
_LEADS = (
    "find",
    "show me",
    "the moment when",
    "the part where",
    "where is",
    "a picture of",
    "a shot with",
    "somebody says",
    "i look for",
    "please",
    "something like",
    "when does",
)
# Words that say little: a query may leave them out, and they count for no meaning.
FUNCTION_WORDS = ("a", "an", "and", "is", "the", "this", "to", "we")


@dataclass(frozen=True)
class Pair:
    """A text or picture, a query for it, and what both mean.

    A query finds everything that means at least what the query does.
    """

    text: str
    query: str
    meaning: frozenset[str]
    asked: frozenset[str]


def meaning(sentence: str) -> frozenset[str]:
    """The words of a sentence that count."""
    return frozenset(word for word in sentence.split() if word not in FUNCTION_WORDS)


def picture_meaning(picture: drawing.Picture) -> frozenset[str]:
    """What a picture shows; its two colours mean different things."""
    return frozenset(
        (f"is {picture.color}", picture.shape, f"at {picture.position}", f"on {picture.background}")
    )


def say_otherwise(word: str, rng: random.Random, share: float = 0.75) -> str:
    """A word, or with the probability `share` another expression for it."""
    others = OTHERWISE.get(word, ())
    return rng.choice(others) if others and rng.random() < share else word


def of_sentence(sentence: str, rng: random.Random, share: float = 0.75) -> Pair:
    """A query for a spoken sentence: all of it or a stretch, otherwise said, or its main words.

    Args:
        sentence: lowercase words with single spaces; one at least counts.
        rng: decides.
        share: of the words that are said otherwise.
    """
    words = sentence.split()
    counting = [place for place, word in enumerate(words) if word not in FUNCTION_WORDS]
    if len(counting) > 2 and rng.random() < 0.6:
        # A stretch of two words that count or more.
        length = rng.randint(2, len(counting))
        first = rng.randint(0, len(counting) - length)
        words = words[counting[first] : counting[first + length - 1] + 1]
    asked = frozenset(word for word in words if word not in FUNCTION_WORDS)
    if rng.random() < 0.4:
        words = [word for word in words if word not in FUNCTION_WORDS] or words
    if rng.random() < 0.2:
        rng.shuffle(words)
    query = " ".join(say_otherwise(word, rng, share) for word in words)
    return Pair(sentence, _led(query, rng), meaning(sentence), asked)


def of_picture(picture: drawing.Picture, rng: random.Random, share: float = 0.75) -> Pair:
    """A query for a picture: what it shows or a part of it, otherwise said; `text` describes it."""
    shape = say_otherwise(picture.shape, rng, share)
    color = say_otherwise(picture.color, rng, share)
    background = say_otherwise(picture.background, rng, share)
    parts, asked = [shape], {picture.shape}
    if rng.random() < 0.85:
        asked.add(f"is {picture.color}")
        # "a round crimson shape" for "a crimson round shape".
        head, _, tail = shape.partition(" ")
        parts = [f"{head} {color} {tail}" if tail and rng.random() < 0.5 else f"{color} {shape}"]
    if rng.random() < 0.7:
        parts[0] = f"{drawing.article(parts[0])} {parts[0]}"
    if rng.random() < 0.45:
        asked.add(f"at {picture.position}")
        side = rng.choice(_SIDES[picture.position])
        parts.append(f"{rng.choice(_STANDS)} {side}" if rng.random() < 0.3 else side)
    if rng.random() < 0.5:
        asked.add(f"on {picture.background}")
        ground = rng.choice(BACKGROUNDS)
        on = rng.choice(("on", "over", "in front of", "against"))
        parts.append(f"{on} {drawing.article(background)} {background} {ground}")
    if rng.random() < 0.1:
        parts = [f"{drawing.article(background)} {background} {rng.choice(BACKGROUNDS)}"]
        asked = {f"on {picture.background}"}
    return Pair(
        describe(picture),
        _led(" ".join(parts), rng),
        picture_meaning(picture),
        frozenset(asked),
    )


def describe(picture: drawing.Picture) -> str:
    """A picture's description in one line, as the vectors of what is seen are made of it."""
    fields = drawing.answer(picture)
    return "; ".join(fields[key] for key in ("visual_content", "mood", "action", "setting"))


def _led(query: str, rng: random.Random) -> str:
    """A query with something before it that means nothing, in a quarter of the cases."""
    return f"{rng.choice(_LEADS)} {query}" if rng.random() < 0.25 else query


def corpus(seed: int = 0) -> list[str]:
    """Texts from which the tokenizers learn their words: each one of the vocabulary often."""
    rng = random.Random(seed)
    texts = [
        f" {expression}"
        for word in vocabulary.WORDS
        for expression in (word, *OTHERWISE.get(word, ()))
    ] * 20
    for picture in drawing.all_pictures():
        pair = of_picture(picture, rng)
        texts += [f" {pair.text}", f" {pair.query}"]
    texts += [f" {lead}" for lead in (*_LEADS, *BACKGROUNDS, *_STANDS)] * 20
    return texts
