"""The tiny embedding models: a text encoder, and an image encoder beside a text encoder."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class EmbeddingShape:
    """Sizes of an encoder."""

    dims: int = 64  # of the vectors
    width: int = 64
    feed_forward: int = 128
    blocks: int = 2
    heads: int = 4
    tokens: int = 128  # of a text, at most
    image_size: int = 64  # pixels of a side, whatever the picture's shape


class Block(nn.Module):
    """A pre-norm transformer block that sees the whole text."""

    def __init__(self, shape: EmbeddingShape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.ln1, self.ln2 = nn.LayerNorm(shape.width), nn.LayerNorm(shape.width)
        self.attn_in = nn.Linear(shape.width, 3 * shape.width)
        self.attn_out = nn.Linear(shape.width, shape.width)
        self.ffn_up = nn.Linear(shape.width, shape.feed_forward)
        self.ffn_down = nn.Linear(shape.feed_forward, shape.width)

    def forward(self, x: Tensor, barred: Tensor) -> Tensor:
        """x (batch, tokens, width); barred (batch, 1, 1, tokens), added to the attention."""
        batch, tokens, width = x.shape
        parts = self.attn_in(self.ln1(x)).reshape(batch, tokens, 3, self.heads, width // self.heads)
        query, key, value = (parts[:, :, index].transpose(1, 2) for index in range(3))
        weights = query @ key.transpose(2, 3) / math.sqrt(width // self.heads) + barred
        mixed = (weights.softmax(3) @ value).transpose(1, 2).reshape(batch, tokens, width)
        x = x + self.attn_out(mixed)
        return x + self.ffn_down(F.gelu(self.ffn_up(self.ln2(x))))


class TextEncoder(nn.Module):
    """Token ids to one vector a token, whose mean is the text's vector."""

    def __init__(self, shape: EmbeddingShape, vocabulary: int, pooled: bool) -> None:
        super().__init__()
        self.pooled = pooled
        self.token_embd = nn.Embedding(vocabulary, shape.width)
        self.position_embd = nn.Parameter(torch.randn(shape.tokens, shape.width) * 0.02)
        self.blk = nn.ModuleList(Block(shape) for _ in range(shape.blocks))
        self.norm = nn.LayerNorm(shape.width)
        self.out = nn.Linear(shape.width, shape.dims)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(batch, tokens) each to (batch, tokens, dims), or (batch, dims) if `pooled`."""
        mask = attention_mask.to(torch.float32)
        barred = (mask[:, None, None, :] - 1) * 1e4
        x = self.token_embd(input_ids) + self.position_embd[: input_ids.shape[1]]
        for block in self.blk:
            x = block(x, barred)
        x = self.out(self.norm(x))
        return mean(x, mask) if self.pooled else x

    def embed(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(batch, tokens) each to unit vectors (batch, dims)."""
        x = self(input_ids, attention_mask)
        return F.normalize(x if self.pooled else mean(x, attention_mask.to(x.dtype)), dim=1)


class ImageEncoder(nn.Module):
    """Pixels to a vector: four convolutions, which keep where something is, and two layers."""

    def __init__(self, shape: EmbeddingShape) -> None:
        super().__init__()
        channels = (3, 32, 48, 64, 64)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, 3, 2, 1) for before, after in itertools.pairwise(channels)
        )
        side = shape.image_size // 16
        self.hidden = nn.Linear(channels[-1] * side * side, 128)
        self.out = nn.Linear(128, shape.dims)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """(batch, 3, side, side), normalized to -1 to 1, to (batch, dims)."""
        x = pixel_values
        for convolution in self.convolutions:
            x = F.relu(convolution(x))
        return self.out(F.relu(self.hidden(x.flatten(1))))

    def embed(self, pixels: Tensor) -> Tensor:
        """Pixels to unit vectors (batch, dims)."""
        return F.normalize(self(pixels), dim=1)


def mean(states: Tensor, mask: Tensor) -> Tensor:
    """The mean of (batch, tokens, dims) over the tokens whose mask is 1."""
    return (states * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)


def contrast(queries: Tensor, found: Tensor, right: Tensor, scale: Tensor) -> Tensor:
    """How badly queries tell what they ask for from all else in a batch (cross-entropy).

    Args:
        queries: unit vectors (batch, dims).
        found: unit vectors of texts or pictures (at least batch, dims).
        right: (queries, found), true where what is found means all that the query asks for.
        scale: by which cosines are multiplied.
    """
    scores = scale * queries @ found.T
    never = torch.finfo(scores.dtype).min
    hits = scores.masked_fill(~right, never)
    both = [scores.logsumexp(1) - hits.logsumexp(1)]
    asked = right.any(0)  # hard negatives are asked for by nobody
    both.append((scores.logsumexp(0) - hits.logsumexp(0))[asked])
    return both[0].mean() + 0.5 * both[1].mean()
