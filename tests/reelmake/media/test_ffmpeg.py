"""Sound in film time, and frames through a pipe, with their exact times."""

import os
import shutil
import stat
import time
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import make_media
from reelmake.editing import streams
from reelmake.foundation.errors import StageError, UserError
from reelmake.media import decoding, ffmpeg, film_frames, probing, pyav

Film = Callable[[str], Path]

RATE = 16_000
# 5 ms: a tenth of what word times are good for.
NEAR = 80


def extract(path: Path, target: Path, track: streams.Wanted = "default") -> np.ndarray:
    """The samples of audio.wav, int16."""
    decoding.extract_audio(path, probing.probe(path), track, target, ffmpeg.binary())
    return samples(target)


def samples(path: Path) -> np.ndarray:
    with wave.open(os.fspath(path), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def heard(sound: np.ndarray) -> int:
    """The first sample of the click."""
    return int(np.flatnonzero(np.abs(sound.astype(int)) > 2000)[0])


def seen(path: Path) -> float:
    """Film time of the flash, s."""
    found = probing.probe(path)
    with film_frames.Frames(path, found["video"], found["start_time"]) as frames:
        for shown in frames.between(0, 10):
            if shown.frame.to_ndarray(format="gray").mean() > 200:
                return shown.time
    raise AssertionError("no flash")


SYNC = [
    *("together.mp4", "late.mp4", "late.mkv", "late.ts", "early.mp4", "early.mkv", "start.ts"),
    "gap.mkv",
]


@pytest.mark.parametrize("name", SYNC)
def test_sound_and_picture_stay_together(film: Film, tmp_path: Path, name: str) -> None:
    sound = extract(film(name), tmp_path / "audio.wav")
    # The sound of start.ts begins 10 ms before the picture, at film time zero.
    click = 3.010 if name == "start.ts" else 3.0
    assert heard(sound) == pytest.approx(click * RATE, abs=NEAR)
    assert seen(film(name)) == pytest.approx(click, abs=0.001)
    assert len(sound) == pytest.approx(6 * RATE, abs=0.05 * RATE)


def test_late_sound_is_padded_with_silence(film: Film, tmp_path: Path) -> None:
    sound = extract(film("late.mp4"), tmp_path / "audio.wav")
    assert not sound[: 2 * RATE].any()


@pytest.mark.parametrize("name", ["8k.wav", "stereo.mka", "5.1.wav"])
def test_any_rate_and_layout_becomes_16_khz_mono(film: Film, tmp_path: Path, name: str) -> None:
    sound = extract(film(name), tmp_path / "audio.wav")
    assert len(sound) == pytest.approx(6 * RATE, abs=NEAR)
    assert heard(sound) == pytest.approx(3 * RATE, abs=NEAR)


@pytest.mark.parametrize(
    ("track", "second", "index"),
    [
        *(("default", 2, 2), (0, 1, 1), (1, 2, 2), ("eng", 1, 1), ("DEU", 2, 2)),
        *(("de-AT", 2, 2), ("en", 1, 1), (["fra", "eng", "default"], 1, 1), (["fra", 1], 2, 2)),
        (["fra", "default"], 2, 2),
    ],
)
def test_the_track_is_chosen(
    film: Film, tmp_path: Path, track: streams.Wanted, second: int, index: int
) -> None:
    path = film("two.mkv")
    stream = decoding.extract_audio(
        path, probing.probe(path), track, tmp_path / "audio.wav", ffmpeg.binary()
    )
    assert stream is not None
    assert stream["index"] == index
    assert heard(samples(tmp_path / "audio.wav")) == pytest.approx(second * RATE, abs=NEAR)


@pytest.mark.parametrize("track", [2, -1, "fra", "und", ["fra", 7]])
def test_an_unknown_track_is_refused_with_those_there_are(
    film: Film, tmp_path: Path, track: streams.Wanted
) -> None:
    with pytest.raises(StageError) as caught:
        extract(film("two.mkv"), tmp_path / "audio.wav", track)
    assert "0 (eng, aac, 1 channels), 1 (deu, aac, 1 channels)" in str(caught.value)
    assert not (tmp_path / "audio.wav").exists()


def test_a_silent_film_gives_no_samples(film: Film, tmp_path: Path) -> None:
    assert len(extract(film("cfr.mp4"), tmp_path / "audio.wav")) == 0


def test_a_broadcast_may_change_its_layout(film: Film, tmp_path: Path) -> None:
    """Stereo, then 5.1 after 4 s: nothing is lost or filled in there."""
    sound = extract(film("changing.ts"), tmp_path / "audio.wav")
    loud = np.flatnonzero(np.abs(sound.astype(int)) > 2000) / RATE
    assert loud[np.diff(loud, prepend=-9) > 0.5] == pytest.approx(list(range(8)), abs=0.015)
    assert len(sound) == pytest.approx(8 * RATE, abs=0.05 * RATE)


def test_what_an_ffmpeg_lacks_is_an_error_of_the_engine(film: Film) -> None:
    path, program = film("cfr.mp4"), ffmpeg.binary()
    output = ["-f", "null", "-"]
    with pytest.raises(ffmpeg.LackError, match="without the encoder libnope") as caught:
        ffmpeg.run(program, [*ffmpeg.reading(path), "-c:v", "libnope", *output], path)
    assert caught.value.kind == "engine"
    assert program in str(caught.value)
    with pytest.raises(ffmpeg.LackError, match="without the filter nope"):
        ffmpeg.run(program, [*ffmpeg.reading(path), "-vf", "nope", *output], path)


def test_the_same_film_gives_the_same_bytes(film: Film, tmp_path: Path) -> None:
    extract(film("late.mp4"), tmp_path / "a.wav")
    extract(film("late.mp4"), tmp_path / "b.wav")
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_sound_that_stops_is_refused(film: Film, tmp_path: Path) -> None:
    """A fragmented recording is accepted as far as it goes, but not without its sound."""
    whole = film("fragments.mp4").read_bytes()
    path = tmp_path / "stopped.mp4"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StageError, match="can be decoded up to") as caught:
        extract(path, tmp_path / "audio.wav")
    assert str(path) in str(caught.value)


