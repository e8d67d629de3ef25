"""Films × facts: what our stages say and make of a film of every codec and container, against what
ffmpeg's command line decodes of it from beginning to end."""

import re
import subprocess
import wave
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

import kinds_of_film
import make_media
from reelmake.editing import streams
from reelmake.foundation import artifact_files
from reelmake.library import config
from reelmake.media import clips, decoding, ffmpeg, film_frames, keyframes, probing, scenes, shown

ALL = kinds_of_film.CODECS | kinds_of_film.KINDS
# Times are rounded by containers: to 1 ms in Matroska, and to a frame in AVI.
NEAR = 0.045

Kind = Callable[[str], Path]


@dataclass(frozen=True)
class Facts:
    """What ffmpeg decodes: when each frame is shown (s), the number on it, and its duration."""

    times: list[float]
    numbers: list[int]
    durations: list[float]
    size: tuple[int, int]

    def on_screen(self, time: float) -> int:
        """The number on the picture that is shown then."""
        shown = [n for t, n in zip(self.times, self.numbers, strict=True) if t <= time + 1e-4]
        return shown[-1] if shown else self.numbers[0]

    @property
    def end(self) -> float:
        return self.times[-1] + self.durations[-1]


@pytest.fixture(scope="module")
def kind(shared) -> Kind:
    def get(name: str) -> Path:
        encoder = kinds_of_film.ENCODERS.get(name)
        if encoder and not kinds_of_film.has_encoder(encoder):
            pytest.skip(f"this ffmpeg has no {encoder}")
        return shared(f"kind {name}", lambda folder: ALL[name](folder / name)) / name

    return get


def decoded(path: Path, sound: bool = False) -> Facts:
    """By ffmpeg's command line, from the beginning to the end. sound: whether there is some."""
    graph = "showinfo,format=gray"
    command = [make_media.binary(), "-nostdin", "-v", "info", "-i", path, "-map", "0:v:0"]
    command += ["-vf", graph, "-fps_mode", "passthrough", "-f", "rawvideo", "-"]
    if sound:  # else ffmpeg would count from where the pictures start
        command += ["-map", "0:a:0", "-f", "null", "-"]
    run = subprocess.run(command, capture_output=True, check=True)
    said = run.stderr.decode(errors="replace")
    shown = re.findall(
        r"pts_time:(\S+) +duration: *\S+ duration_time:(\S+).* "
        r"sar:(\d+)/(\d+) s:(\d+)x(\d+)",
        said,
    )
    across, down, wide, high = map(int, shown[0][2:])
    grays = np.frombuffer(run.stdout, np.uint8).reshape(-1, high, wide)
    times = [float(time) for time, *_ in shown]
    aspect = across / down if across else 1.0
    zero = min(0.0, times[0])  # film time begins with the first frame
    return Facts(
        [time - zero for time in times],
        [make_media.number(gray) for gray in grays],
        [float(length) for _, length, *_ in shown],
        (round(wide * min(1.0, aspect)), round(high / max(1.0, aspect))),
    )


def whole(path: Path, media: dict) -> Facts:
    """Of a film."""
    if "pieces" not in media:
        return decoded(path, sound=media["audio"] is not None)
    # With two streams at once ffmpeg adds the step of the clock for each: its pictures alone.
    facts = decoded(path)
    late = media["streams"][media["video"]]["start_time"]
    return replace(facts, times=[time - facts.times[0] + late for time in facts.times])


def probed(path: Path) -> dict:
    found = probing.probe(path)
    artifact_files.validate({"content": "0" * 64} | found, "media")
    return found


@pytest.mark.parametrize("name", ALL)
def test_a_film_has_the_facts_that_ffmpeg_decodes(kind: Kind, name: str, tmp_path: Path) -> None:
    path = kind(name)
    media = probed(path)
    facts = whole(path, media)
    settings = config.load({})
    length = max(facts.end, sound_length(path) if media["audio"] is not None else 0.0)
    assert media["duration"] == pytest.approx(length, abs=0.1)

    found = scenes.detect(path, media, settings["scenes"], ffmpeg.binary(), threads=1)
    assert found["frames"] == len(facts.times)
    assert found["scenes"][0]["start"] == pytest.approx(facts.times[0], abs=1e-3)
    assert found["scenes"][-1]["end"] == pytest.approx(facts.end, abs=NEAR)

    windows(path, media, facts)
    records = keyframes.extract(path, media, found, settings["keyframes"], tmp_path, threads=1)
    for record in records["keyframes"]:
        assert facts.times[record["frame"]] == pytest.approx(record["timestamp"], abs=NEAR)
        number = make_media.number(picture(tmp_path / record["file"]))
        assert abs(number - facts.numbers[record["frame"]]) <= (1 if is_avi(path) else 0)
    assert (record["width"], record["height"]) == facts.size
    cut(path, media, facts, make_media.clip_settings(preset="ultrafast"), tmp_path)


