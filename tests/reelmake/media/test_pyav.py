"""Probing and seeking on real files: what is said of them is what is in them."""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import make_media
from reelmake.foundation import artifact_files
from reelmake.foundation.errors import StageError
from reelmake.media import ffmpeg, pyav

Film = Callable[[str], Path]

COUNTED = ["count.mp4", "count.mkv", "count.ts", "count.avi"]
SOUND = [
    *("together.mp4", "late.mp4", "late.mkv", "late.ts", "early.mp4", "early.mkv", "start.ts"),
    *("gap.mkv", "two.mkv", "song.m4a", "8k.wav", "stereo.mka", "5.1.wav"),
]
PICTURES = [
    *("cfr.mp4", "vfr.mkv", "rotated.mp4", "ten bit.mp4", "odd.mkv"),
    *("one frame.mp4", "one frame.mkv", *COUNTED),
]
WHOLE = ["whole.avi", "whole.flv", "whole.mkv", "fragments.mp4"]


def probe(path: Path) -> dict:
    """The facts, checked against the schema as the job does."""
    found = pyav.probe(path)
    artifact_files.validate({"content": "0" * 64} | found, "media")
    return found


def main_video(found: dict) -> dict:
    return next(stream for stream in found["streams"] if stream["index"] == found["video"])


@pytest.mark.parametrize("name", [*SOUND, *PICTURES, *WHOLE])
def test_whole_files_are_accepted(film: Film, name: str) -> None:
    found = probe(film(name))
    lasts = {"two.mkv": 3, "song.m4a": 2, "vfr.mkv": 7, "ten bit.mp4": 2, "odd.mkv": 2}
    lasts |= {"rotated.mp4": 2, "one frame.mp4": 0.04, "one frame.mkv": 0.04}
    lasts |= dict.fromkeys(COUNTED, 8)
    assert found["duration"] == pytest.approx(lasts.get(name, 6), abs=0.1)
    assert (found["video"] is None) == (name in ("song.m4a", "8k.wav", "stereo.mka", "5.1.wav"))
    assert (found["audio"] is None) == (name in PICTURES)


@pytest.mark.parametrize(
    ("name", "video", "audio"),
    [
        ("late.mp4", 0, 2),
        ("late.mkv", 0, 2),
        ("late.ts", 0, 2),
        ("early.mp4", 1, 0),
        ("early.mkv", 1, 0),
        ("start.ts", 0, 0),
    ],
)
def test_streams_start_where_they_do_in_film_time(
    film: Film, name: str, video: float, audio: float
) -> None:
    found = probe(film(name))
    starts = {stream["type"]: stream["start_time"] for stream in found["streams"]}
    # Encoders of sound start up to 25 ms early.
    assert starts == {
        "video": pytest.approx(video, abs=0.03),
        "audio": pytest.approx(audio, abs=0.03),
    }
    assert min(starts.values()) == 0
    assert found["start_time"] == pytest.approx(1.4 if name.endswith(".ts") else 0)


def test_pictures_are_described_as_coded(film: Film) -> None:
    rotated = main_video(probe(film("rotated.mp4")))
    assert (rotated["width"], rotated["height"], rotated["rotation"]) == (160, 90, 270)
    ten = main_video(probe(film("ten bit.mp4")))
    assert (ten["pixel_format"], ten["bit_depth"], ten["codec"]) == ("yuv420p10le", 10, "h264")
    odd = main_video(probe(film("odd.mkv")))
    assert (odd["width"], odd["height"]) == (161, 91)
    plain = main_video(probe(film("cfr.mp4")))
    assert (plain["fps_average"], plain["fps_real"], plain["frames"]) == (25, 25, 150)


def test_sound_is_described_and_the_default_track_is_found(film: Film) -> None:
    found = probe(film("two.mkv"))
    assert [s["language"] for s in found["streams"]] == [None, "eng", "deu"]
    assert found["audio"] == 2
    (surround,) = probe(film("5.1.wav"))["streams"]
    assert (surround["channels"], surround["sample_rate"]) == (6, 48000)


