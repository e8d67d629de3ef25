"""A film's time in frames of one constant rate, by which shots are cut.

Frame n is what is on screen `offset + n / rate` seconds after film time zero. Of a film of
constant frame rate these are its own frames.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from reelmake.editing import streams

# What cameras and broadcasters use. Files round these (23.976), and so does media.json.
NTSC = Fraction(1000, 1001)
RATES = tuple(Fraction(rate) for rate in (24, 25, 30, 48, 50, 60))
RATES += tuple(rate * NTSC for rate in RATES if rate % 25)
# The rate of the cuts where there are no pictures, or a handful: a slide show's have to fade.
NO_PICTURES = Fraction(25)
SLOWEST, FASTEST = 10, 60
# Phones write films of "60" frames a second with up to 61 on average.
TOLERANCE = 0.03
# What timestamps are off by, in frames: microseconds in JSON, half a millisecond in Matroska.
EPSILON = Fraction(1, 20)


@dataclass(frozen=True)
class Cadence:
    """rate: frames per second. frames: of the whole film, one at least. offset: when frame 0 is
    shown, seconds of film time, less than a frame: sound may begin a little before."""

    rate: Fraction
    frames: int
    offset: Fraction = Fraction(0)

    def frame(self, time: float) -> int:
        """The frame with which what comes at `time` (seconds of film time) begins.

        As ffmpeg's filter fps does: so no shot begins or ends with a frame of another scene,
        where frames come at uneven times, too.
        """
        return round((Fraction(time) - self.offset) * self.rate)

    def time(self, frame: int) -> Fraction:
        """When a frame is shown, seconds of film time."""
        return self.offset + frame / self.rate

    def at(self, rate: Fraction) -> "Cadence":
        """The same film at another rate."""
        return Cadence(rate, max(1, round(self.frames * rate / self.rate)), self.offset)


def cadence(media: Mapping[str, Any], scenes: Mapping[str, Any], otherwise: float) -> Cadence:
    """The film's, at its average frame rate, or an even part of that: 60 at most.

    media, scenes: media.json and scenes.json. A film with pictures lasts as long as they do.
    otherwise: how long it is (s) where the file does not say.
    """
    stream = None if media["video"] is None else streams.video(media)
    rate = NO_PICTURES if stream is None else _rate(stream["fps_average"], scenes["fps"])
    start = Fraction((stream and stream["start_time"]) or 0)
    offset = max(Fraction(0), start - math.floor(start * rate + EPSILON) / rate)
    length = otherwise if media["duration"] is None else media["duration"]
    if scenes["scenes"]:
        length = scenes["scenes"][-1]["end"]
    return Cadence(rate, max(1, round((Fraction(length) - offset) * rate)), offset)


def _rate(said: float | None, counted: float | None) -> Fraction:
    """What the file says counts, exactly, unless the frames that were counted belie it."""
    average = said or counted or 0.0
    if counted and abs(average / counted - 1) > 0.005:
        average = counted
    if average < SLOWEST:
        return NO_PICTURES
    average /= math.ceil(average / (FASTEST * (1 + TOLERANCE)))
    near = nearest(average)
    if is_near(near, average):
        return near
    return min(Fraction(average).limit_denominator(1001), Fraction(FASTEST))


def nearest(rate: float | Fraction) -> Fraction:
    """The one of `RATES` that is nearest, exactly: 24000/1001 for 23.976."""
    wanted = Fraction(rate)
    return min(RATES, key=lambda known: abs(known - wanted))


def countable(rate: Fraction) -> Fraction:
    """The one of `RATES` that counts each frame of a film of that rate, as 30 does for 15; the
    nearest where none does."""
    multiples = [known for known in RATES if is_near(round(known / rate) * rate, known)]
    return min(multiples, default=nearest(rate))


def is_near(known: Fraction, rate: float | Fraction) -> bool:
    """Whether a rate is one of `RATES` as files round it."""
    return abs(known / Fraction(rate) - 1) < 2e-4  # 23.976 and 24 are five times as far apart
