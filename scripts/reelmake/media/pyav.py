"""What is in a media file, and frames of it by time. The only module that imports PyAV.

Film time zero is the container's start time, the earliest start of its streams, as
players and ffmpeg show it. Every time in every artifact is in seconds after it.
"""

import itertools
import math
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Self

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream

from reelmake.foundation.errors import StageError
from reelmake.library import sources

if TYPE_CHECKING:
    import numpy as np

# Timestamps of the same frame by two ways are equal to the microsecond of our JSON.
EPSILON = 1e-5
# Decoding on over this many seconds costs less than seeking and decoding from a keyframe.
NEAR = 2.0
# How many seconds before a time a seek is tried; None: read from the beginning.
SEARCHED = (0.0, 2.0, 10.0, 60.0, None)
PICTURES = Disposition.attached_pic | Disposition.timed_thumbnails
# Only local files: what is named .mp4 may be a playlist that names addresses.
OPTIONS = {"protocol_whitelist": "file"}
PLAYLISTS = {"concat", "hls", "dash", "imf"}


class Shown(NamedTuple):
    """A decoded frame and when it is first shown, in seconds of film time."""

    time: float
    frame: VideoFrame


def film_time(pts: int, time_base: Fraction, zero: float) -> float:
    """Seconds of film time of a timestamp; `zero` is the `start_time` of media.json.

    Rounds zero to the stream's ticks, as ffmpeg does when it shifts timestamps.
    """
    return float((pts - _shift(time_base, zero)) * time_base)


def ticks(time: float, time_base: Fraction, zero: float) -> int:
    """The timestamp of a film time, the reverse of `film_time`."""
    return round(Fraction(time) / time_base) + _shift(time_base, zero)


def _shift(time_base: Fraction, zero: float) -> int:
    return math.floor(Fraction(round(zero * 1_000_000), 1_000_000) / time_base + Fraction(1, 2))


def probe(path: Path) -> dict[str, Any]:
    """Container and streams of `path`, as in schemas/media.schema.json (less source, content).

    Raises StageError (`input`) for what is no whole, readable video or audio file.
    Reads the header, a first frame and the end; never the whole file.
    """
    with _open(path) as container:
        zero = round((container.start_time or 0) / 1_000_000, 6)
        duration = None if container.duration is None else container.duration / 1_000_000
        _refuse_truncated(path, container, zero, duration)
        streams = [
            _describe(container, stream, zero)
            for stream in container.streams
            if stream.type in ("video", "audio", "subtitle")
        ]
        films = [s for s in streams if s["type"] == "video" and not s["attached_picture"]]
        tracks = [s for s in streams if s["type"] == "audio"]
        if not films and not tracks:
            raise StageError(
                f"{path} has neither video nor audio in it: take it off the list, "
                "or replace it by the right file."
            )
        return {
            "container": container.format.name,
            "duration": None if duration is None else round(duration, 6),
            "start_time": zero,
            "bit_rate": container.bit_rate or None,
            "streams": streams,
            "video": _chosen(films),
            "audio": _chosen(tracks),
        }


