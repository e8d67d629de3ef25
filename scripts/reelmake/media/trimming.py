"""Cuts a piece out of a film, to the frame: which frames are in it, and how ffmpeg is told.

`plan` looks up the frames; `reading` and `pictures` are what an ffmpeg command for one piece is
made of; `soundtrack` has its sound.

The source is decoded from the last key frame before the piece, so the cost does not depend on
where in the film it lies.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from reelmake.editing.picture_geometry import Shape
from reelmake.editing.streams import Media, video
from reelmake.media import ffmpeg, film_frames

# A cut is moved to the nearest frame, if that is within so many seconds: up to half a frame at
# 10 frames a second and more. In a picture that stays longer, as slides do, it is where it was
# asked for, and what is on screen there is shown from there.
SNAP = 0.05


@dataclass(frozen=True)
class Cut:
    """A piece of a film, and its frames.

    start, end: seconds of film time, at frames where there are any.
    first: timestamp of its first frame; after: that of the first frame that is not in it any
    more, None at the film's end; zero: that of `start`. All in ticks of the main video stream;
    first is None where the piece has no picture.
    last: when its last frame is shown, seconds of film time.
    seek: where in the film its decoding begins, seconds of film time.
    """

    start: float
    end: float
    first: int | None = None
    after: int | None = None
    zero: int = 0
    last: float = 0.0
    seek: float = 0.0

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.end - self.start

    def earlier(self, seconds: float) -> "Cut":
        """The same piece, decoded from so much further back."""
        return replace(self, seek=max(0.0, self.seek - seconds))


def plan(frames: film_frames.Frames | None, media: Media, start: float, end: float) -> Cut:
    """The frames of [start, end), seconds of film time; each end at the frame nearest to it.

    So the first frame is the first whose time is at least `start` less half a frame, the last
    is the last before `end` less half a frame; see SNAP for those that last long.
    frames: of the main video; None for a film without one. Nothing is decoded.
    """
    if media["duration"] is not None:
        end = min(end, max(media["duration"], start + SNAP))
    if frames is None:
        return Cut(start, end)
    seek, ticks = frames.times(start, end + SNAP)
    base, zero = _time_base(media), media["start_time"]
    times = [film_frames.film_time(each, base, zero) for each in ticks]
    if not times:
        return Cut(start, end)
    if times[-1] < end:  # the pictures end: so does the last of them, as long as the one before
        length = times[-1] - times[-2] if len(times) > 1 else 0.0
        times.append(times[-1] + length)
    at = _nearest(times, start)
    if at is None:
        at = max(0, bisect_right(times, start) - 1)  # the one on screen, or the film's first
    else:
        start = times[at]
    until = _nearest(times, end)
    if until is None or until <= at:
        until = bisect_left(times, end - film_frames.EPSILON)
    else:
        end = times[until]
    if at >= min(until, len(ticks)):
        return Cut(start, end)
    return Cut(
        start=start,
        end=end,
        first=ticks[at],
        after=ticks[until] if until < len(ticks) else None,
        zero=film_frames.ticks(start, base, zero),
        last=times[until - 1],
        # A microsecond more than the frame's time: ffmpeg's is rounded down to one.
        seek=seek and min(seek, start) + 1e-6,
    )


def _nearest(times: list[float], time: float) -> int | None:
    """The index of the time nearest to `time`; None where none is within SNAP."""
    at = min(range(len(times)), key=lambda index: abs(times[index] - time))
    return at if abs(times[at] - time) <= SNAP + film_frames.EPSILON else None


def reading(source: Path, cut: Cut, threads: int = 0) -> list[str]:
    """ffmpeg's arguments for the input of a piece's pictures. threads: for decoding; 0 is one a
    core."""
    return [
        # Film time plus the container's start: ffmpeg adds it. All that is decoded comes to the
        # filters, which know better where to cut.
        *("-noaccurate_seek", *(("-ss", f"{cut.seek:.6f}") if cut.seek else ())),
        # A broadcast may change its size on the way, which must not begin the sound again.
        *("-reinit_filter:v", "0", "-threads", str(threads)),
        *ffmpeg.reading(source),
    ]


def pictures(media: Media, cut: Cut, shape: Shape, number: int = 0) -> str:
    """The filters from input `number` to the piece's pictures, which begin at 0; without a label.

    Their times are the source's, in its ticks, so any frame rate stays what it is; the first
    is shown from the beginning. Upright, in 8 bits; pixels are neither scaled nor made square.
    """
    index = media["video"]
    until = "" if cut.after is None else f":end_pts={cut.after}"
    chain = [
        f"[{number}:{index}]trim=start_pts={cut.first}{until}",
        f"setpts='if(lte(PTS,{cut.first}),0,PTS-{cut.zero})'",
        # A broadcast recording may change its size on the way. Else this does nothing.
        "scale={}:{}".format(*shape.film),
    ]
    if shape.crop != shape.film:
        chain.append("crop={}:{}".format(*shape.crop))
    if shape.crop != (shape.width, shape.height):
        chain.append(f"pad={shape.width}:{shape.height}:-1:-1")
    return ",".join([*chain, "format=yuv420p"])


def keeping_times(media: Media) -> list[str]:
    """ffmpeg's arguments for an output whose pictures have the times of the source's: else they
    are dropped and doubled to a constant rate, and times rounded to it."""
    base = _time_base(media)
    return ["-fps_mode", "passthrough", "-enc_time_base:v", f"{base.numerator}:{base.denominator}"]


def _time_base(media: Media) -> Fraction:
    return Fraction(video(media)["time_base"])
