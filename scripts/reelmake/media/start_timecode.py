"""The timecode with which a film begins, as its camera wrote it.

QuickTime and MP4 have it in a track of its own (`tmcd`), MXF in its material package, Matroska in
a tag; ffmpeg gives all of them as the tag `timecode`, of a stream or of the container. What a
codec hides in its pictures (SEI, GOP headers) is not looked for.
"""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from reelmake.editing import frame_rate, streams, timecode
from reelmake.editing.timecode import Timecode
from reelmake.media import boxes, pyav

TRACK = "moov/trak/mdia/minf/stbl/stsd/tmcd"
TAG = "timecode"


def read(path: Path, found: Mapping[str, Any]) -> Timecode | None:
    """The timecode of film time zero; None for a film that has none, or no pictures.

    found: media.json. A tag that is no timecode of the film's frame rate counts as none.
    Raises StageError for what can't be read.
    """
    average = streams.frame_rate(found)
    if not average:
        return None
    with pyav.open_film(path) as container:
        main = [stream for stream in container.streams if stream.index == found["video"]]
        data = [stream for stream in container.streams if stream.type == "data"]
        tags = [*(stream.metadata for stream in (*main, *data)), container.metadata]
        in_track = container.format.name.startswith("mov,")
    said = next((value for each in tags for value in _values(each)), None)
    if said is None:
        return None
    rate = _track_rate(path) if in_track else None
    return timecode.read(said, rate or _exact(average))


def _values(tags: Mapping[str, str]) -> list[str]:
    return [value for name, value in tags.items() if name.lower() == TAG]


def _exact(rate: float | Fraction) -> Fraction:
    near = frame_rate.nearest(rate)
    return near if frame_rate.is_near(near, rate) else Fraction(rate).limit_denominator(1001)


def _track_rate(path: Path) -> Fraction | None:
    """What a QuickTime track of timecode counts, frames per second: it may count every second
    frame of a film of 50 or 59.94 (QuickTime File Format, Timecode Sample Description)."""
    for box in boxes.boxes(path):
        if box.path == TRACK:
            entry = boxes.content(path, box)
            scale, duration = int.from_bytes(entry[16:20]), int.from_bytes(entry[20:24])
            frames = int.from_bytes(entry[24:25])
            if scale and duration and frames:
                rate = _exact(Fraction(scale, duration))
                return rate if round(rate) == frames else Fraction(frames)
    return None
