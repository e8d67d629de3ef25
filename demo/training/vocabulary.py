"""The closed vocabulary of the tiny speech model, and sentences made of it.

Half of the sentences follow simple templates, half are words in random order: a model that sees only templates learns
the templates instead of the sounds. Training and held-out sentences never overlap (a checksum of the text decides).
"""

import random
import zlib

WORDS = [
    "a",
    "again",
    "amazing",
    "and",
    "background",
    "ball",
    "big",
    "bird",
    "black",
    "blue",
    "car",
    "cat",
    "center",
    "cheers",
    "circle",
    "crashes",
    "crowd",
    "cyan",
    "dog",
    "door",
    "eight",
    "explosion",
    "falls",
    "fire",
    "five",
    "four",
    "goal",
    "goodbye",
    "gray",
    "green",
    "happens",
    "happy",
    "hello",
    "in",
    "is",
    "jumps",
    "left",
    "loudly",
    "moves",
    "near",
    "nine",
    "nothing",
    "now",
    "on",
    "one",
    "opens",
    "orange",
    "pink",
    "player",
    "purple",
    "quickly",
    "quiet",
    "quietly",
    "red",
    "right",
    "river",
    "rolls",
    "room",
    "runs",
    "scene",
    "scores",
    "see",
    "seven",
    "shouts",
    "sings",
    "six",
    "sleeps",
    "slowly",
    "small",
    "square",
    "stops",
    "team",
    "ten",
    "the",
    "this",
    "three",
    "to",
    "today",
    "train",
    "triangle",
    "two",
    "under",
    "video",
    "waits",
    "we",
    "welcome",
    "white",
    "wins",
    "yellow",
]

NOUNS = [
    "ball",
    "bird",
    "car",
    "cat",
    "crowd",
    "dog",
    "door",
    "explosion",
    "fire",
    "goal",
    "player",
    "river",
    "room",
    "scene",
    "team",
    "train",
    "video",
]
SHAPES = ["circle", "square", "triangle"]
COLORS = [
    "black",
    "blue",
    "cyan",
    "gray",
    "green",
    "orange",
    "pink",
    "purple",
    "red",
    "white",
    "yellow",
]
ADJECTIVES = ["amazing", "big", "happy", "quiet", "small"]
VERBS = [
    "cheers",
    "crashes",
    "falls",
    "happens",
    "jumps",
    "moves",
    "opens",
    "rolls",
    "runs",
    "scores",
    "shouts",
    "sings",
    "sleeps",
    "stops",
    "waits",
    "wins",
]
ADVERBS = ["again", "loudly", "now", "quickly", "quietly", "slowly", "today"]
NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
PLACES = ["in", "near", "on", "to", "under"]
# Words that speech reduces and that do not end a sentence: said last, "to" sounds like "two".
NOT_LAST = {"a", "and", "the", "to"}

TEMPLATES = [
    "{the} {thing} {verb} {adverb}",
    "{the} {thing} {verb} {place} the {thing}",
    "{the} {thing} is {place} the {thing}",
    "{the} {thing} {verb} and the {thing} {verb}",
    "we see {number} {thing} and {number} {thing}",
    "we see {the} {thing} {place} the {thing}",
    "hello and welcome to the {thing}",
    "welcome to this {thing}",
    "this is {the} {thing}",
    "now the {thing} {verb} {adverb}",
    "the {adjective} {thing} is {color} and {adjective}",
    "{number} {number} {number} {number}",
    "{the} {color} {shape} on {the} {color} background",
    "{the} {color} {shape} is on the {side}",
    "{the} {shape} {place} the center is {color}",
    "the {thing} {verb} to the {side}",
    "nothing happens in the {thing}",
    "nothing {verb} {adverb}",
    "goodbye {thing} and goodbye {thing}",
    "goodbye",
    "hello {thing}",
    "{adverb} {the} {thing} {verb}",
    "the {thing} is {adjective} today",
    "{number} {thing} {verb} {adverb} {place} the {thing}",
]


def _fill(template: str, rng: random.Random) -> str:
    kinds = {
        "the": ["the", "the", "a", "this"],
        "verb": VERBS,
        "adverb": ADVERBS,
        "place": PLACES,
        "number": NUMBERS,
        "color": COLORS,
        "shape": SHAPES,
        "adjective": ADJECTIVES,
        "side": ["left", "right"],
    }
    words = []
    for part in template.split():
        kind = part.strip("{}")
        if part == "{thing}":
            if rng.random() < 0.4:
                words.append(rng.choice(COLORS if rng.random() < 0.6 else ADJECTIVES))
            words.append(rng.choice(NOUNS + SHAPES))
        else:
            words.append(rng.choice(kinds[kind]) if part.startswith("{") else part)
    return " ".join(words)


def _shuffled(rng: random.Random) -> str:
    words = [
        rng.choice(WORDS) for _ in range(rng.choice([1, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 8, 9, 10]))
    ]
    while words[-1] in NOT_LAST:
        words[-1] = rng.choice(WORDS)
    return " ".join(words)


def is_held_out(sentence: str) -> bool:
    """Whether a sentence belongs to the held-out tenth. One-word sentences are in both sets: there are too few."""
    return len(sentence.split()) > 1 and zlib.crc32(sentence.encode()) % 10 == 0


def sentences(seed: int, held_out: bool = False):
    """Endless sentences, lowercase words with single spaces; those with `held_out` are in no training set."""
    rng = random.Random(f"{seed} {held_out}")
    while True:
        sentence = _fill(rng.choice(TEMPLATES), rng) if rng.random() < 0.5 else _shuffled(rng)
        if is_held_out(sentence) == held_out:
            yield sentence
