"""Training pictures: shapes seen through the engine's preprocessing, coloured on the fly.

A picture has two colours only and resizing is linear, so a shape's coverage is drawn
and resized once; every batch then gives it new colours and the marks of compression.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

import drawing

PADDING = (122, 116, 104)  # with which mtmd fills a picture up to a square
_LOW, _HIGH = 64, 192  # levels of background and shape, with room for bicubic overshoot
_ASPECTS = ((16 / 9, 0.45), (4 / 3, 0.25), (9 / 16, 0.08), (1.0, 0.04))
# Middle of the shape as a share of the width, wider than in drawing.draw().
_BANDS = {"left": (0.12, 0.36), "center": (0.44, 0.56), "right": (0.64, 0.88)}
_TINTLESS = ("white", "gray", "black")


def fit(image: Image.Image, side: int) -> tuple[Image.Image, tuple[int, int]]:
    """Resize into a square as mtmd's `img_tool::resize` does with PAD_CEIL.

    Returns:
        The resized picture, not yet padded, and its place (x, y) in the square.
    """
    width, height = image.size
    # In single precision, as there: 54.000002 is rounded up to 55.
    scale = min(np.float32(side) / np.float32(width), np.float32(side) / np.float32(height))
    size = (
        min(math.ceil(np.float32(width) * scale), side),
        min(math.ceil(np.float32(height) * scale), side),
    )
    place = ((side - size[0]) // 2, (side - size[1]) // 2)
    return image.resize(size, Image.Resampling.BICUBIC), place


@dataclass
class Masks:
    """Geometry of many pictures.

    Attributes:
        coverage: (pictures, side, side) float16, 0 on the background, 1 in the shape.
        content: (pictures, side, side) bool, False on the padding.
        shapes: (pictures,) index into drawing.SHAPES.
        positions: (pictures,) index into drawing.POSITIONS.
    """

    coverage: Tensor
    content: Tensor
    shapes: Tensor
    positions: Tensor


def draw_masks(count: int, side: int, seed: int) -> Masks:
    """Draw `count` random geometries for squares of `side` pixels."""
    rng = random.Random(seed)
    coverage = np.zeros((count, side, side), np.float16)
    content = np.zeros((count, side, side), bool)
    shapes, positions = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for index in range(count):
        shapes[index], positions[index] = index % 3, index // 3 % 3
        image = _draw_mask(rng, drawing.SHAPES[index % 3], drawing.POSITIONS[index // 3 % 3])
        small, (x, y) = fit(image, side)
        levels = (np.asarray(small)[:, :, 0].astype(np.float32) - _LOW) / (_HIGH - _LOW)
        window = (index, slice(y, y + small.height), slice(x, x + small.width))
        coverage[window], content[window] = levels, True
    arrays = (torch.from_numpy(array) for array in (coverage, content, shapes, positions))
    return Masks(*arrays)


def _draw_mask(rng: random.Random, shape: str, position: str) -> Image.Image:
    """One shape at a random size, place and proportion, in two levels of gray."""
    draw, aspect = rng.random(), 0.0
    for value, share in _ASPECTS:
        if aspect == 0.0 and draw < share:
            aspect = value
        draw -= share
    aspect = aspect or math.exp(rng.uniform(math.log(0.5), math.log(2.4)))
    longest = math.exp(rng.uniform(math.log(120), math.log(520)))
    width = round(longest if aspect >= 1 else longest * aspect)
    height = round(longest / aspect if aspect >= 1 else longest)
    stretch = {"circle": 0.05, "square": 0.1, "triangle": 0.2}[shape]
    tall = min(rng.uniform(0.18, 0.62) * height, 0.55 * width)
    wide = tall * math.exp(rng.uniform(-stretch, stretch))
    x = rng.uniform(*_BANDS[position]) * width
    x = min(max(x, wide / 2 + 1), width - wide / 2 - 1)
    room = (height - tall) / 2 - 1
    y = height / 2 + rng.uniform(-1, 1) * (room if rng.random() < 0.4 else min(room, height / 10))
    return drawing.draw_shape(
        shape,
        (_HIGH,) * 3,
        (_LOW,) * 3,
        (width, height),
        (x, y),
        (wide, tall),
        smooth=rng.random() < 0.5,
    )


def random_colors(names: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Colours (count, 3), 0 to 255, for indices (count,) into drawing.COLORS.

    A blend of two anchors, dimmed and shifted: a film's colours are nobody's anchors.
    """
    colors = np.zeros((len(names), 3), np.float32)
    for index, name in enumerate(drawing.COLORS):
        chosen = np.flatnonzero(names == index)
        anchors = np.array(drawing.ANCHORS[name], np.float32)
        first, second = anchors[rng.integers(len(anchors), size=(2, len(chosen)))]
        blend = np.clip(rng.uniform(-0.5, 1.5, (len(chosen), 1)), 0, 1)
        color = first * blend + second * (1 - blend)
        if name in _TINTLESS:
            color += rng.uniform(-16, 16, (len(chosen), 1)) + rng.uniform(-6, 6, color.shape)
        else:
            color *= rng.uniform(0.82, 1.06, (len(chosen), 1))
            color += rng.uniform(-18, 18, color.shape)
        colors[chosen] = color
    return np.clip(colors, 0, 255)


