"""Frames of a film by time."""

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from reelmake.editing import streams
from reelmake.media import pieces, pyav
from reelmake.media.pieces import Piece
from reelmake.media.pyav import PictureType, VideoFrame, VideoStream

# Timestamps of the same frame by two ways are equal to the microsecond of our JSON.
EPSILON = 1e-5
# Decoding on over this many seconds costs less than seeking and decoding from a keyframe.
NEAR = 2.0
# How many seconds before a time a seek is tried, before the film is read from its beginning.
SEARCHED = (0.0, 2.0, 10.0, 60.0)
# The types of frames that need no other to be decoded; of some codecs it is not known.
INTRA = (PictureType.NONE, PictureType.I, PictureType.SI)


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


def of(source: Path, media: Mapping[str, Any], threads: int = 0) -> "Frames":
    """Those of a film's main video. media: media.json. threads: for decoding; 0 is one a core."""
    film, trusted = pieces.of(media), streams.video(media).get("seekable", True)
    return Frames(source, media["video"], media["start_time"], threads, film, trusted)


class Frames:
    """Frames of one video stream by film time; seeks instead of decoding all that is before.

    Use as a context manager. Windows asked for in the order of time cost least.
    What a container calls a keyframe is looked at: where it is none, and other pictures would be
    wrong that are decoded from there, the film is read from its beginning instead, once for
    windows in the order of time.
    """

    def __init__(
        self,
        path: Path,
        index: int,
        zero: float,
        threads: int = 0,
        film: Sequence[Piece] = (),
        seekable: bool = True,
    ) -> None:
        """index: of the stream; zero, film: start_time and pieces of media.json; threads: 0 is one
        a core; seekable: whether its keyframes may be trusted."""
        self._path, self._index, self._zero, self._threads = path, index, zero, threads
        self._film = film
        self._open()
        self._trusted = seekable and not self._raw
        self._decoder: Iterator[Shown] = iter(())
        self._last: list[Shown] = []
        self._key: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._container.close()

    @property
    def color(self) -> pyav.Color:
        """What the stream says of its colors."""
        assert isinstance(self._stream, VideoStream)
        return pyav.color(self._stream)

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
        for back in self._places():
            if self._trusted and start - back > 0 and self._seek(start - back):
                found = self._shown(start, end, anyway=False)
                if found is not None and self._seek(start - back) and self._landed():
                    return start - back, found
        self._reopen()
        found = self._shown(start, end, anyway=True) or []
        self._reopen()
        first = next(self._decode(0), None)
        if first is None or self._avi:  # AVI's frames come later than their packets
            return 0.0, found
        # What comes before it can't be decoded: a recording may begin between two keyframes.
        return 0.0, [ticks for ticks in found if self._time(ticks) > first.time - EPSILON]

    def count(self, start: float, end: float) -> int:
        """How many frames are first shown in [start, end). Nothing is decoded but a frame."""
        _, found = self.times(start, end)
        return sum(start - EPSILON <= self._time(ticks) < end - EPSILON for ticks in found)

    def _shown(self, start: float, end: float, anyway: bool) -> list[int] | None:
        """The timestamps of what is read from here on, sorted; None where the first key frame,
        without which none decodes, comes after `start`. anyway: take it nevertheless."""
        found = set[int]()
        is_decodable = anyway
        # Where the file is torn, what is there may do.
        for packet in pyav.packets(self._container, self._stream):
            # As in _decode: AVI has no presentation times.
            ticks = packet.dts if self._avi or packet.pts is None else packet.pts
            if self._raw and packet.size:
                ticks = len(found) * self._step()
            if ticks is None or packet.is_discard:
                continue
            if not is_decodable and packet.is_keyframe:
                if self._time(ticks) > start + EPSILON:
                    return None
                is_decodable = True
            if is_decodable:
                found.add(ticks)
            # What comes later in the file is shown later than it is decoded.
            decoded = ticks if packet.dts is None or self._raw else packet.dts
            if self._time(decoded) >= end:
                break
        return sorted(found) if is_decodable else None

    def _from(self, start: float) -> Iterator[Shown]:
        """Frames from the one on screen at `start`, or an earlier one, on."""
        near = self._last and (not self._trusted or start + EPSILON < self._last[-1].time + NEAR)
        if near and self._last[0].time <= start + EPSILON:
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
        for back in self._places():
            if self._trusted and start - back > 0 and self._seek(start - back):
                landed = self._landed()
                if landed and landed[0].time <= start + EPSILON:
                    return landed
        self._reopen()
        self._decoder = self._decode(0)
        return []

    def _places(self) -> tuple[float, ...]:
        """How many seconds before a time a seek is tried, in turn."""
        # In MPEG-PS the first frames after a seek may get each other's times.
        return SEARCHED[2:] if self._container.format.name == "mpeg" else SEARCHED

    def _landed(self) -> list[Shown]:
        """The first frames that decode after a seek, up to the keyframe; none where there is none.

        Where the container lied, and that is no keyframe, it is not believed any more.
        """
        self._key = None
        self._decoder = self._decode(None)
        landed: list[Shown] = []
        for shown in self._decoder:
            landed.append(shown)
            if self._key is None or shown.time >= self._key - EPSILON:
                break
        if landed and landed[-1].frame.pict_type not in INTRA:
            self._trusted = False
            return []
        return landed

    def _seek(self, time: float) -> bool:
        try:
            ticks = round(Fraction(time + self._zero) / self._time_base)
            self._container.seek(ticks, stream=self._stream)
        except pyav.FFmpegError:
            return False
        return True

    def _step(self) -> int:
        """Ticks between two frames, about."""
        rate = self._stream.average_rate or self._stream.base_rate or Fraction(25)
        return max(1, round(1 / (rate * self._time_base)))

    def _time(self, ticks: int) -> float:
        return film_time(ticks, self._time_base, self._zero)

    def _reopen(self) -> None:
        self._container.close()
        self._open()

    def _open(self) -> None:
        self._container = pyav.open_film(self._path, self._film)
        self._stream = self._container.streams[self._index]
        assert isinstance(self._stream, VideoStream)
        self._stream.thread_type = "AUTO"
        self._stream.thread_count = self._threads
        self._avi = self._container.format.name == "avi"
        self._raw = bool(self._container.format.flags & pyav.UNTIMED)
        self._time_base = self._stream.time_base or Fraction(1, 1_000_000)

    def _decode(self, following: int | None) -> Iterator[Shown]:
        """What decodes from here on; damaged packets are passed over.

        following: ticks of the next frame if it has no time of its own; None: unknown, after a
        seek, when nothing is decoded before a keyframe.
        """
        is_decodable = following is not None
        step = self._step()
        for packet in pyav.packets(self._container, self._stream):
            if not is_decodable and packet.size:
                if not packet.is_keyframe:
                    continue
                is_decodable, ticks = True, packet.pts
                if self._avi or ticks is None:
                    ticks = packet.dts
                self._key = None if ticks is None else self._time(ticks)
            for frame in pyav.decoded(packet):
                # AVI has no presentation times: PyAV gives none or guessed ones; the time of
                # the packet that released the frame is right, and what ffmpeg takes.
                ticks = frame.dts if self._avi or frame.pts is None else frame.pts
                if ticks is None or self._raw:  # the last ones of an AVI
                    ticks = following
                if ticks is None:
                    continue
                following = ticks + (step if self._raw else frame.duration or step)
                yield Shown(film_time(ticks, self._time_base, self._zero), frame)