class Frames:
    """Frames of one video stream by film time; seeks instead of decoding all that is before.

    Use as a context manager. Windows asked for in the order of time cost least.
    """

    def __init__(self, path: Path, index: int, zero: float, threads: int = 0) -> None:
        """index: of the stream; zero: start_time of media.json; threads: 0 is one a core."""
        self._path, self._index, self._zero, self._threads = path, index, zero, threads
        self._open()
        self._decoder: Iterator[Shown] = iter(())
        self._last: list[Shown] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._container.close()

    def between(self, start: float, end: float) -> Iterator[Shown]:
        """The frames on screen at some time in [start, end): the first may begin before it."""
        current = following = None
        try:
            for following in self._from(start):
                if current is not None and following.time > start + EPSILON:
                    yield current
                if following.time >= end - EPSILON:
                    return
                current = following
            if current is not None:
                yield current
        finally:
            self._last = [shown for shown in (current, following) if shown is not None]

    def times(self, start: float, end: float) -> tuple[float, list[int]]:
        """When frames are shown around [start, end), and where to seek to decode them all.

        Nothing is decoded. The times are the stream's own timestamps, in order: from a key frame
        that is on screen at `start` or before, or from the stream's first frame, to the last one
        before `end`, or a little more. The place to seek is in seconds of film time; 0: the
        beginning.
        """
        self._last, self._decoder = [], iter(())  # the position is lost
        for back in SEARCHED:
            if back is None or start - back <= 0 or not self._seek(start - back):
                self._container.close()
                self._open()
                back = None
            found = self._shown(start, end, anyway=back is None)
            if found is not None:
                return (0.0 if back is None else start - back), found
        raise AssertionError("the last round returns")

    def _shown(self, start: float, end: float, anyway: bool) -> list[int] | None:
        """The timestamps of what is read from here on, sorted; None where the first key frame,
        without which none decodes, comes after `start`. anyway: take it nevertheless."""
        found = set[int]()
        is_decodable = anyway
        try:
            for packet in self._container.demux(self._stream):
                # As in _decode: AVI has no presentation times.
                ticks = packet.dts if self._avi or packet.pts is None else packet.pts
                if ticks is None or packet.is_discard:
                    continue
                if not is_decodable and packet.is_keyframe:
                    if film_time(ticks, self._time_base, self._zero) > start + EPSILON:
                        return None
                    is_decodable = True
                if is_decodable:
                    found.add(ticks)
                # What comes later in the file is shown later than it is decoded.
                decoded = ticks if packet.dts is None else packet.dts
                if film_time(decoded, self._time_base, self._zero) >= end:
                    break
        except av.error.FFmpegError:  # damaged, or torn: what is there may do
            pass
        return sorted(found) if is_decodable else None

    def _from(self, start: float) -> Iterator[Shown]:
        """Frames from the one on screen at `start`, or an earlier one, on."""
        if self._last and self._last[0].time <= start + EPSILON < self._last[-1].time + NEAR:
            before = self._last
        else:
            before = self._sought(start)
        # Not `yield from`, which would close the decoder together with this window.
        for shown in before:
            yield shown
        for shown in self._decoder:
            yield shown

    def _sought(self, start: float) -> list[Shown]:
        # Containers seek by decoding time, to an inexact place (MPEG-TS), or not at all:
        # look where we landed, and go further back until it is early enough.
        for back in SEARCHED:
            if back is None or start - back <= 0 or not self._seek(start - back):
                self._container.close()
                self._open()
                back = None
            self._decoder = self._decode(0 if back is None else None)
            first = next(self._decoder, None)
            if back is None or (first is not None and first.time <= start + EPSILON):
                return [] if first is None else [first]
        raise AssertionError("the last round returns")

    def _seek(self, time: float) -> bool:
        try:
            ticks = round(Fraction(time + self._zero) / self._time_base)
            self._container.seek(ticks, stream=self._stream)
        except av.error.FFmpegError:
            return False
        return True

    def _open(self) -> None:
        self._container = _open(self._path)
        self._stream = self._container.streams[self._index]
        assert isinstance(self._stream, VideoStream)
        self._stream.thread_type = "AUTO"
        self._stream.thread_count = self._threads
        self._avi = self._container.format.name == "avi"
        self._time_base = self._stream.time_base or Fraction(1, 1_000_000)

    def _decode(self, following: int | None) -> Iterator[Shown]:
        """What decodes from here on; damaged packets are passed over.

        following: ticks of the next frame if it has no time of its own; None: unknown.
        """
        packets = self._container.demux(self._stream)
        rate = self._stream.average_rate or self._stream.base_rate or Fraction(25)
        step = max(1, round(1 / (rate * self._time_base)))
        while True:
            try:
                frames = next(packets).decode()
            except (StopIteration, av.error.EOFError):
                return
            except av.error.InvalidDataError:
                continue
            for frame in frames:
                assert isinstance(frame, VideoFrame)
                # AVI has no presentation times: PyAV gives none or guessed ones; the time of
                # the packet that released the frame is right, and what ffmpeg takes.
                ticks = frame.dts if self._avi or frame.pts is None else frame.pts
                if ticks is None:  # the last ones of an AVI, and raw streams
                    ticks = following
                if ticks is None:
                    continue
                following = ticks + (frame.duration or step)
                yield Shown(film_time(ticks, self._time_base, self._zero), frame)


def picture(shown: Shown, stream: dict[str, Any], longest: int) -> "np.ndarray":
    """The frame as people see it: BGR uint8, height x width x 3.

    stream: its entry in media.json, for rotation and pixel shape. The longest side is at
    most `longest` pixels; nothing is enlarged.
    """
    import numpy as np  # not for a probe, which needs no picture: 0.1 s in each job

    frame = shown.frame
    width, height = float(frame.width), float(frame.height)
    aspect = stream["pixel_aspect"]
    width, height = (width, height / aspect) if aspect >= 1 else (width * aspect, height)
    scale = min(1.0, longest / max(width, height))
    small = frame.reformat(
        width=max(1, round(width * scale)),
        height=max(1, round(height * scale)),
        format="bgr24",
        interpolation=Interpolation.AREA,
    )
    upright = np.rot90(small.to_ndarray(), -stream["rotation"] // 90)
    return np.ascontiguousarray(upright)


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
    except av.error.FFmpegError:  # nothing came; whoever runs ffmpeg knows why
        return
    with container:
        packets = container.demux(container.streams[0])
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.error.FFmpegError):  # torn: ffmpeg failed
                return
            if packet.size and packet.pts is not None:
                yield packet


