"""The text network of both tiny models: llama.cpp's `llama` architecture, as its weights run there."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class TextShape:
    """Sizes of the text model."""

    vocabulary: int
    width: int = 128
    feed_forward: int = 320
    blocks: int = 4
    heads: int = 4
    context: int = 2048  # tokens
    rope_base: float = 10000.0
    eps: float = 1e-5


def attend(query: Tensor, key: Tensor, value: Tensor, causal: bool) -> Tensor:
    """Attention over (batch, tokens, heads, head width); returns (batch, tokens, width)."""
    mixed = F.scaled_dot_product_attention(
        query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), is_causal=causal
    )
    return mixed.transpose(1, 2).flatten(2)


class TextBlock(nn.Module):
    """A block of the `llama` architecture: RMS norm, rotary attention, gated SiLU."""

    def __init__(self, shape: TextShape) -> None:
        super().__init__()
        width, hidden = shape.width, shape.feed_forward
        self.heads = shape.heads
        self.attn_norm = nn.RMSNorm(width, shape.eps)
        self.ffn_norm = nn.RMSNorm(width, shape.eps)
        self.attn_q = nn.Linear(width, width, bias=False)
        self.attn_k = nn.Linear(width, width, bias=False)
        self.attn_v = nn.Linear(width, width, bias=False)
        self.attn_output = nn.Linear(width, width, bias=False)
        self.ffn_gate = nn.Linear(width, hidden, bias=False)
        self.ffn_up = nn.Linear(width, hidden, bias=False)
        self.ffn_down = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor, turns: Tensor) -> Tensor:
        """(batch, tokens, width) to the same; `turns` as `rotations` gives them."""
        normed = self.attn_norm(x)
        query, key, value = (
            layer(normed).unflatten(-1, (self.heads, -1))
            for layer in (self.attn_q, self.attn_k, self.attn_v)
        )
        x = x + self.attn_output(
            attend(rotate(query, turns), rotate(key, turns), value, causal=True)
        )
        normed = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(normed)) * self.ffn_up(normed))


class TextModel(nn.Module):
    """A causal transformer whose output weights are its embeddings."""

    def __init__(self, shape: TextShape) -> None:
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.vocabulary, shape.width)
        self.blk = nn.ModuleList(TextBlock(shape) for _ in range(shape.blocks))
        self.output_norm = nn.RMSNorm(shape.width, shape.eps)
        nn.init.normal_(self.token_embd.weight, std=0.05)

    def forward(self, embeddings: Tensor) -> Tensor:
        """(batch, tokens, width) of text and picture tokens to normed states."""
        turns = rotations(self.shape, embeddings.shape[1])
        for block in self.blk:
            embeddings = block(embeddings, turns)
        return self.output_norm(embeddings)

    def logits(self, states: Tensor) -> Tensor:
        """States (..., width) to scores (..., vocabulary)."""
        return states @ self.token_embd.weight.T


def rotations(shape: TextShape, tokens: int) -> Tensor:
    """Cosines and sines (2, tokens, 1, head width / 2) of the rotary positions."""
    half = shape.width // shape.heads // 2
    rates = shape.rope_base ** (-torch.arange(half) / half)
    angles = torch.arange(tokens)[:, None] * rates[None, :]
    return torch.stack([angles.cos(), angles.sin()])[:, :, None, :]


def rotate(x: Tensor, turns: Tensor) -> Tensor:
    """Turn neighbouring pairs of (batch, tokens, heads, head width), as ggml does for llama."""
    even, odd = x[..., 0::2], x[..., 1::2]
    cos, sin = turns
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)