def test_cover_art_is_no_film(film: Film) -> None:
    found = probe(film("song.m4a"))
    assert [s["attached_picture"] for s in found["streams"] if s["type"] == "video"] == [True]
    assert found["video"] is None


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no index.mp4", "no readable index (moov)"),
        ("cut.mp4", "cut off"),
        ("cut.mkv", "ends at 3 s of 6 s"),
        ("cut.avi", "cut off"),
    ],
)
def test_files_that_were_cut_off_are_refused(film: Film, name: str, words: str) -> None:
    assert words in refused(film(name))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"Dear diary, this is no film.\n" * 50, "not a video or audio file"),
        (b"1\n00:00:01,000 --> 00:00:02,000\nHello\n\n", "neither video nor audio"),
        (b"#EXTM3U\n#EXTINF:9,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n", "not a video"),
        (bytes(5000), "not a video or audio file"),
    ],
)
def test_what_is_no_film_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "a film.mp4"
    path.write_bytes(content)
    assert words in refused(path)


def test_missing_and_folder(tmp_path: Path) -> None:
    assert "is gone" in refused(tmp_path / "none.mp4")
    assert "is a folder" in refused(tmp_path)


def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "locked.mp4"
    path.write_bytes(b"x")
    path.chmod(0)
    with _ordinary_user():
        assert "no permission" in refused(path)


