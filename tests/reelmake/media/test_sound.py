"""Sound that is wired, tagged or damaged: what is heard is said, and no film is lost for it."""

import subprocess
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import make_media
from reelmake.editing.streams import Wanted
from reelmake.foundation.errors import StageError
from reelmake.media import clip_audio, clips, decoding, ffmpeg, probing, wav_files

Film = Callable[[str], Path]

# Noise of an uneven loudness, like speech.
VOICE = "anoisesrc=d=4:c=pink:r=48000:seed=1:a=0.5,tremolo=f=4:d=0.9"


def extract(
    path: Path, target: Path, track: Wanted = "default", mix: str = "mono"
) -> tuple[np.ndarray, dict]:
    film, binary = probing.probe(path), ffmpeg.binary()
    stream = decoding.extract_audio(path, film, track, target, binary, mix)
    assert stream is not None
    with wave.open(str(target), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(float), stream


def stereo(path: Path, left: str, right: str) -> Path:
    graph = f"{VOICE},pan=stereo|c0={left}*c0|c1={right}*c0"
    make_media.ffmpeg("-f", "lavfi", "-i", graph, "-c:a", "flac", path)
    return path


@pytest.mark.parametrize(("right", "name"), [("-1", "left"), ("-0.98", "left"), ("-1.02", "right")])
def test_an_inverted_channel_does_not_silence_the_other(tmp_path, right, name) -> None:
    samples, stream = extract(stereo(tmp_path / "a.mkv", "1", right), tmp_path / "a.wav")
    plain, other = extract(stereo(tmp_path / "b.mkv", "1", "1"), tmp_path / "b.wav")
    assert stream["channel"] == name
    assert "channel" not in other
    assert np.std(samples) == pytest.approx(np.std(plain), rel=0.1)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.mkv", "a.wav", "b.mkv", "b.wav"]


@pytest.mark.parametrize("channels", [("1", "0"), ("0.003", "0.003"), ("0.003", "0"), ("0", "0")])
def test_quiet_and_one_sided_sound_is_mixed_as_ever(tmp_path, channels) -> None:
    path = stereo(tmp_path / "a.mkv", *channels)
    samples, stream = extract(path, tmp_path / "a.wav")
    assert "channel" not in stream
    command = [make_media.binary(), "-v", "error", "-i", path, "-ac", "1", "-ar", "16000"]
    raw = subprocess.run([*command, "-f", "s16le", "-"], capture_output=True, check=True).stdout
    expected = np.frombuffer(raw, np.int16)
    assert np.abs(samples[: len(expected)] - expected[: len(samples)]).max() <= 1


@pytest.mark.parametrize(
    ("mix", "left", "right", "heard"),
    [
        ("left", "0.5", "0.1", 0.5),
        ("right", "0.5", "0.1", 0.1),
        ("loudest", "0.5", "0.1", 0.5),
        ("loudest", "0.1", "0.5", 0.5),
        ("loudest", "0", "0", 0.0),
        ("mono", "0.5", "0.1", 0.3),
    ],
)
def test_of_two_microphones_the_one_that_is_asked_for(tmp_path, mix, left, right, heard) -> None:
    whole, _ = extract(stereo(tmp_path / "b.mkv", "1", "1"), tmp_path / "b.wav")
    samples, stream = extract(stereo(tmp_path / "a.mkv", left, right), tmp_path / "a.wav", mix=mix)
    assert np.std(samples) == pytest.approx(heard * np.std(whole), rel=0.02, abs=1)
    assert stream["codec"] == "flac"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.mkv", "a.wav", "b.mkv", "b.wav"]


def test_each_microphone_is_a_channel(tmp_path) -> None:
    extract(stereo(tmp_path / "a.mkv", "0.5", "0.1"), tmp_path / "a.wav", mix="each")
    with wave.open(str(tmp_path / "a.wav"), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 2, 2)
        both = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)
    for number, name in enumerate(("left", "right")):
        alone, _ = extract(tmp_path / "a.mkv", tmp_path / "b.wav", mix=name)
        assert (both[:, number] == alone).all()


@pytest.mark.parametrize("mix", ["left", "right", "loudest", "each"])
def test_of_one_channel_there_is_one(tmp_path, mix) -> None:
    make_media.ffmpeg("-f", "lavfi", "-i", VOICE, "-ac", "1", "-c:a", "flac", tmp_path / "a.mkv")
    samples, _ = extract(tmp_path / "a.mkv", tmp_path / "a.wav", mix=mix)
    plain, _ = extract(tmp_path / "a.mkv", tmp_path / "b.wav")
    assert (samples == plain).all()