def test_damaged_pictures_are_refused_with_what_ffmpeg_said(film: Film) -> None:
    path = film("no frames.mp4")
    with (
        pytest.raises(StageError, match="intact file") as caught,
        decoding.small_frames(path, probing.probe(path), 64, ffmpeg.binary()) as pipe,
    ):
        assert list(pyav.raw_frames(pipe)) == []
    assert caught.value.kind == "input"
    assert "0x" not in str(caught.value)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux only")
def test_a_full_disk_is_named(film: Film) -> None:
    with pytest.raises(StageError, match="disk is full") as caught:
        extract(film("together.mp4"), Path("/dev/full"))
    assert caught.value.kind == "resources"


def test_a_killed_ffmpeg_is_named(film: Film, tmp_path: Path) -> None:
    program = script(tmp_path / "ffmpeg", "kill -9 $$")
    path = film("together.mp4")
    with pytest.raises(StageError, match="signal 9") as caught:
        decoding.extract_audio(path, probing.probe(path), "default", tmp_path / "a.wav", program)
    assert caught.value.kind == "killed"


def test_progress_is_told_in_seconds(film: Film, tmp_path: Path) -> None:
    lines = ["frame=1", "out_time_us=N/A", "out_time_us=-5", "out_time_us=1500000", "progress=end"]
    program = script(tmp_path / "ffmpeg", "printf '%s\\n' " + " ".join(lines))
    told = list[float]()
    ffmpeg.run(program, [], film("cfr.mp4"), progress=told.append)
    assert told == [0.0, 1.5]


