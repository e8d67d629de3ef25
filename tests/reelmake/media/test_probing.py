"""What is in a media file, and why a file is refused."""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reelmake.foundation import artifact_files
from reelmake.foundation.errors import StageError
from reelmake.media import decoding, ffmpeg, probing, pyav

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
    found = probing.probe(path)
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
        probing.probe(path)
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
    found = probing.probe(path)
    program = ffmpeg.binary()
    assert decoding.extract_audio(path, found, "default", tmp_path / "out.wav", program)
    with decoding.small_frames(path, found, 64, program) as pipe:
        assert sum(1 for _ in pyav.raw_frames(pipe)) == 150
