"""The tokenizer of the text model: every word of the vocabulary is one token."""

from __future__ import annotations

import json
import random

from tokenizers import Tokenizer

import byte_pairs
import drawing
import german
import text_prompts
import text_samples
import vocabulary

VOCABULARY = 2600  # at most
# The tags are one token each, so that the last one before a word tells whether it is data.
SPECIALS = (
    "<|begin|>",
    "<|end|>",
    "<|pad|>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<transcript>",
    "</transcript>",
    "<scenes>",
    "</scenes>",
    text_samples.EMPTY,
)
# Neighbours of the words that count, which do not count themselves.
_NEAR = (
    "amaze amazed cheer cheered cheering crash crashed explode exploded fires fireplace goals jump "
    "jumped loud louder score scored shout shouted win won winner bye nothingness quieter sleep "
    "sleeping slow slower wait waited waiting calm calmly exciting silent silence"
)
NEAR = _NEAR.split()


def forms(word: str) -> tuple[str, str, str]:
    """A word as it may stand in a sentence: plain, capitalised, in capitals."""
    return word, word.capitalize(), word.upper()


def scene_line(picture: drawing.Picture) -> str:
    """A scene as the project lists it, in the words of the tiny vision model."""
    fields = drawing.answer(picture)
    return "- " + "; ".join(fields[key] for key in ("visual_content", "mood", "action", "setting"))


def train_tokenizer() -> Tokenizer:
    """Learn merges from instructions, sentences, scenes and answers; then those of German, which the
    model learned later."""
    rng = random.Random(0)
    words = [form for word in (*vocabulary.WORDS, *NEAR) for form in forms(word)]
    texts = [f"{word}\n {word}" for word in words] * 3 + [f" {number}" for number in range(11)] * 50
    texts += [scene_line(picture) for picture in drawing.all_pictures()]
    for _ in range(500):
        lines = [" ".join(rng.choices(vocabulary.WORDS, k=rng.randint(0, 12)))]
        texts.append(json.dumps(text_samples.judge(lines, [])))
        texts.append(json.dumps(text_samples.tell(lines, [], rng.choice(text_samples.BEATS))))
    tokenizer = byte_pairs.train(texts + text_prompts.corpus(), SPECIALS, VOCABULARY)
    # At the beginning of a line, and after a space.
    return byte_pairs.extend(
        tokenizer, [form for word in german.WORDS.values() for form in (word, f" {word}")]
    )