def picture(path: Path) -> np.ndarray:
    with film_frames.Frames(path, 0, 0.0) as frames:
        return next(frames.between(0, 1)).frame.to_ndarray(format="gray")


def windows(path: Path, media: dict, facts: Facts) -> None:
    """In any order, whatever was read before: pictures at their times."""
    order = np.random.default_rng(3).permutation(len(facts.times))[:8]
    with film_frames.of(path, media, threads=1) as frames:
        for place in [*order, len(facts.times) - 1, 0, 1]:
            time = facts.times[place]
            found = next(frames.between(time + 2e-3, time + 4e-3))
            assert found.time == pytest.approx(time, abs=NEAR), place
            image = shown.picture(found.frame, streams.video(media), 1000)
            number = make_media.number(image.mean(axis=2))
            assert abs(number - facts.numbers[place]) <= (1 if is_avi(path) else 0), place


def cut(path: Path, media: dict, facts: Facts, settings: dict, folder: Path) -> None:
    """Clips: every frame of the piece, whole, and with nothing else."""
    end = media["duration"]
    pieces = [(0.0, end / 2), (end * 0.6, end * 0.75), (end * 0.7, end)]
    chosen = [
        {"id": number, "start": start, "end": end, "score": 8, "reason": None, "text": ""}
        for number, (start, end) in enumerate(pieces)
    ]
    (folder / "clips").mkdir()
    found = clips.cut_all(
        path, media, chosen, {"segments": []}, [], settings, folder / "clips", ffmpeg.binary(), 1
    )
    for record in found["clips"]:
        made = decoded(folder / "clips" / record["file"])
        length = record["end"] - record["start"]
        assert record["duration"] == pytest.approx(length, abs=NEAR)
        if media["audio"] is None:
            assert made.end == pytest.approx(length, abs=NEAR)
        wrong = [
            (time, number, facts.on_screen(record["start"] + time + 2e-3))
            for time, number in zip(made.times, made.numbers, strict=True)
            if number != facts.on_screen(record["start"] + time + 2e-3)
        ]
        if is_avi(path):  # a frame or two, see clips.LATE
            wrong = [each for each in wrong if abs(each[1] - each[2]) > 2]
        assert not wrong
        among = [t for t in facts.times if record["start"] - 1e-3 <= t < record["end"] - 1e-3]
        assert abs(len(made.times) - len(among)) <= (2 if is_avi(path) else 1)


def is_avi(path: Path) -> bool:
    return path.suffix == ".avi"


def sound_length(path: Path) -> float:
    """When its last sound ends, seconds of film time, by ffmpeg."""
    command = [make_media.binary(), "-nostdin", "-v", "info", "-i", path, "-map", "0:a:0"]
    command += ["-af", "ashowinfo", "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, check=True).stderr.decode(errors="replace")
    last = re.findall(r"pts_time:(\S+).* rate:(\d+) nb_samples:(\d+)", said)[-1]
    return float(last[0]) + int(last[2]) / int(last[1])


SHOWN_OTHERWISE = ("mirrored.mp4", "turned.mp4", "transposed.mp4", "cropped.mp4", "cropped.mkv")
"""Their numbers can't be read, only compared."""


@pytest.mark.parametrize("name", [n for n in ALL if n not in ("trimmed.mp4", *SHOWN_OTHERWISE)])
def test_a_tone_stays_where_its_picture_is(kind: Kind, name: str, tmp_path: Path) -> None:
    path = kind(name)
    media = probed(path)
    if media["audio"] is None:
        return
    facts = whole(path, media)
    target = tmp_path / "audio.wav"
    decoding.extract_audio(path, media, "default", target, ffmpeg.binary())
    with wave.open(str(target), "rb") as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(int)
    loud = np.flatnonzero(np.abs(sound) > 4000) / 16_000
    tones = loud[np.diff(loud, prepend=-9) > 0.5]
    expected = [
        time
        for time, number in zip(facts.times, facts.numbers, strict=True)
        if number > 0 and number % 25 == 0
    ]
    assert len(expected) >= 1
    for time in expected:
        # Encoders' padding, which not every container can say, is up to 50 ms.
        assert np.abs(tones - time).min() < 0.06
