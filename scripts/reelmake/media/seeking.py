"""Whether the pictures of a film are right that are decoded from a keyframe on.

Some decoders need what stands before the film's first frame only: of H.264 with the colors of
every pixel (4:4:4) by early versions of x264 the frames after any other keyframe are green and
gray. So where that may be, a keyframe is decoded both ways.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reelmake.editing import streams
from reelmake.media import film_frames, pieces, pyav
from reelmake.media.shown import picture

# The second keyframe is looked for among so many packets: encoders' longest default is 250.
PACKETS = 600
# The mean difference of two pictures that are one, of 255.
SAME = 2.0
# Pixels of the longest side at which they are compared.
SMALL = 64


def is_doubtful(media: Mapping[str, Any]) -> bool:
    """Whether it has to be tried. media: the content of media.json."""
    if media["video"] is None:
        return False
    stream = streams.video(media)
    usual = ("yuv420", "yuvj420", "gray")
    return stream["codec"] == "h264" and not (stream["pixel_format"] or "").startswith(usual)


def is_possible(path: Path, media: Mapping[str, Any]) -> bool:
    """Whether the second keyframe looks the same decoded by itself and from the beginning."""
    import numpy as np

    second = _second_keyframe(path, media)
    if second is None:
        return True
    stream = streams.video(media)
    end = second + 3 * film_frames.EPSILON
    with film_frames.of(path, media) as frames:
        alone = next(frames.between(second, end), None)
        if alone is None:
            return False
        found = picture(alone.frame, stream, SMALL)
    expected = None
    film = pieces.of(media)
    with film_frames.Frames(
        path, media["video"], media["start_time"], film=film, seekable=False
    ) as frames:
        for shown in frames.between(0.0, end):
            expected = shown
    if expected is None:
        return True
    difference = found.astype(float) - picture(expected.frame, stream, SMALL)
    return bool(np.abs(difference).mean() < SAME)


def _second_keyframe(path: Path, media: Mapping[str, Any]) -> float | None:
    """When the second keyframe is shown, seconds of film time."""
    found = 0
    with pyav.open_film(path, pieces.of(media)) as container:
        stream = container.streams[media["video"]]
        for number, packet in enumerate(pyav.packets(container, stream)):
            found += packet.is_keyframe and packet.pts is not None
            if found == 2 and packet.pts is not None and packet.time_base is not None:
                zero: float = media["start_time"]
                return film_frames.film_time(packet.pts, packet.time_base, zero)
            if number >= PACKETS:
                break
    return None
