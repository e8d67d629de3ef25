"""The byte-level BPE tokenizer of the text model, in the form that llama.cpp reads."""

from __future__ import annotations

import json

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

import drawing
import vision_prompts

VOCABULARY = 1600  # at most: the language is small, and merges run out earlier
SPECIALS = ("<|begin|>", "<|end|>", "<|pad|>")
BEGIN, END, PAD = range(3)


def answer_text(picture: drawing.Picture, keys: tuple[str, ...] | None = None) -> str:
    """The JSON that the model learns to write, formatted as json.dumps does by default."""
    fields = drawing.answer(picture)
    return json.dumps({key: fields[key] for key in keys or fields})


def train_tokenizer() -> Tokenizer:
    """Learn merges from the prompts and from every answer.

    All 256 bytes are kept, so that any prompt can be encoded.  Word splitting is GPT-2's,
    which is what `tokenizer.ggml.pre = gpt-2` selects in llama.cpp.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIALS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    answers = [answer_text(picture) for picture in drawing.all_pictures()]
    tokenizer.train_from_iterator(vision_prompts.corpus() + answers, trainer)
    return tokenizer


def vocabulary(tokenizer: Tokenizer) -> tuple[list[str], list[str]]:
    """Tokens in order of their ids, and merges ("left right") in order of their rank."""
    model = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].__getitem__)
    return tokens, [" ".join(pair) for pair in model["merges"]]
