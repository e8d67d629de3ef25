"""What a container cuts off a film's pictures: Matroska's PixelCrop, the box `clap` of MP4.

Players show the rest. ffmpeg does from 7.1 on, its libraries do not.
"""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from reelmake.media import boxes, ebml
from reelmake.media.boxes import Box
from reelmake.media.pyav import InputContainer, VideoStream

# Matroska's elements: left, top, right, bottom.
PIXEL_CROP = (0x54CC, 0x54BB, 0x54DD, 0x54AA)
# Of a visual sample entry, before the boxes in it (ISO/IEC 14496-12, 12.1.3).
ENTRY = 78


class Crop(NamedTuple):
    """Pixels that are cut off the coded picture."""

    left: int
    top: int
    right: int
    bottom: int


def of(
    path: Path, container: InputContainer, stream: VideoStream, found: Sequence[Box]
) -> Crop | None:
    """Of a video stream of a file; None where nothing is cut off, or more than there is.

    found: the boxes of an MP4 file.
    """
    crop, size = None, (stream.codec_context.width, stream.codec_context.height)
    if container.format.name.startswith("mov,"):
        crop = _clean_aperture(path, found, stream.id, size)
    elif container.format.name == "matroska,webm":
        films = [other.index for other in container.streams if other.type == "video"]
        crop = _pixel_crop(path, films.index(stream.index))
    if crop is None or not any(crop) or min(crop) < 0:
        return None
    width, height = size[0] - crop.left - crop.right, size[1] - crop.top - crop.bottom
    return crop if width >= 2 and height >= 2 else None


def _pixel_crop(path: Path, number: int) -> Crop | None:
    """Of the track with this number among those of pictures."""
    tracks: list[dict[int, int]] = []
    for element in ebml.head(path):
        if element.id == ebml.VIDEO:
            tracks.append({})
        elif element.id in PIXEL_CROP and tracks:
            tracks[-1][element.id] = ebml.number(path, element)
    if number >= len(tracks):
        return None
    return Crop(*(tracks[number].get(side, 0) for side in PIXEL_CROP))


def _clean_aperture(
    path: Path, found: Sequence[Box], track: int, size: tuple[int, int]
) -> Crop | None:
    """By ISO/IEC 14496-12, 12.1.4: eight numbers, of which pairs are fractions: width, height, and
    how far its middle lies right of and below the picture's."""
    for other, box in boxes.sample_entries(path, found):
        entry = boxes.content(path, box)
        at = entry.find(b"clap", ENTRY)
        if other != track or at < 0 or len(entry) < at + 36:
            continue
        numbers = [
            int.from_bytes(entry[at + 4 * n : at + 4 * n + 4], signed=True) for n in range(1, 9)
        ]
        if min(numbers[1::2]) <= 0:
            return None
        wide, high, across, down = (
            Fraction(a, b) for a, b in zip(numbers[::2], numbers[1::2], strict=True)
        )
        left, top = (
            int((full - part) / 2 + off)
            for full, part, off in ((size[0], wide, across), (size[1], high, down))
        )
        return Crop(left, top, size[0] - left - int(wide), size[1] - top - int(high))
    return None