def _open(path: Path) -> InputContainer:
    head = sources.head(path)
    if not head:
        raise StageError(f"{path} is empty (0 bytes): copy or download it again.")
    try:
        # `file:` and an absolute path: no name is taken for an option, a protocol or a pattern.
        address = f"file:{os.path.abspath(path)}"
        container: InputContainer = av.open(address, mode="r", options=OPTIONS)
    except av.error.FFmpegError as error:
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


def _refuse_truncated(
    path: Path, container: InputContainer, zero: float, duration: float | None
) -> None:
    size = path.stat().st_size
    end: float | None = None
    if container.format.name.startswith("mov,"):
        # Packets in fragments (no samples in the header: frames is 0) are not held to this:
        # being readable up to where it stops is what a fragmented recording is for.
        streams = [s for s in container.streams if s.frames and len(s.index_entries)]
        entries = [s.index_entries[len(s.index_entries) - 1] for s in streams]
        cut = any(entry.pos + entry.size > size for entry in entries)
    elif container.format.name in ("avi", "wav"):
        with path.open("rb") as file:
            declared = int.from_bytes(file.read(8)[4:], "little")
        cut = declared + 8 > size and declared < 0xFFFFFFF0  # all ones: written to a pipe
    elif container.format.name in ("matroska,webm", "flv", "asf") and duration:
        end = _last_time(container, zero, duration)
        cut = end < duration - max(2.0, 0.02 * duration)
    else:  # MPEG-TS, raw streams: their duration is what there is
        cut = False
    if cut:
        what = f"ends at {end:.0f} s of {duration:.0f} s" if end else "is shorter than it says"
        raise StageError(
            f"{path} {what}, like a download or copy that was cut off: get the whole file."
        )


def _last_time(container: InputContainer, zero: float, duration: float) -> float:
    """When the last packet ends (s of film time), found from near the end; 0 without any."""
    last = 0.0
    try:
        container.seek(round(max(0.0, zero + duration - 5) * 1_000_000))
        for packet in container.demux():
            ticks = packet.pts if packet.pts is not None else packet.dts
            if ticks is not None:
                end = (ticks + (packet.duration or 0)) * packet.time_base
                last = max(last, float(end) - zero)
    except av.error.FFmpegError:
        pass  # reading stops there
    return last


def _describe(container: InputContainer, stream: Stream, zero: float) -> dict[str, Any]:
    base = stream.time_base or Fraction(1, 1_000_000)
    entry: dict[str, Any] = {
        "index": stream.index,
        "type": stream.type,
        "codec": stream.codec_context.codec.canonical_name if stream.codec_context else None,
        "language": None if stream.language in (None, "und") else stream.language,
        "title": stream.metadata.get("title"),
        "default": bool(stream.disposition & Disposition.default),
        "time_base": f"{base.numerator}/{base.denominator}",
        "start_time": None
        if stream.start_time is None
        else round(film_time(stream.start_time, base, zero), 6),
        "duration": None if stream.duration is None else round(float(stream.duration * base), 6),
    }
    if isinstance(stream, VideoStream):
        context = stream.codec_context
        aspect = stream.sample_aspect_ratio
        entry |= {
            "width": context.width,
            "height": context.height,
            "rotation": 0 if stream.disposition & PICTURES else _rotation(container, stream),
            "pixel_aspect": round(float(aspect), 6) if aspect else 1.0,
            "fps_average": round(float(stream.average_rate), 6) if stream.average_rate else None,
            "fps_real": round(float(stream.base_rate), 6) if stream.base_rate else None,
            "pixel_format": context.pix_fmt,
            "bit_depth": context.format.components[0].bits if context.format else None,
            "frames": stream.frames or None,
            "attached_picture": bool(stream.disposition & PICTURES),
        }
    elif isinstance(stream, av.AudioStream):
        entry |= {
            "channels": stream.channels,
            "layout": stream.layout.name,
            "sample_rate": stream.sample_rate,
        }
    return entry


def _rotation(container: InputContainer, stream: VideoStream) -> int:
    """Degrees clockwise that turn the coded picture upright: 0, 90, 180 or 270."""
    # The display matrix of the header is only found on decoded frames in PyAV. A stream
    # of which nothing decodes is found out by the stages that need its frames.
    try:
        container.seek(container.start_time or 0)
        for packet in itertools.islice(container.demux(stream), 100):
            try:
                for frame in packet.decode():
                    assert isinstance(frame, VideoFrame)
                    return round(-frame.rotation / 90) * 90 % 360
            except av.error.InvalidDataError:
                continue
    except av.error.FFmpegError:
        pass
    return 0


def _chosen(streams: list[dict[str, Any]]) -> int | None:
    """The index of the first stream marked as default, or else of the first."""
    for stream in sorted(streams, key=lambda stream: not stream["default"]):
        return int(stream["index"])
    return None
