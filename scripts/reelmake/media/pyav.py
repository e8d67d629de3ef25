"""Media files and pipes as PyAV opens them. The only module that imports PyAV.

What is read of them stands in `probing` and `film_frames`, which take PyAV's names from here.
"""

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import av
from av import AudioStream
from av.container import InputContainer
from av.error import EOFError, FFmpegError, InvalidDataError
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream

from reelmake.foundation.errors import StageError
from reelmake.library import sources

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "AudioStream",
    "Disposition",
    "EOFError",
    "FFmpegError",
    "InputContainer",
    "Interpolation",
    "InvalidDataError",
    "Stream",
    "VideoFrame",
    "VideoStream",
    "open_film",
    "raw_frames",
    "raw_sound",
]

# Only local files: what is named .mp4 may be a playlist that names addresses.
OPTIONS = {"protocol_whitelist": "file"}
PLAYLISTS = {"concat", "hls", "dash", "imf"}


def open_film(path: Path) -> InputContainer:
    """The container of a file, opened for reading.

    Raises StageError (`input`) for what is no media file, or is a list of others.
    """
    head = sources.head(path)
    if not head:
        raise StageError(f"{path} is empty (0 bytes): copy or download it again.")
    try:
        # `file:` and an absolute path: no name is taken for an option, a protocol or a pattern.
        address = f"file:{os.path.abspath(path)}"
        container: InputContainer = av.open(address, mode="r", options=OPTIONS)
    except FFmpegError as error:
        if head[4:8] == b"ftyp":
            raise StageError(
                f"{path} has no readable index (moov), like a recording or download that was "
                "cut off: get the whole file, or repair it."
            ) from None
        cause = "no known media format" if isinstance(error, ValueError) else error.strerror
        raise StageError(
            f"{path} is not a video or audio file ({cause}): replace it, or take it off the list."
        ) from None
    if container.format.name in PLAYLISTS:
        container.close()
        raise StageError(
            f"{path} is a list of other files ({container.format.name}), which may change behind "
            "its back: name those instead, or join them into one file."
        )
    return container


def raw_frames(pipe: IO[bytes]) -> Iterator[tuple[int, Fraction, "np.ndarray"]]:
    """(pts, time base, BGR uint8 array H x W x 3) of a NUT stream of raw bgr24 video."""
    import numpy as np

    for packet in _packets(pipe):
        stream = packet.stream
        assert isinstance(stream, VideoStream)
        image = np.frombuffer(memoryview(packet), np.uint8).reshape(stream.height, stream.width, 3)
        yield packet.pts or 0, packet.time_base, image


def raw_sound(pipe: IO[bytes], rate: int) -> Iterator[tuple[int, bytes]]:
    """(number of the first sample, samples) of a NUT stream of PCM; number 0 is at time 0."""
    for packet in _packets(pipe):
        yield round((packet.pts or 0) * packet.time_base * rate), bytes(packet)


def _packets(pipe: IO[bytes]) -> Iterator["Packet[Any]"]:
    """Those of the first stream of NUT that are whole and have a time."""
    # A frame of 256 x 144 has 108 KiB; the default buffer would ask Python 4 times for it.
    try:
        container = av.open(pipe, mode="r", format="nut", buffer_size=1 << 20)
    except FFmpegError:  # nothing came; whoever runs ffmpeg knows why
        return
    with container:
        packets = container.demux(container.streams[0])
        while True:
            try:
                packet = next(packets)
            except (StopIteration, FFmpegError):  # torn: ffmpeg failed
                return
            if packet.size and packet.pts is not None:
                yield packet
