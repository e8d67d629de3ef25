"""A film's pictures as people see them: cropped, turned, of any size; the same in keyframes, clips
and trailer."""

from typing import TYPE_CHECKING, Any

from reelmake.editing import picture_geometry
from reelmake.media import colors, interlacing, orientation, pyav, tone_mapping
from reelmake.media.pyav import Color, VideoFrame

if TYPE_CHECKING:
    import numpy as np

Stream = dict[str, Any]
"""The entry of a video stream in media.json."""


def picture(frame: VideoFrame, stream: Stream, longest: int) -> "np.ndarray":
    """A frame as BGR: uint8, height x width x 3, with square pixels.

    The longest side is at most `longest` pixels; nothing is enlarged.
    """
    wide, high = picture_geometry.visible(stream)
    aspect = stream["pixel_aspect"]
    across, down = (1.0, 1 / aspect) if aspect >= 1 else (aspect, 1.0)
    scale = min(1.0, longest / max(wide * across, high * down))
    across, down = across * scale, down * scale
    hdr = stream.get("hdr")
    # A JPEG can't say that its colors are BT.2020's, as clips and trailer do.
    is_wide = hdr or frame.color_primaries == tone_mapping.PRIMARIES
    is_untagged = frame.colorspace == pyav.UNSPECIFIED and not frame.format.is_rgb
    small = interlacing.whole(frame).reformat(
        width=max(1, round(frame.width * across)),
        height=max(1, round(frame.height * down)),
        # Not rgb48le, of which swscale makes wrong colors where the width is odd.
        format="gbrp16le" if is_wide else "bgr24",
        interpolation=pyav.Interpolation.AREA,
        src_colorspace=pyav.MATRICES[colors.assumed(stream)] if is_untagged else None,
    )
    image = small.to_ndarray()
    if is_wide:
        image = tone_mapping.mapped(image, hdr)[:, :, ::-1]
    if crop := stream.get("crop"):
        left, top = round(crop["left"] * across), round(crop["top"] * down)
        width, height = max(1, round(wide * across)), max(1, round(high * down))
        image = image[top : top + height, left : left + width]
    return orientation.upright(image, stream)


def filters(stream: Stream, color: Color, keep_hdr: bool = False) -> list[str]:
    """ffmpeg's filters from decoded pictures to those that people see.

    color: of the stream. keep_hdr: leave PQ and HLG as they are.
    """
    # A frame would hand its matrix on to what is made of it, to be turned once more.
    return [
        *interlacing.filters(stream),
        *colors.filters(stream, color, keep_hdr),
        *orientation.crop(stream),
        *orientation.turn(stream),
        "sidedata=delete:DISPLAYMATRIX",
    ]
