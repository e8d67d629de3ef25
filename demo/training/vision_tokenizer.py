"""The tokenizer of the vision-language model, and the answers that it learns to write."""

from __future__ import annotations

import json

from tokenizers import Tokenizer

import byte_pairs
import drawing
import vision_prompts

VOCABULARY = 1600  # at most: the language is small, and merges run out earlier
SPECIALS = ("<|begin|>", "<|end|>", "<|pad|>")


def answer_text(picture: drawing.Picture, keys: tuple[str, ...] | None = None) -> str:
    """The JSON that the model learns to write, formatted as json.dumps does by default."""
    fields = drawing.answer(picture)
    return json.dumps({key: fields[key] for key in keys or fields})


def train_tokenizer() -> Tokenizer:
    """Learn merges from the prompts and from every answer."""
    answers = [answer_text(picture) for picture in drawing.all_pictures()]
    return byte_pairs.train(vision_prompts.corpus() + answers, SPECIALS, VOCABULARY)