def undecodable(path: Path) -> Path:
    """Good pictures, and AAC of which every packet is noise."""
    make_media.ffmpeg(
        *("-f", "lavfi", "-i", make_media.numbers(3), "-f", "lavfi", "-i", make_media.beeps(3)),
        *(*make_media.H264, "-c:a", "aac", "-bsf:a", "noise=amount=1", path),
    )
    return path


def test_sound_that_cannot_be_decoded_is_named(tmp_path) -> None:
    path = undecodable(tmp_path / "a.mkv")
    with pytest.raises(decoding.SoundError) as caught:
        extract(path, tmp_path / "a.wav")
    said = str(caught.value)
    assert "its sound (stream 1, aac) can't be decoded" in said
    assert "audio.undecodable to leave_out" in said
    assert "\n" not in said


def test_a_film_goes_on_without_sound_that_cannot_be_decoded(tmp_path) -> None:
    path = undecodable(tmp_path / "a.mkv")
    media = probing.probe(path)
    settings = {"track": "default", "undecodable": "leave_out"}
    film = clip_audio.chosen(path, media, settings, ffmpeg.binary())
    assert film["audio"] is None
    assert (
        clip_audio.chosen(path, media, settings | {"undecodable": "fail"}, ffmpeg.binary())["audio"]
        == media["audio"]
    )
    chosen = [{"id": 0, "start": 1, "end": 2, "score": 8, "reason": None, "text": ""}]
    given = make_media.clip_settings(preset="ultrafast")
    found = clips.cut_all(
        path, film, chosen, {"segments": []}, [], given, tmp_path, ffmpeg.binary(), 1
    )
    (record,) = found["clips"]
    assert record["duration"] == pytest.approx(1)
    assert probing.probe(tmp_path / record["file"])["audio"] is None


def test_decodable_sound_is_not_left_out(film: Film) -> None:
    path = film("two.mkv")
    settings = {"track": "ger", "undecodable": "leave_out"}
    assert clip_audio.chosen(path, probing.probe(path), settings, ffmpeg.binary())["audio"] == 2


def test_clips_have_the_chosen_track(film: Film, tmp_path) -> None:
    """The click is at 1 s in English, at 2 s in German, which is the default."""
    path = film("two.mkv")
    media = probing.probe(path)
    heard = {}
    for track in ("default", "eng"):
        settings = {"track": track, "undecodable": "fail"}
        chosen = clip_audio.chosen(path, media, settings, ffmpeg.binary())
        target = tmp_path / f"{track}.nut"
        clip_audio.decode(path, chosen, [(0.5, 2.0)], 1, [target], ffmpeg.binary())
        samples, _ = extract(target, tmp_path / "a.wav")
        heard[track] = np.flatnonzero(np.abs(samples) > 4000)[0] / wav_files.RATE
    assert heard == pytest.approx({"default": 1.5, "eng": 0.5}, abs=0.02)


@pytest.mark.parametrize("codec", ["pcm_s16le", "mp3"])
@pytest.mark.parametrize("factor", [0.5, 1, 2])
def test_an_avi_of_a_wrong_rate_is_heard_as_it_is(tmp_path, codec, factor) -> None:
    """As ffmpeg plays it: every sample, none twice, and no silence between."""
    path = tmp_path / "a.avi"
    make_media.ffmpeg(
        *("-f", "lavfi", "-i", make_media.numbers(6)),
        *("-f", "lavfi", "-i", make_media.beeps(6, 44100), "-c:v", "mpeg4", "-c:a", codec, path),
    )
    content = bytearray(path.read_bytes())
    at = content.index(b"auds") + 24
    content[at : at + 4] = int(int.from_bytes(content[at : at + 4], "little") * factor).to_bytes(
        4, "little"
    )
    path.write_bytes(content)
    samples, _ = extract(path, tmp_path / "a.wav")
    assert len(samples) == pytest.approx(6 * 16_000, abs=1500)
    loud = np.flatnonzero(np.abs(samples) > 4000) / wav_files.RATE
    assert loud[np.diff(loud, prepend=-9) > 0.5] == pytest.approx(range(6), abs=0.06)
    target = tmp_path / "piece.nut"
    clip_audio.decode(path, probing.probe(path), [(3.5, 2.0)], 1, [target], ffmpeg.binary())
    samples, _ = extract(target, tmp_path / "b.wav")
    loud = np.flatnonzero(np.abs(samples) > 4000) / wav_files.RATE
    assert loud[np.diff(loud, prepend=-9) > 0.5] == pytest.approx([0.5, 1.5], abs=0.06)


def test_a_wrong_track_is_no_undecodable_one(film: Film, tmp_path) -> None:
    with pytest.raises(StageError) as caught:
        extract(film("two.mkv"), tmp_path / "a.wav", "fra")
    assert not isinstance(caught.value, decoding.SoundError)
