"""The labels of frames, beside those of OpenTimelineIO."""

from fractions import Fraction

import pytest
from opentimelineio.opentime import RationalTime, to_timecode

from reelmake.editing import timecode
from reelmake.editing.timecode import Timecode

NTSC, NTSC60, FILM = Fraction(30000, 1001), Fraction(60000, 1001), Fraction(24000, 1001)
RATES = (FILM, NTSC, NTSC60, *map(Fraction, (24, 25, 30, 48, 50, 60)))


@pytest.mark.parametrize("drop", [False, True])
@pytest.mark.parametrize("rate", RATES)
def test_labels_are_opentimelineios_and_are_read_again(rate: Fraction, drop: bool) -> None:
    if drop and rate not in (NTSC, NTSC60):
        assert timecode.text(100, rate, drop) == timecode.text(100, rate)
        return
    hour = round(3600 * rate)
    near_minutes = [round(rate * 60 * minute) + frame for minute in range(22) for frame in (-3, 5)]
    frames = [*range(5), *range(0, 23 * hour, 99_991), *near_minutes, hour - 1, hour, hour + 1]
    for frame in (frame for frame in frames if frame >= 0):
        label = timecode.text(frame, rate, drop)
        other = to_timecode(RationalTime(frame, float(rate)), float(rate), drop_frame=drop)
        assert label == other
        assert timecode.read(label, rate) == Timecode(frame, rate, drop)


def test_an_hour_of_drop_frame_is_an_hour() -> None:
    assert timecode.text(107892, NTSC, True) == "01:00:00;00"
    assert timecode.text(1798 + 2, NTSC, True) == "00:01:00;02"
    assert timecode.text(108000, NTSC) == "01:00:00:00"
    assert timecode.text(25 * 86400, Fraction(25)) == "00:00:00:00"


@pytest.mark.parametrize(
    ("said", "rate"),
    [
        ("", FILM),
        ("10:00:00", FILM),
        ("24:00:00:00", FILM),
        ("10:60:00:00", FILM),
        ("10:00:00:24", FILM),
        ("10:00:00:00\n10", FILM),
        ("１0:00:00:00", FILM),
        ("-1:00:00:00", FILM),
    ],
)
def test_what_is_no_timecode_is_none(said: str, rate: Fraction) -> None:
    assert timecode.read(said, rate) is None


def test_a_time_of_day_in_frames_of_another_rate() -> None:
    found = timecode.read("10:00:00:14", Fraction(25))
    assert found is not None and found.at(Fraction(50)) == 36000 * 50 + 28
    half = timecode.read("01:00:00;00", NTSC)
    assert half is not None and half.at(NTSC60) == 2 * 107892


def test_rates_without_drop_frame_ignore_its_mark() -> None:
    assert timecode.read("01:00:00;00", Fraction(25)) == Timecode(90000, Fraction(25), False)
