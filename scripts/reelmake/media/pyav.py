"""Media files and pipes as PyAV opens them. The only module that imports PyAV.

What is read of them stands in `probing` and `film_frames`, which take PyAV's names from here.
"""

import os
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import av
import av.filter
from av import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream

from reelmake.foundation.errors import StageError
from reelmake.library import sources
from reelmake.media import pieces, refusals
from reelmake.media.pieces import Piece

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "MATRICES",
    "UNSPECIFIED",
    "AudioStream",
    "Color",
    "Disposition",
    "FFmpegError",
    "InputContainer",
    "Interpolation",
    "PictureType",
    "Stream",
    "VideoFrame",
    "VideoStream",
    "color",
    "decoded",
    "display_matrix",
    "filtered",
    "open_film",
    "open_piece",
    "packets",
    "raw_frames",
    "raw_sound",
]

# Only local files: what is named .mp4 may be a playlist that names addresses.
OPTIONS = {"protocol_whitelist": "file"}
# Phones write titles in Latin-1, and damaged files anything.
METADATA = "replace"

UNTIMED = 0x80
"""ffmpeg's flag of raw streams (AVFMT_NOTIMESTAMPS): their frames have no times but are counted."""
PLAYLISTS = {"concat", "hls", "dash", "imf"}


MATRICES = {"bt709": "ITU709", "bt470bg": "ITU601", "smpte170m": "ITU601"}
"""What PyAV calls the matrices of ffmpeg's filters."""

UNSPECIFIED = 2
"""Of a matrix, primaries and transfer in ITU-T H.273: the film does not say."""


class Color(NamedTuple):
    """What a video stream says of its colors: whether they are RGB, and whether it says its
    matrix, its primaries and its transfer."""

    is_rgb: bool
    has_matrix: bool
    has_primaries: bool
    has_transfer: bool


def open_film(path: Path, film: Sequence[Piece] = ()) -> InputContainer:
    """The container of a file, opened for reading.

    film: the pieces of a joined recording, which are read as one film.

    Raises StageError (`input`) for what is no media file, or is a list of others.
    """
    head = sources.head(path)
    if not head:
        raise StageError(f"{path} is empty (0 bytes): copy or download it again.")
    try:
        if film:
            address = pieces.address(path, film)
            joined: InputContainer = av.open(
                address,
                mode="r",
                format=pieces.FORMAT,
                options=pieces.OPTIONS,
                metadata_errors=METADATA,
            )
            return joined
        # `file:` and an absolute path: no name is taken for an option, a protocol or a pattern.
        address = f"file:{os.path.abspath(path)}"
        container: InputContainer = av.open(
            address, mode="r", options=OPTIONS, metadata_errors=METADATA
        )
    except FFmpegError:
        raise refusals.unreadable(path, head) from None
    if container.format.name in PLAYLISTS:
        container.close()
        raise StageError(
            f"{path} is a list of other files ({container.format.name}), which may change behind "
            "its back: name those instead, or join them into one file."
        )
    return container


def open_piece(path: Path, piece: Piece) -> InputContainer:
    """One of a joined recording, with its own clock. Raises FFmpegError."""
    address = pieces.part(path, piece)
    container: InputContainer = av.open(
        address, mode="r", options=pieces.OPTIONS_OF_ONE, metadata_errors=METADATA
    )
    return container


def packets(container: InputContainer, *streams: Stream) -> Iterator["Packet[Any]"]:
    """Those of the streams, from here on, up to where the file ends or is torn; at its end an
    empty one of each."""
    while True:
        try:
            yield from container.demux(*streams)
        except IndexError:  # a stream begins of which nothing was known when the file was opened
            continue
        except FFmpegError:
            pass
        return


def decoded(packet: "Packet[Any]") -> list[VideoFrame]:
    """The frames that a packet of pictures releases; none where it is damaged."""
    try:
        return [frame for frame in packet.decode() if isinstance(frame, VideoFrame)]
    except FFmpegError:  # whatever a decoder makes of it, "Operation not permitted" among it
        return []


def display_matrix(frame: VideoFrame) -> bytes | None:
    """The nine 32-bit numbers that say how a frame is turned; None where it is shown as it is."""
    side_data: Any = frame.side_data  # by name, whatever its stub says
    try:
        return bytes(side_data["DISPLAYMATRIX"])
    except KeyError:
        return None


def color(stream: VideoStream) -> Color:
    """What a stream says of its colors."""
    context = stream.codec_context
    form = context.format
    is_rgb = form is not None and (form.is_rgb or form.has_palette)
    return Color(
        is_rgb,
        context.colorspace != UNSPECIFIED,
        context.color_primaries != UNSPECIFIED,
        context.color_trc != UNSPECIFIED,
    )


def filtered(frame: VideoFrame, name: str, options: str) -> VideoFrame:
    """The frame as one of ffmpeg's filters makes it."""
    graph = av.filter.Graph()
    graph.link_nodes(
        graph.add_buffer(
            width=frame.width,
            height=frame.height,
            format=frame.format,
            time_base=Fraction(1, 1000),
        ),
        graph.add(name, options),
        graph.add("buffersink"),
    ).configure()
    graph.push(frame)
    graph.push(None)
    made: VideoFrame = graph.pull()
    return made


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
        container = av.open(
            pipe, mode="r", format="nut", buffer_size=1 << 20, metadata_errors=METADATA
        )
    except FFmpegError:  # nothing came; whoever runs ffmpeg knows why
        return
    with container:
        # Torn, where ffmpeg failed: whoever runs it knows.
        for packet in packets(container, container.streams[0]):
            if packet.size and packet.pts is not None:
                yield packet
