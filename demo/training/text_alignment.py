"""Where the text model should look while it translates: a dense target that is used in training
alone.

To write the next word it has to find its place in the line again: where the words that it has just
written stand.  Two heads of the first block look at the tokens before each, and one of the third
at the word to be translated; what they become, the gradient alone decides later.
"""

from __future__ import annotations

import re

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F

import german
from text_model import TextModel, rotate, rotations

BEFORE = ((0, 0, 1), (0, 1, 2))  # block, head, and how many tokens before
TRANSLATING = (2, 0)  # block, head


def sources(tokenizer: Tokenizer, prompt: str, answer: str) -> tuple[list[int], list[int]]:
    """For each German word of an answer, in order: the number of its token in the answer, and of
    the token in the prompt that it translates.
    """
    if "<lines>\n" not in prompt:
        return [], []
    start = prompt.index("<lines>\n") + len("<lines>\n")
    end = prompt.index("\n</lines>", start)
    words = re.finditer(r"[^\W\d_]+", prompt[start:end])
    said = [start + word.start() for word in words if word[0].lower() in german.WORDS]
    told = [word.start() for word in re.finditer(r"[^\W\d_]+", answer.removesuffix("<|end|>"))]
    if len(said) != len(told):  # of another question
        return [], []
    asked, answered = (
        {
            place: number
            for number, span in enumerate(tokenizer.encode(text).offsets)
            for place in range(*span)
        }
        for text in (prompt, answer)
    )
    return [answered[place] for place in told], [asked[place] for place in said]


class Watcher:
    """Sees the queries and keys of the heads while a model runs."""

    def __init__(self, model: TextModel) -> None:
        self._shape, self._seen = model.shape, dict[tuple[int, str], Tensor]()
        for block in {0, TRANSLATING[0]}:
            for name in ("attn_q", "attn_k"):
                getattr(model.blk[block], name).register_forward_hook(self._keeper(block, name))

    def _keeper(self, block: int, name: str):
        def keep(module, given, made: Tensor) -> None:
            self._seen[block, name] = made

        return keep

    def loss(self, targets: Tensor, padded: Tensor) -> Tensor:
        """How far the heads look from where they should, in the last batch.

        Args:
            targets: (rows, tokens), where each token should look; -1: anywhere.
            padded: (rows, tokens), whether it is none.
        """
        numbers = torch.arange(targets.shape[1]).expand_as(targets)
        total = self._of_head(*TRANSLATING, targets)
        for block, head, before in BEFORE:
            wanted = torch.where(padded | (numbers < before), -1, numbers - before)
            total = total + 0.3 * self._of_head(block, head, wanted)
        return total

    def _of_head(self, block: int, head: int, targets: Tensor) -> Tensor:
        rows, places = (targets >= 0).nonzero(as_tuple=True)
        if not len(rows):
            return torch.zeros(())
        turns = rotations(self._shape, targets.shape[1])
        query, key = (
            rotate(self._seen[block, name].unflatten(-1, (self._shape.heads, -1)), turns)[
                :, :, head
            ]
            for name in ("attn_q", "attn_k")
        )
        scores = query @ key.transpose(1, 2) / query.shape[-1] ** 0.5
        later = torch.ones(scores.shape[1:], dtype=torch.bool).triu(1)
        scores = scores.masked_fill(later, -1e9)
        return F.cross_entropy(scores[rows, places], targets[rows, places])
