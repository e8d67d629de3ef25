"""Frames of a film by time, and how people see them."""

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from reelmake.media import pyav
from reelmake.media.pyav import VideoFrame, VideoStream

if TYPE_CHECKING:
    import numpy as np

# Timestamps of the same frame by two ways are equal to the microsecond of our JSON.
EPSILON = 1e-5
# Decoding on over this many seconds costs less than seeking and decoding from a keyframe.
NEAR = 2.0
# How many seconds before a time a seek is tried; None: read from the beginning.
SEARCHED = (0.0, 2.0, 10.0, 60.0, None)


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
        except pyav.FFmpegError:  # damaged, or torn: what is there may do
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
        except pyav.FFmpegError:
            return False
        return True

    def _open(self) -> None:
        self._container = pyav.open_film(self._path)
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
            except (StopIteration, pyav.EOFError):
                return
            except pyav.InvalidDataError:
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
        interpolation=pyav.Interpolation.AREA,
    )
    upright = np.rot90(small.to_ndarray(), -stream["rotation"] // 90)
    return np.ascontiguousarray(upright)
