"""A piece cut out of a film, to the frame: which frames are in it, and ffmpeg's part.

`plan` looks up the frames; `inputs`, `pictures` and `sound` are what an ffmpeg command for one
piece, or for several, is made of; `encoder` ends it.

The source is decoded from the last key frame before the piece, so the cost does not depend on
where in the film it lies. It is opened twice: the sound is read from a second before, since
decoders need a run-up and files hold sound beside pictures of another time.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from reelmake import ffmpeg
from reelmake import media as films

Media = dict[str, Any]

SAMPLE_RATE = 48_000

# A cut is moved to the nearest frame, if that is within so many seconds: up to half a frame at
# 10 frames a second and more. In a picture that stays longer, as slides do, it is where it was
# asked for, and what is on screen there is shown from there.
SNAP = 0.05

RUN_UP = 1.0
"""Seconds before the piece from which on its sound is decoded."""


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


@dataclass(frozen=True)
class Shape:
    """Where a picture of `width` x `height` comes from: upright, `crop` out of the film's
    middle, then black borders up to the whole. All even, as yuv420p needs."""

    film: tuple[int, int]
    crop: tuple[int, int]
    width: int
    height: int


def plan(frames: films.Frames | None, media: Media, start: float, end: float) -> Cut:
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
    times = [films.film_time(each, base, zero) for each in ticks]
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
        until = bisect_left(times, end - films.EPSILON)
    else:
        end = times[until]
    if at >= min(until, len(ticks)):
        return Cut(start, end)
    return Cut(
        start=start,
        end=end,
        first=ticks[at],
        after=ticks[until] if until < len(ticks) else None,
        zero=films.ticks(start, base, zero),
        last=times[until - 1],
        # A microsecond more than the frame's time: ffmpeg's is rounded down to one.
        seek=seek and min(seek, start) + 1e-6,
    )


def _nearest(times: list[float], time: float) -> int | None:
    """The index of the time nearest to `time`; None where none is within SNAP."""
    at = min(range(len(times)), key=lambda index: abs(times[index] - time))
    return at if abs(times[at] - time) <= SNAP + films.EPSILON else None


def inputs(source: Path, media: Media, cut: Cut, threads: int = 0) -> list[str]:
    """ffmpeg's arguments for the inputs of a piece: one for its pictures and one for its sound,
    as far as it has them. threads: for decoding; 0 is one a core."""
    starts = [cut.seek] if cut.first is not None else []
    if media["audio"] is not None:
        starts.append(max(0.0, cut.start - RUN_UP))
    arguments = []
    for start in starts:
        # Film time plus the container's start: ffmpeg adds it. All that is decoded comes to the
        # filters, which know better where to cut.
        arguments += ["-noaccurate_seek", *(("-ss", f"{start:.6f}") if start else ())]
        arguments += ["-threads", str(threads), "-protocol_whitelist", "file"]
        arguments += ["-i", ffmpeg.address(source)]
    return arguments


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


def sound(media: Media, cut: Cut, number: int = 1) -> str:
    """The filters from input `number` to the piece's sound, exactly as long as it is; without a
    label. 48 kHz, mono or stereo; silence where the source has none."""
    index, length = media["audio"], f"{cut.duration:.6f}"
    zero = media["start_time"] + cut.start
    return ",".join(
        [
            f"[{number}:{index}]asetpts=PTS-round({zero:.6f}/TB)",
            f"atrim=start=0:end={length}",
            # As in ffmpeg.extract_audio: late sound and gaps become silence.
            f"aresample={SAMPLE_RATE}:async=1:first_pts=0:min_hard_comp={ffmpeg.GAP}",
            "aformat=channel_layouts=mono|stereo",
            f"apad=whole_dur={length}",
            f"atrim=end={length}",
        ]
    )


def encoder(media: Media, codec: str, crf: int, preset: str, threads: int = 0) -> list[str]:
    """ffmpeg's arguments for an output of H.264 or H.265 (libx264, libx265) and AAC in MP4.

    The same input gives the same bytes, with the same number of threads. Nothing of the
    source's metadata is in it.
    """
    arguments = ["-map_metadata", "-1", "-map_chapters", "-1", "-movflags", "+faststart"]
    arguments += ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"]
    arguments += ["-c:a", "aac", "-b:a", "160k"]
    if media["video"] is None:
        return arguments
    arguments += ["-c:v", codec, "-crf", str(crf), "-preset", preset, "-threads:v", str(threads)]
    # Else frames are dropped and doubled to a constant rate, and times rounded to it.
    base = _time_base(media)
    arguments += ["-fps_mode", "passthrough"]
    arguments += ["-enc_time_base:v", f"{base.numerator}:{base.denominator}"]
    if codec == "libx265":
        pools = f":pools={threads}" if threads else ""
        # Apple's players take no other tag.
        arguments += ["-tag:v", "hvc1", "-x265-params", f"log-level=error{pools}"]
    return arguments


def shape(media: Media, aspect: str | None = None, fit: str = "crop") -> Shape:
    """The picture of the main video in another shape.

    aspect: such as 9:16, of what is seen (pixels may not be square); None: the film's own.
    fit: `crop` its middle or `pad` it.
    """
    stream = video(media)
    width, height, pixel = stream["width"], stream["height"], stream["pixel_aspect"]
    if stream["rotation"] % 180:
        width, height, pixel = height, width, 1 / pixel
    film = width, height
    wide, high = _even(width), _even(height)
    if aspect is None:
        return Shape(film, (wide, high), wide, high)
    across, down = map(int, aspect.split(":"))
    ratio = across / down / pixel  # of the pixels' numbers
    if fit == "crop":
        crop = min(wide, _nearest_even(high * ratio)), min(high, _nearest_even(wide / ratio))
        return Shape(film, crop, *crop)
    padded = max(wide, _nearest_even(high * ratio)), max(high, _nearest_even(wide / ratio))
    return Shape(film, (wide, high), *padded)


def video(media: Media) -> dict[str, Any]:
    """The entry of the main video in media.json."""
    stream: dict[str, Any] = next(s for s in media["streams"] if s["index"] == media["video"])
    return stream


def _even(length: int) -> int:
    return max(2, length // 2 * 2)


def _nearest_even(length: float) -> int:
    return max(2, round(length / 2) * 2)


def _time_base(media: Media) -> Fraction:
    return Fraction(video(media)["time_base"])
