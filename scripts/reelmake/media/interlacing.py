"""Pictures of two fields, taken one after the other, as whole ones."""

from typing import Any

from reelmake.media import pyav
from reelmake.media.pyav import VideoFrame

ORDERS = {2: "tt", 3: "bb", 4: "tb", 5: "bt"}
"""ffmpeg's AVFieldOrder: of the fields, top and bottom, first the one that is coded first, then
the one that is shown first."""
PROGRESSIVE = 1
"""In the same numbers: whole pictures."""
MIXED = ("mpeg2video", "vc1")
"""Codecs of which PROGRESSIVE is said of the first picture alone: films on DVD have fields of
several pictures in two of five (3:2 pulldown)."""


def filters(stream: dict[str, Any]) -> list[str]:
    """ffmpeg's filters that make whole pictures of those that are flagged as interlaced; none for
    a progressive film. stream: its entry in media.json."""
    return ["bwdif=mode=send_frame:deint=interlaced"] if stream.get("field_order") else []


def whole(frame: VideoFrame) -> VideoFrame:
    """The frame; one of two fields as its first alone, the lines between filled in by what is
    around them."""
    return pyav.filtered(frame, "estdif", "mode=frame") if frame.interlaced_frame else frame
