"""Which colors the samples of a film stand for, and how they become those of BT.709 or BT.601.

What a film says of itself counts. Where it says nothing, players take pictures of high definition
for BT.709, and smaller ones for BT.601: so do we, and write it into what we make.
"""

from typing import Any

from reelmake.media import tone_mapping
from reelmake.media.pyav import Color

Stream = dict[str, Any]
"""The entry of a video stream in media.json."""

HD = 1280, 576
"""Pictures that are wider or higher than these are of high definition to players."""

BT709, BT601_625, BT601_525 = "bt709", "bt470bg", "smpte170m"
"""Matrices and primaries, as ffmpeg's filters name them. Both matrices of BT.601 are one."""

BT2020 = "setparams=colorspace=bt2020nc:color_primaries=bt2020"


def assumed(stream: Stream) -> str:
    """The matrix of pictures that don't say theirs, as ffmpeg's filters name it."""
    if stream["width"] >= HD[0] or stream["height"] > HD[1]:
        return BT709
    return BT601_625 if stream["height"] in (576, 288) else BT601_525


def _primaries(stream: Stream) -> str:
    """Those of broadcasts of 625 and 525 lines are their own; of other small films, BT.709's."""
    is_broadcast = stream["height"] in (576, 288, 486, 480, 240)
    return assumed(stream) if is_broadcast else BT709


def filters(stream: Stream, color: Color, keep_hdr: bool = False) -> list[str]:
    """ffmpeg's filters to pictures whose colors every player shows, and which say what they are.

    None for a film that says it itself, in Y'CbCr of standard range. color: of its stream.
    keep_hdr: leave PQ and HLG as they are.
    """
    if stream.get("hdr"):
        # Some say their transfer alone; what it can stand with is known.
        named = [] if color.has_matrix and color.has_primaries else [BT2020]
        is_odd = bool(stream["width"] % 2 or stream["height"] % 2)
        return named if keep_hdr else [*named, *tone_mapping.filters(stream["hdr"], is_odd)]
    matrix = assumed(stream)
    if color.is_rgb:
        # The primaries of sRGB are those of BT.709.
        return [
            f"scale=out_color_matrix={matrix}:out_range=tv:flags=accurate_rnd,format=yuv444p",
            f"setparams=range=tv:colorspace={matrix}:color_primaries=bt709:color_trc=bt709",
        ]
    if color.has_matrix:
        return []
    said = [f"colorspace={matrix}"]
    said += [] if color.has_primaries else [f"color_primaries={_primaries(stream)}"]
    said += [] if color.has_transfer else ["color_trc=bt709"]
    return [f"setparams={':'.join(said)}"]
