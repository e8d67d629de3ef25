"""The shapes that a film's pictures get. Sides are even numbers, which the encoders ask for."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any


@dataclass(frozen=True)
class Shape:
    """Where a picture of `width` x `height` comes from: upright, `crop` out of the film's
    middle, then black borders up to the whole. All even, as yuv420p needs, but the film's."""

    film: tuple[int, int]
    crop: tuple[int, int]
    width: int
    height: int


def visible(stream: Mapping[str, Any]) -> tuple[int, int]:
    """Width and height of the part of the coded pictures that is shown. stream: its entry in
    media.json."""
    crop = stream.get("crop") or {"left": 0, "top": 0, "right": 0, "bottom": 0}
    width = stream["width"] - crop["left"] - crop["right"]
    return width, stream["height"] - crop["top"] - crop["bottom"]


def shape(stream: Mapping[str, Any], aspect: str | None = None, fit: str = "crop") -> Shape:
    """The picture of a stream, its entry in media.json, in another shape.

    aspect: such as 9:16, of what is seen (pixels may not be square); None: the film's own.
    fit: `crop` its middle or `pad` it.
    """
    (width, height), pixel = visible(stream), stream["pixel_aspect"]
    if stream["rotation"] % 180:
        width, height, pixel = height, width, 1 / pixel
    film = width, height
    wide, high = _even(width), _even(height)
    if aspect is None:
        return Shape(film, (wide, high), wide, high)
    across, down = map(int, aspect.split(":"))
    ratio = across / down / pixel  # of the pixels' numbers
    if fit == "crop":
        crop = min(wide, _nearest_even(high * ratio)), min(high, _nearest_even(wide / ratio))
        return Shape(film, crop, *crop)
    padded = max(wide, _nearest_even(high * ratio)), max(high, _nearest_even(wide / ratio))
    return Shape(film, (wide, high), *padded)


def shown_size(stream: Mapping[str, Any], height: int) -> tuple[int, int]:
    """Width and height of the film upright, with square pixels, of at most so many lines.

    Nothing is enlarged.
    """
    wide, high = map(Fraction, visible(stream))
    aspect = Fraction(stream["pixel_aspect"]).limit_denominator(10_000)
    wide, high = (wide, high / aspect) if aspect >= 1 else (wide * aspect, high)
    if stream["rotation"] % 180:
        wide, high = high, wide
    scale = min(Fraction(1), height / high)
    return _even(wide * scale), _even(high * scale)


def _even(length: int | Fraction) -> int:
    return max(2, int(length / 2) * 2)


def _nearest_even(length: float) -> int:
    return max(2, round(length / 2) * 2)
