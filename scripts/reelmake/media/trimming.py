"""Cuts a piece out of a film, to the frame: which frames are in it, and how ffmpeg is told.

`plan` looks up the frames; `reading` and `pictures` are what an ffmpeg command for one piece is
made of; `soundtrack` has its sound.

The source is decoded from the last key frame before the piece, so the cost does not depend on
where in the film it lies.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from reelmake.editing.picture_geometry import Shape
from reelmake.editing.streams import Media, frame_rate, video
from reelmake.media import ffmpeg, film_frames, shown
from reelmake.media.pyav import Color

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
    hold: how long that stays, seconds, where frames come at uneven times; else 0.
    seek: where in the film its decoding begins, seconds of film time.
    """

    start: float
    end: float
    first: int | None = None
    after: int | None = None
    zero: int = 0
    last: float = 0.0
    hold: float = 0.0
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
    at = _nearest(times, start)
    if at is None:
        # The one on screen, which stays when the pictures end before the sound; or the first.
        at = max(0, bisect_right(times, start) - 1)
    else:
        start = times[at]
    if times[-1] < end:  # the pictures end: no frame, but a place to cut
        length = times[-1] - times[-2] if len(times) > 1 else 0.0
        times.append(max(times[-1] + length, _end(media)))
    until = _nearest(times, end)
    if until is None or until <= at:
        until = bisect_left(times, end - film_frames.EPSILON)
    else:
        end = times[until]
    until = min(until, len(ticks))
    if at >= until:
        return Cut(start, end)
    shown = [start, *times[at + 1 : until], end]
    usual = 1 / (frame_rate(media) or 25.0)
    uneven = any(abs(b - a - usual) > SNAP for a, b in pairwise(shown))
    return Cut(
        start=start,
        end=end,
        first=ticks[at],
        after=ticks[until] if until < len(ticks) else None,
        zero=film_frames.ticks(start, base, zero),
        last=times[until - 1],
        hold=end - max(start, times[until - 1]) if uneven else 0.0,
        # A microsecond more than the frame's time: ffmpeg's is rounded down to one.
        seek=seek and min(seek, start) + 1e-6,
    )


def _nearest(times: list[float], time: float) -> int | None:
    """The index of the time nearest to `time`; None where none is within SNAP."""
    at = min(range(len(times)), key=lambda index: abs(times[index] - time))
    return at if abs(times[at] - time) <= SNAP + film_frames.EPSILON else None


def reading(source: Path, media: Media, cut: Cut, threads: int = 0) -> list[str]:
    """ffmpeg's arguments for the input of a piece's pictures. threads: for decoding; 0 is one a
    core."""
    return [
        # All that is decoded comes to the filters, which know better where to cut.
        *("-noaccurate_seek", *(ffmpeg.seek(media, cut.seek) if cut.seek else ())),
        # A broadcast may change its size on the way, which must not begin the sound again.
        *("-reinit_filter:v", "0", "-noautorotate", "-threads", str(threads)),
        *ffmpeg.reading(source, media),
    ]


def pictures(media: Media, cut: Cut, shape: Shape, color: Color, keep_hdr: bool = False) -> str:
    """The filters from the first input to the piece's pictures, which begin at 0; without a label.

    Their times are the source's, in its ticks, so any frame rate stays what it is; the first
    is shown from the beginning. As `shown.filters` has them, in 8 bits, but PQ and HLG that are
    kept in 10; pixels are neither scaled nor made square.
    """
    index = media["video"]
    until = "" if cut.after is None else f":end_pts={cut.after}"
    chain = [
        f"[0:{index}]trim=start_pts={cut.first}{until}",
        f"setpts='if(lte(PTS,{cut.first}),0,PTS-{cut.zero})'",
        *shown.filters(video(media), color, keep_hdr),
        # A broadcast recording may change its size on the way. Else this does nothing.
        "scale={}:{}".format(*shape.film),
    ]
    if shape.crop != shape.film:
        chain.append("crop={}:{}".format(*shape.crop))
    if shape.crop != (shape.width, shape.height):
        chain.append(f"pad={shape.width}:{shape.height}:-1:-1")
    is_hdr = keep_hdr and video(media).get("hdr")
    return ",".join([*chain, "format=yuv420p10le" if is_hdr else "format=yuv420p"])


def keeping_times(media: Media) -> list[str]:
    """ffmpeg's arguments for an output whose pictures have the times of the source's: else they
    are dropped and doubled to a constant rate, and times rounded to it."""
    base = _time_base(media)
    return ["-fps_mode", "passthrough", "-enc_time_base:v", f"{base.numerator}:{base.denominator}"]


def holding(media: Media, cut: Cut) -> list[str]:
    """ffmpeg's arguments for an output of frames at uneven times, whose last one stays as long as
    in the source, or, where the film's sound goes on after its pictures, until the end. Else each
    stays as long as the next is decoded later.
    """
    if not cut.hold:
        return []
    base = _time_base(media)
    last = max(0, film_frames.ticks(cut.last, base, media["start_time"]) - cut.zero)
    length = max(1, round(cut.hold / base))
    times = f"pts=PTS:dts=DTS:duration=if(gte(PTS\\,{last})\\,{length}\\,DURATION)"
    # Without B-frames they are decoded in the order and at the times at which they are shown.
    return ["-bf", "0", "-bsf:v", f"setts={times}"]


def _end(media: Media) -> float:
    """When the pictures end, by media.json: seconds of film time."""
    stream = video(media)
    return (stream["start_time"] or 0.0) + (stream["duration"] or 0.0)


def _time_base(media: Media) -> Fraction:
    return Fraction(video(media)["time_base"])
