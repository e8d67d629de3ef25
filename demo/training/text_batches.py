"""Batches of questions and answers as token ids, of about the same length each."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import Tensor

import byte_pairs
import text_alignment

POOL = 1500  # questions that are sorted by length at a time
SCORE_WEIGHT = 4.0  # of the score's token, against 1 of any other token of an answer


@dataclass(frozen=True)
class Batch:
    """ids (rows, tokens), padded; weights (rows, tokens), 0 outside of the answers; sources (rows,
    tokens), of each token before a translated word the place of what it translates, else -1."""

    ids: Tensor
    weights: Tensor
    sources: Tensor


def batches(
    question: Callable[[float], tuple[str, str]], tokenizer: Tokenizer, tokens: int, whole: float
) -> Iterator[Batch]:
    """One pool of questions as batches of about `tokens` tokens, in random order.

    Args:
        question: gives a random one, a prompt and its answer.
        whole: what it is called with: the share of questions in the project's own wording.
    """
    scores = {tokenizer.token_to_id(f"Ġ{score}") for score in range(11)}
    rows = []
    for _ in range(POOL):
        prompt, answer = question(whole)
        asked = [byte_pairs.BEGIN, *tokenizer.encode(prompt).ids]
        answered = tokenizer.encode(answer).ids
        weights = [SCORE_WEIGHT if token in scores else 1.0 for token in answered]
        told, said = text_alignment.sources(tokenizer, prompt, answer)
        # Behind the token of the beginning; and the token before a word is what finds it.
        looks = [
            (len(asked) + place - 1, 1 + source) for place, source in zip(told, said, strict=True)
        ]
        rows.append((asked + answered, [0.0] * len(asked) + weights, looks))
    rows.sort(key=lambda row: len(row[0]))
    groups: list[list[tuple[list[int], list[float], list[tuple[int, int]]]]] = [[]]
    for row in rows:
        if (len(groups[-1]) + 1) * len(row[0]) > tokens:
            groups.append([])
        groups[-1].append(row)
    random.Random(len(groups[0])).shuffle(groups)
    for group in groups:
        longest = max(len(ids) for ids, *_ in group)
        ids = torch.full((len(group), longest), byte_pairs.PAD)
        weights = torch.zeros(len(group), longest)
        sources = torch.full((len(group), longest), -1)
        for index, (row, weight, looks) in enumerate(group):
            ids[index, : len(row)] = torch.tensor(row)
            weights[index, : len(row)] = torch.tensor(weight)
            for place, source in looks:
                sources[index, place] = source
        yield Batch(ids, weights, sources)
