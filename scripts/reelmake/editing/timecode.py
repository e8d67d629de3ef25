"""SMPTE timecode (ST 12-1): the label of a frame, hours:minutes:seconds:frames.

At 29.97 and 59.94 it may be drop-frame: each minute but every tenth leaves out its first two
(four) numbers, so that an hour of labels is an hour. No frame is left out.
"""

import re
from fractions import Fraction
from typing import NamedTuple

# ffmpeg writes the last separator of drop-frame as ; and others as . or ,
_FORM = re.compile(r"([01]\d|2[0-3]):([0-5]\d):([0-5]\d)([:;.,])(\d{2,3})", re.ASCII)
_DROPPING = (Fraction(30000, 1001), Fraction(60000, 1001))


class Timecode(NamedTuple):
    """frame: how many frames after midnight. rate: frames per second that it counts, exactly.
    drop: whether it is written as drop-frame."""

    frame: int
    rate: Fraction
    drop: bool

    def at(self, rate: Fraction) -> int:
        """The frame of that time of day at another rate, which may be that of a film's frames."""
        return round(self.frame / self.rate * rate)


def read(text: str, rate: Fraction) -> Timecode | None:
    """The timecode that a file says; None where it is none of that rate (frames per second)."""
    found = _FORM.fullmatch(text.strip())
    base = round(rate)
    if found is None or int(found[5]) >= base:
        return None
    hours, minutes, seconds, frame = (int(found[number]) for number in (1, 2, 3, 5))
    minutes += 60 * hours
    drop = found[4] != ":" and rate in _DROPPING
    count = (60 * minutes + seconds) * base + frame
    if drop:
        count -= _left_out(base) * (minutes - minutes // 10)
    return Timecode(count, rate, drop)


def text(frame: int, rate: Fraction, drop: bool = False) -> str:
    """How a frame is labelled: 10:00:00:00, or 10:00:00;00 where it is drop-frame.

    frame: after midnight; a day later the labels begin anew. drop: has no effect at rates that
    know none.
    """
    base, mark = round(rate), ":"
    if drop and rate in _DROPPING:
        left_out, mark = _left_out(base), ";"
        minute = 60 * base - left_out
        tens, rest = divmod(frame, 10 * minute + left_out)
        # The first minute of ten is whole.
        minutes = 0 if rest < 60 * base else (rest - left_out) // minute
        frame += left_out * (9 * tens + minutes)
    seconds, frame = divmod(frame, base)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}:{seconds:02}{mark}{frame:02}"


def _left_out(base: int) -> int:
    return base // 15
