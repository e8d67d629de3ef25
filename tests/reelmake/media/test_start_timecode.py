"""The start timecode of real files, beside what ffmpeg was told to write."""

from fractions import Fraction
from pathlib import Path

import pytest

import make_media
from reelmake.editing.timecode import Timecode
from reelmake.media import probing, start_timecode

FILM, NTSC, NTSC60 = (Fraction(base * 1000, 1001) for base in (24, 30, 60))
PAL, PAL50 = Fraction(25), Fraction(50)


def made(path: Path, rate: Fraction, *arguments: str | Path) -> Path:
    """A short film."""
    graph = f"color=c=red:s=64x36:r={rate}:d=0.4"
    make_media.ffmpeg("-f", "lavfi", "-i", graph, *arguments, path)
    return path


def read(path: Path) -> Timecode | None:
    return start_timecode.read(path, probing.probe(path))


@pytest.mark.parametrize(
    ("name", "rate", "said", "frame", "drop"),
    [
        ("a.mov", PAL, "10:00:00:00", 900_000, False),
        ("a.mp4", NTSC, "10:00:00;00", 1_078_920, True),
        ("a.mov", NTSC, "10:00:00:00", 1_080_000, False),
        ("a.mov", NTSC60, "01:00:00;00", 215_784, True),
        ("a.mp4", NTSC60, "01:00:00:40", 216_040, False),
        ("a.mov", PAL50, "10:00:00:30", 1_800_030, False),
        ("a.mov", FILM, "00:59:59:10", 86_386, False),
        ("a.mkv", FILM, "00:59:59:10", 86_386, False),
        ("a.mkv", NTSC, "10:00:00;00", 1_078_920, True),
        ("a.mxf", PAL, "10:00:00:05", 900_005, False),
        ("a.mxf", NTSC, "10:00:00;00", 1_078_920, True),
        ("a.mxf", PAL50, "10:00:00:30", 1_800_030, False),
        ("a.mov", PAL, "00:00:00:00", 0, False),
    ],
)
def test_is_what_the_file_says(
    tmp_path: Path, name: str, rate: Fraction, said: str, frame: int, drop: bool
) -> None:
    codec = ["-c:v", "mpeg2video"] if name.endswith("mxf") else []
    path = made(tmp_path / name, rate, *codec, "-timecode", said)
    assert read(path) == Timecode(frame, rate, drop)


@pytest.mark.parametrize("name", ["a.mov", "a.mkv", "a.avi", "a.ts"])
def test_of_a_film_without_is_none(tmp_path: Path, name: str) -> None:
    assert read(made(tmp_path / name, PAL)) is None


@pytest.mark.parametrize("said", ["25:00:00:00", "10:00:00:25", "today", "10:00:00:00 x"])
def test_of_a_tag_that_is_no_timecode_is_none(tmp_path: Path, said: str) -> None:
    assert read(made(tmp_path / "a.mkv", PAL, "-metadata", f"timecode={said}")) is None


def test_a_track_that_counts_every_second_frame(tmp_path: Path) -> None:
    slow = made(tmp_path / "slow.mov", NTSC, "-timecode", "10:00:00:15")
    both = ["-i", slow, "-map", "0:v", "-map", "1:d", "-c:d", "copy"]
    path = made(tmp_path / "fast.mov", NTSC60, *both)
    found = read(path)
    assert found == Timecode(1_080_015, NTSC, False)
    assert found is not None and found.at(NTSC60) == 2 * 1_080_015


def test_a_sound_file_has_none(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.wav")
    assert read(path) is None