@dataclass
class Batch:
    """Pixels (batch, 3, side, side) from -1 to 1, labels (batch,) each, coverage as in Masks."""

    pixels: Tensor
    coverage: Tensor
    labels: dict[str, Tensor]

    def picture(self, index: int) -> drawing.Picture:
        """The picture in words."""
        words = {"shape": drawing.SHAPES, "position": drawing.POSITIONS}
        return drawing.Picture(
            **{
                name: words.get(name, drawing.COLORS)[int(label[index])]
                for name, label in self.labels.items()
            }
        )


def random_batch(
    masks: Masks, size: int, rng: np.random.Generator, uncolored: float = 0.0
) -> Batch:
    """Pictures of random geometries in random colours, half of them mirrored.

    A share of `uncolored` is in black and white only, where edges are easiest to see.
    """
    chosen = torch.from_numpy(rng.integers(len(masks.shapes), size=size))
    mirrored = torch.from_numpy(rng.random(size) < 0.5)
    coverage, content = masks.coverage[chosen].float(), masks.content[chosen]
    coverage = torch.where(mirrored[:, None, None], coverage.flip(2), coverage)
    content = torch.where(mirrored[:, None, None], content.flip(2), content)
    positions = torch.where(mirrored, 2 - masks.positions[chosen], masks.positions[chosen])
    names = rng.integers(len(drawing.COLORS), size=size)
    behind = (names + rng.integers(1, len(drawing.COLORS), size=size)) % len(drawing.COLORS)
    white, black = (drawing.COLORS.index(name) for name in ("white", "black"))
    plain, swapped = rng.random(size) < uncolored, rng.random(size) < 0.5
    names = np.where(plain, np.where(swapped, white, black), names)
    behind = np.where(plain, np.where(swapped, black, white), behind)
    pixels = _compose(
        coverage,
        torch.from_numpy(random_colors(names, rng)),
        torch.from_numpy(random_colors(behind, rng)),
        rng,
    )
    padding = torch.tensor(PADDING, dtype=torch.float32)[:, None, None]
    pixels = torch.where(content[:, None], pixels, padding)
    labels = {
        "shape": masks.shapes[chosen],
        "color": torch.from_numpy(names),
        "position": positions,
        "background": torch.from_numpy(behind),
    }
    return Batch(pixels / 127.5 - 1, coverage, labels)


def _compose(
    coverage: Tensor, color: Tensor, background: Tensor, rng: np.random.Generator
) -> Tensor:
    """Pixels (batch, 3, side, side), 0 to 255, with chroma blurred as in 4:2:0 and noise."""
    size = len(coverage)
    sharp = coverage[:, None]
    blurred = F.avg_pool2d(sharp, 3, 1, 1)
    amount = torch.from_numpy(rng.choice([0.0, 0.0, 0.5, 1.0], size).astype(np.float32))
    soft = sharp + (blurred - sharp) * amount[:, None, None, None]
    difference = (color - background)[:, :, None, None]
    luma_weights = torch.tensor([0.299, 0.587, 0.114])[None, :, None, None]
    luma = (difference * luma_weights).sum(1, keepdim=True)
    pixels = background[:, :, None, None] + luma * sharp + (difference - luma) * soft
    noise = torch.from_numpy(rng.standard_normal(pixels.shape, np.float32))
    strength = torch.from_numpy(rng.choice([0.0, 1.0, 3.0], size).astype(np.float32))
    return (pixels + noise * strength[:, None, None, None]).clamp(0, 255).round()
