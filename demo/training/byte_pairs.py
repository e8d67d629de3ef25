"""Byte-level BPE tokenizers of the two text models, in the form that llama.cpp reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

BEGIN, END, PAD = range(3)  # the first three specials of either tokenizer


def train(corpus: Iterable[str], specials: Sequence[str], most: int) -> Tokenizer:
    """Learn merges from texts, `most` tokens at the most, of which `specials` come first.

    All 256 bytes are kept, so that any text can be encoded.  Word splitting is GPT-2's,
    which is what `tokenizer.ggml.pre = gpt-2` selects in llama.cpp.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=most,
        special_tokens=list(specials),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    return tokenizer


def extend(tokenizer: Tokenizer, words: Iterable[str]) -> Tokenizer:
    """The tokenizer with each word as one token; all tokens that it had keep their numbers.

    A word's pieces are merged from the left, after all merges that were there.
    """
    for word in words:
        pieces = tokenizer.encode(word).tokens
        while len(pieces) > 1:
            content = json.loads(tokenizer.to_str())
            content["model"]["merges"].append(pieces[:2])
            content["model"]["vocab"].setdefault(
                pieces[0] + pieces[1], len(content["model"]["vocab"])
            )
            tokenizer = Tokenizer.from_str(json.dumps(content))
            pieces = tokenizer.encode(word).tokens
    return tokenizer


def vocabulary(tokenizer: Tokenizer) -> tuple[list[str], list[str]]:
    """Tokens in order of their ids, and merges ("left right") in order of their rank."""
    model = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].__getitem__)
    return tokens, [" ".join(pair) for pair in model["merges"]]
