"""Which part of the coded pictures of a film is shown, and how it is turned and mirrored."""

import math
import struct
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from reelmake.editing import picture_geometry

if TYPE_CHECKING:
    import numpy as np

Stream = Mapping[str, Any]
"""The entry of a video stream in media.json."""


def facts(matrix: bytes) -> dict[str, Any]:
    """What media.json says of a display matrix: `rotation`, and where it is so `mirrored`.

    matrix: nine 32-bit numbers, as ffmpeg's AV_FRAME_DATA_DISPLAYMATRIX, in this machine's order;
    the point (x, y) is shown at (a x + c y, b x + d y), where a, b, c, d are numbers 0, 1, 3, 4.
    Of angles between right ones, the nearest. One that makes a point or a line of the picture
    counts for nothing.
    """
    a, b, _, c, d, *_ = struct.unpack("=9i", matrix)
    if a * d == b * c:
        return {"rotation": 0}
    is_mirrored = a * d < b * c
    if is_mirrored:  # the rest, when left and right are exchanged again
        a = -a
    angle = math.degrees(math.atan2(b, a))
    found: dict[str, Any] = {"rotation": round(angle / 90) * 90 % 360}
    return found | {"mirrored": True} if is_mirrored else found


def crop(stream: Stream) -> list[str]:
    """ffmpeg's filters that cut off what the container says, where ffmpeg has not by itself, as it
    does from 7.1 on: before, it also took the shape of Matroska's pixels as if all of them were
    shown. None for most films."""
    if not stream.get("crop"):
        return []
    wide, high = picture_geometry.visible(stream)
    left = f"if(gt(iw\\,{wide})\\,{stream['crop']['left']}\\,0)"
    top = f"if(gt(ih\\,{high})\\,{stream['crop']['top']}\\,0)"
    pixel = Fraction(stream["pixel_aspect"]).limit_denominator(10_000)
    return [
        f"crop=min(iw\\,{wide}):min(ih\\,{high}):{left}:{top}",
        f"setsar={pixel.numerator}/{pixel.denominator}",
    ]


def turn(stream: Stream) -> list[str]:
    """ffmpeg's filters that turn and mirror coded pictures; none for most films."""
    turns = {0: [], 90: ["transpose=clock"], 180: ["hflip", "vflip"], 270: ["transpose=cclock"]}
    return [*turns[stream["rotation"]], *(["hflip"] if stream.get("mirrored") else [])]


def upright(image: "np.ndarray", stream: Stream) -> "np.ndarray":
    """A coded picture (height x width x channels) as people see it."""
    import numpy as np

    turned = np.rot90(image, -stream["rotation"] // 90)
    return np.ascontiguousarray(turned[:, ::-1] if stream.get("mirrored") else turned)
