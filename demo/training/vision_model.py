"""The vision tower of the tiny vision-language model, as llama.cpp computes it.

Every choice mirrors a graph of llama.cpp, as the weights run there: `VisionTower` is
`models/llava.cpp` of mtmd with the MLP projector.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from text_model import attend


@dataclass(frozen=True)
class VisionShape:
    """Sizes of the vision tower; `feed_forward` must differ from `width` (see write_gguf)."""

    image_size: int = 96  # pixels of a side
    patch_size: int = 12  # pixels of a side: 8 x 8 patches
    width: int = 128
    feed_forward: int = 192
    blocks: int = 4
    heads: int = 4
    eps: float = 1e-5

    @property
    def patches(self) -> int:
        """Patches in a picture, each of which becomes one token of the text model."""
        return (self.image_size // self.patch_size) ** 2


class VisionBlock(nn.Module):
    """A pre-norm transformer block with biases and tanh-approximated GELU (ggml_gelu)."""

    def __init__(self, shape: VisionShape) -> None:
        super().__init__()
        width = shape.width
        self.heads = shape.heads
        self.ln1 = nn.LayerNorm(width, shape.eps)
        self.ln2 = nn.LayerNorm(width, shape.eps)
        self.attn_q = nn.Linear(width, width)
        self.attn_k = nn.Linear(width, width)
        self.attn_v = nn.Linear(width, width)
        self.attn_out = nn.Linear(width, width)
        self.ffn_up = nn.Linear(width, shape.feed_forward)
        self.ffn_down = nn.Linear(shape.feed_forward, width)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, patches, width) to the same."""
        normed = self.ln1(x)
        parts = [
            layer(normed).unflatten(-1, (self.heads, -1))
            for layer in (self.attn_q, self.attn_k, self.attn_v)
        ]
        x = x + self.attn_out(attend(*parts, causal=False))
        return x + self.ffn_down(F.gelu(self.ffn_up(self.ln2(x)), approximate="tanh"))


class VisionTower(nn.Module):
    """Pixels to tokens of the text model: patches, blocks, norm, two-layer projector."""

    def __init__(self, shape: VisionShape, text_width: int) -> None:
        super().__init__()
        self.shape = shape
        self.patch_embd = nn.Conv2d(3, shape.width, shape.patch_size, shape.patch_size)
        self.position_embd = nn.Parameter(sinusoids(shape))
        self.blk = nn.ModuleList(VisionBlock(shape) for _ in range(shape.blocks))
        self.post_ln = nn.LayerNorm(shape.width, shape.eps)
        self.mm_0 = nn.Linear(shape.width, text_width)
        self.mm_2 = nn.Linear(text_width, text_width)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, 3, side, side), normalized, to patch features and text tokens.

        Returns:
            features (batch, patches, width) and tokens (batch, patches, text width).
        """
        x = self.patch_embd(pixels).flatten(2).transpose(1, 2) + self.position_embd
        for block in self.blk:
            x = block(x)
        x = self.post_ln(x)
        return x, self.mm_2(F.gelu(self.mm_0(x), approximate="tanh"))


def sinusoids(shape: VisionShape) -> Tensor:
    """2-D positions (patches, width): half of the width for the row, half for the column.

    With learned positions alone, patches do not find their neighbours within minutes.
    """
    side = shape.image_size // shape.patch_size
    rates = torch.exp(-torch.arange(shape.width // 4) * (3.0 / (shape.width // 4)))
    angles = torch.arange(side)[:, None] * rates[None, :] * (torch.pi / 2)
    axis = torch.cat([angles.sin(), angles.cos()], dim=1)  # (side, width / 2)
    rows = axis[:, None, :].expand(side, side, -1)
    columns = axis[None, :, :].expand(side, side, -1)
    return torch.cat([rows, columns], dim=2).flatten(0, 1).clone()