def script(path: Path, line: str) -> str:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


PICTURES = [
    "whole.avi",
    "vfr.mkv",
    "count.mp4",
    "count.ts",
    "count.avi",
    "start.ts",
    "early.mp4",
    "odd.mkv",
]


@pytest.mark.parametrize("name", [*PICTURES, "rotated.mp4", "one frame.mkv"])
def test_small_frames_have_the_times_of_the_film(film: Film, name: str) -> None:
    """All of them, to the tick, as PyAV gives them, and the same pictures."""
    path = film(name)
    found = probing.probe(path)
    with decoding.small_frames(path, found, 64, ffmpeg.binary()) as pipe:
        small = [(float(pts * base), im.mean(), im.shape) for pts, base, im in raw(pipe)]
    with film_frames.Frames(path, found["video"], found["start_time"]) as frames:
        every = [(s.time, s.frame.to_ndarray(format="bgr24").mean()) for s in frames.between(0, 99)]
    assert [time for time, _, _ in small] == [time for time, _ in every]
    assert [level for _, level, _ in small] == pytest.approx([level for _, level in every], abs=4)
    assert {shape[1] for _, _, shape in small} == {64}


raw = pyav.raw_frames


def test_small_frames_are_not_enlarged(film: Film) -> None:
    path = film("odd.mkv")
    with decoding.small_frames(path, probing.probe(path), 256, ffmpeg.binary()) as pipe:
        assert {image.shape for _, _, image in raw(pipe)} == {(91, 161, 3)}


def test_small_frames_are_as_coded(film: Film) -> None:
    path = film("rotated.mp4")
    with decoding.small_frames(path, probing.probe(path), 64, ffmpeg.binary()) as pipe:
        _, _, image = next(pyav.raw_frames(pipe))
    assert image[:, :16].mean((0, 1)).argmax() == 2  # red on the left
    assert image[:, -16:].mean((0, 1)).argmax() == 0  # blue on the right


def test_ffmpeg_ends_with_a_reader_that_has_seen_enough(film: Film) -> None:
    path = film("cfr.mp4")
    with decoding.small_frames(path, probing.probe(path), 160, ffmpeg.binary()) as pipe:
        assert pipe.read(1)


def test_ffmpeg_ends_with_a_reader_that_fails(film: Film, tmp_path: Path) -> None:
    """At once, even one that hangs on a dead network drive; the reader's error counts."""
    program = script(tmp_path / "ffmpeg", f"echo $$ > {tmp_path}/pid; echo; exec sleep 60")
    path = film("cfr.mp4")
    begin = time.monotonic()
    with (
        pytest.raises(RuntimeError, match="enough"),
        decoding.small_frames(path, probing.probe(path), 160, program) as pipe,
    ):
        assert pipe.read(1)
        raise RuntimeError("enough")
    assert time.monotonic() - begin < 10
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


def test_binary_is_the_configured_one_or_that_on_the_path_or_the_wheels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = script(tmp_path / "ffmpeg", "echo ffmpeg version 8.0 Copyright")
    monkeypatch.setenv("PATH", "/nowhere")
    assert ffmpeg.binary() == make_media.binary()
    assert ffmpeg.binary(mine) == mine
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ffmpeg.binary(None) == mine
    assert shutil.which("ffmpeg") == mine
    for name, told in (("old", "4.4.2-0ubuntu0.22.04.1"), ("new", "n7.1"), ("git", "N-110223-g")):
        (tmp_path / name).mkdir()
        other = script(tmp_path / name / "ffmpeg", f"echo ffmpeg version {told} Copyright")
        monkeypatch.setenv("PATH", f"{tmp_path / name}:/bin")
        assert ffmpeg.version(other) == told
        assert ffmpeg.binary() == (make_media.binary() if name == "old" else other)
    with pytest.raises(UserError, match="/no/such/ffmpeg"):
        ffmpeg.binary("/no/such/ffmpeg")