@contextlib.contextmanager
def _ordinary_user() -> Iterator[None]:
    """root may read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def refused(path: Path) -> str:
    """The sentence that refuses the file; it names it, and is one line."""
    with pytest.raises(StageError) as caught:
        pyav.probe(path)
    message = str(caught.value)
    assert caught.value.kind == "input"
    assert str(path) in message
    assert "\n" not in message
    return message


NAMES = [
    "-dash.mp4",
    "a:b.mp4",
    "concat:x.mp4",
    "http:x.mp4",
    "%d%05d.mp4",
    "two\nlines.mp4",
    'it\'s "quoted" $HOME `ls` \\.mp4',
    "🎬 für élise.mp4",
    "x" * 251 + ".mp4",
    os.fsdecode(b"latin-\xe9.mp4"),
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_any_file_name_is_only_a_name(
    film: Film, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through each way in: PyAV, ffmpeg for sound, ffmpeg for pictures; relative paths too."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(film("together.mp4"), name)
    path = Path(name)
    found = pyav.probe(path)
    program = ffmpeg.binary()
    assert ffmpeg.extract_audio(path, found, "default", tmp_path / "out.wav", program)
    with ffmpeg.small_frames(path, found, 64, program) as pipe:
        assert sum(1 for _ in pyav.raw_frames(pipe)) == 150


def gray(shown: pyav.Shown) -> float:
    return float(shown.frame.to_ndarray(format="gray").mean())


@pytest.mark.parametrize("name", COUNTED)
def test_windows_hold_the_frames_of_their_times(film: Film, name: str) -> None:
    """In any order, whatever was read before, and whichever way the container seeks."""
    found = probe(film(name))
    order = np.random.default_rng(7).permutation(190)[:25]
    with pyav.Frames(film(name), found["video"], found["start_time"]) as frames:
        every = list(frames.between(0, 100))
        levels = [gray(shown) for shown in every]
        # One step of luma is 4; the codec may err by 1.
        assert np.abs(np.diff(levels[:50]) - 4.7).max() < 2.5
        for first in [*order, 3, 4, 6, 198]:
            start = every[first].time
            window = list(frames.between(start, start + 0.08))
            expected = every[first : first + 2]
            assert [shown.time for shown in window] == [shown.time for shown in expected]
            assert [gray(shown) for shown in window] == [gray(shown) for shown in expected]


def test_window_begins_with_the_frame_on_screen(film: Film) -> None:
    with pyav.Frames(film("vfr.mkv"), 0, 0.0) as frames:
        # 10 frames a second from 2 s on: the one of 2.4 s is shown until 2.5 s.
        assert [s.time for s in frames.between(2.45, 2.55)] == [2.4, 2.5]
        assert [s.time for s in frames.between(6.999, 60)] == [6.98]
        assert [s.time for s in frames.between(-5, 0.01)] == [0.0]


def test_a_window_left_early_does_not_spoil_the_next(film: Film) -> None:
    with pyav.Frames(film("count.mp4"), 0, 0.0) as frames:
        assert next(frames.between(1.0, 4.0)).time == 1.0
        assert next(frames.between(1.2, 4.0)).time == 1.2
        assert next(frames.between(0.4, 4.0)).time == 0.4


def test_seeking_decodes_little(film: Film) -> None:
    """The last second of 8 s: from the keyframe at 6 s, not from the beginning."""
    with pyav.Frames(film("count.mp4"), 0, 0.0) as frames:
        shown = list(frames._from(7.0))
    assert shown[0].time == 6.0


def test_streams_are_read_from_the_start_where_seeking_fails(
    film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pyav.Frames, "_seek", lambda self, time: False)
    with pyav.Frames(film("count.mp4"), 0, 0.0) as frames:
        assert [s.time for s in frames.between(5.0, 5.08)] == [5.0, 5.04]
        assert [s.time for s in frames.between(1.0, 1.08)] == [1.0, 1.04]


def test_seeks_that_land_too_late_go_further_back(
    film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    seek = pyav.Frames._seek
    monkeypatch.setattr(pyav.Frames, "_seek", lambda self, time: seek(self, time + 3))
    with pyav.Frames(film("count.mp4"), 0, 0.0) as frames:
        assert [s.time for s in frames.between(5.0, 5.08)] == [5.0, 5.04]


@pytest.mark.parametrize("degrees", [90, 180, -90])
def test_pictures_are_turned_upright_as_ffmpeg_turns_them(tmp_path: Path, degrees: int) -> None:
    path = make_media.rotated(tmp_path / "phone.mp4", degrees)
    stream = main_video(probe(path))
    with pyav.Frames(path, 0, 0.0) as frames:
        image = pyav.picture(next(frames.between(0, 1)), stream, 1000)
    make_media.ffmpeg("-i", path, "-frames:v", "1", tmp_path / "expected.bmp")
    with pyav.Frames(tmp_path / "expected.bmp", 0, 0.0) as frames:
        expected = next(frames.between(0, 1)).frame.to_ndarray(format="bgr24")
    assert image.shape == expected.shape
    assert np.abs(image.astype(int) - expected).mean() < 3


def test_pictures_are_made_smaller_and_never_larger(film: Film) -> None:
    stream = main_video(probe(film("odd.mkv")))
    with pyav.Frames(film("odd.mkv"), 0, 0.0) as frames:
        shown = next(frames.between(0, 1))
    assert pyav.picture(shown, stream, 768).shape == (91, 161, 3)
    assert pyav.picture(shown, stream, 80).shape == (45, 80, 3)
    assert pyav.picture(shown, stream | {"pixel_aspect": 2.0}, 768).shape == (46, 161, 3)


def test_ten_bits_keep_their_colors(film: Film) -> None:
    stream = main_video(probe(film("ten bit.mp4")))
    with pyav.Frames(film("ten bit.mp4"), 0, 0.0) as frames:
        blue, green, red = pyav.picture(next(frames.between(0, 1)), stream, 768).mean((0, 1))
    assert red > 200
    assert max(blue, green) < 40


def test_film_time_rounds_as_ffmpeg_does() -> None:
    assert pyav.film_time(126902, Fraction(1, 90000), 1.4) == pytest.approx(902 / 90000)
    assert pyav.film_time(3, Fraction(1, 25), 0.05) == pytest.approx(2 / 25)
