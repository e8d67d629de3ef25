"""Trailers of real films: the frames and the sound that were planned, to the frame."""

import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import opentimelineio as otio
import pytest

import assemble_trailer
import make_media
from reelmake.editing import picture_geometry
from reelmake.editing.frame_rate import Cadence, cadence
from reelmake.editing.trailer_plan import Plan, Shot, plan
from reelmake.foundation import artifact_files
from reelmake.foundation.errors import StageError
from reelmake.jobs.run_context import RunContext
from reelmake.media import ffmpeg, film_frames, probing, trailer_film

Film = Callable[[str], Path]

SETTINGS = {"height": 1080, "codec": "libx264", "crf": 18, "preset": "ultrafast"}
BEATS = [("setup", 1.5, 6.0), ("climax", 6.2, 12.3), ("resolution", 15.0, 19.3)]
RATE = 48_000


def planned(
    path: Path, seconds: float = 8, fade: float = 0.5, beats: list[Any] | None = None
) -> tuple[dict[str, Any], Plan]:
    found = probing.probe(path)
    end = found["duration"]
    pictures = found["video"] is not None
    scenes = {"fps": None, "scenes": [{"start": 0, "end": end}] if pictures else []}
    parts = [
        {"beat": beat, "start": start, "end": end, "title": beat, "why": None}
        for beat, start, end in (BEATS if beats is None else beats)
    ]
    return found, plan(parts, [3.5, 9.0], cadence(found, scenes, seconds), seconds, fade)


def assembled(path: Path, target: Path, made: Plan, **settings: Any) -> Path:
    found = probing.probe(path)
    chosen = SETTINGS | settings
    trailer_film.assemble(path, found, made, chosen, target, ffmpeg.binary(), 2, lambda done: None)
    return target


def gray(path: Path) -> list[np.ndarray]:
    """Every frame; checks that frame n is shown at n / rate seconds."""
    found = probing.probe(path)
    rate = found["streams"][found["video"]]["fps_average"]
    with film_frames.Frames(path, found["video"], found["start_time"]) as frames:
        shown = list(frames.between(0, 1000))
    times = [frame.time for frame in shown]
    assert times == pytest.approx([number / rate for number in range(len(times))], abs=1e-4)
    return [frame.frame.to_ndarray(format="gray") for frame in shown]


def sound(path: Path) -> np.ndarray:
    """The first channel: samples at 48 kHz."""
    with av.open(str(path)) as container:
        blocks = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return np.concatenate(blocks, axis=1)[0]


def beeps(samples: np.ndarray, loud: float = 0.3) -> list[float]:
    """When tones begin, s."""
    hits = np.flatnonzero(np.abs(samples) > loud)
    return [float(hit) / RATE for hit in hits[np.diff(hits, prepend=-RATE) > RATE / 10]]


@pytest.mark.parametrize("fade", [0.5, 0.0])
@pytest.mark.parametrize("name", ["numbered.mp4", "numbered.ts", "numbered.mkv", "numbered.avi"])
def test_every_frame_is_the_planned_one(film: Film, tmp_path: Path, name: str, fade: float) -> None:
    path = film(name)
    found, made = planned(path, fade=fade)
    target = assembled(path, tmp_path / "trailer.mp4", made)
    frames = gray(target)
    assert probing.probe(target)["streams"][0]["pixel_format"] == "yuv420p"
    assert len(made.shots) == 3
    assert len(frames) == made.length
    numbers = [make_media.number(frame) for frame in frames]
    with film_frames.Frames(path, found["video"], found["start_time"]) as shown:
        source = {
            made.film.frame(frame.time): make_media.number(frame.frame.to_ndarray(format="gray"))
            for frame in shown.between(0, 99)
        }
    black = round(made.film.rate / 2) + 1
    for place, shot in zip(made.places(), made.shots, strict=True):
        first = made.fade if place else 0
        last = shot.end - shot.start - (made.fade or (black if shot is made.shots[-1] else 0))
        wanted = [source[number] for number in range(shot.start + first, shot.start + last)]
        assert numbers[place + first : place + last] == wanted
    assert frames[-1].mean() < 20 < 50 < frames[-black - 1].mean()


@pytest.mark.parametrize("name", ["numbered.mp4", "numbered.ts", "numbered.mkv", "numbered.m4a"])
def test_sound_stays_with_the_pictures(film: Film, tmp_path: Path, name: str) -> None:
    path = film(name)
    found, made = planned(path)
    samples = sound(assembled(path, tmp_path / "trailer.mp4", made))
    late = found["streams"][0]["start_time"]  # of the pictures, with which it was made
    tones = [
        (float(place / made.film.rate + second + late - made.film.time(shot.start)), shot, second)
        for place, shot in zip(made.places(), made.shots, strict=True)
        for second in range(20)
        if made.film.time(shot.start) <= second + late < made.film.time(shot.end)
    ]
    heard = beeps(samples)
    for beep in heard:
        assert min(abs(beep - time) for time, _, _ in tones) < 0.002
    clear = [  # those in the fades are quiet
        time
        for time, shot, second in tones
        if made.film.time(shot.start + made.fade) < second + late
        and second + 0.02 + late < made.film.time(shot.end - made.fade)
    ]
    assert len(clear) >= 4
    for time in clear:
        assert min(abs(beep - time) for beep in heard) < 0.002
    assert len(samples) / RATE == pytest.approx(made.length / made.film.rate, abs=0.03)


def test_sound_fades_in_and_out(film: Film, tmp_path: Path) -> None:
    graph = ["-f", "lavfi", "-i", "sine=frequency=1000:sample_rate=48000:duration=8"]
    make_media.ffmpeg(*graph, tmp_path / "tone.wav")
    path = tmp_path / "tone.wav"
    _, made = planned(path, 4, 0.5, [("setup", 1, 3), ("climax", 5, 7)])
    samples = np.abs(sound(assembled(path, tmp_path / "trailer.mp4", made)))
    level = [samples[at : at + 480].max() for at in range(0, len(samples) - 480, 480)]
    assert level[0] < 0.01 and level[-1] < 0.01
    assert level[15] == pytest.approx(level[60] / 2, rel=0.4)
    assert min(level[60:110]) == pytest.approx(max(level[60:110]), rel=0.05)
    # The loudness of what is not alike stays in the middle of a fade; a tone only differs.
    middle = round(made.places()[1] / made.film.rate * 100) + 25
    assert 0.2 * level[60] < level[middle] < 1.5 * level[60]


def test_two_runs_give_the_same_bytes_and_nothing_of_the_sources_metadata(tmp_path: Path) -> None:
    path = make_media.numbered_film(
        tmp_path / "a.mp4", 4, 25, "-metadata", "title=secret", "-metadata:s:a:0", "language=deu"
    )
    _, made = planned(path, 3, 0.2, [("setup", 0, 2), ("climax", 2, 4)])
    one = assembled(path, tmp_path / "1.mp4", made).read_bytes()
    assert one == assembled(path, tmp_path / "2.mp4", made).read_bytes()
    assert b"secret" not in one and b"Lavf6" not in one
    assert one.index(b"moov") < one.index(b"mdat")
    assert probing.probe(tmp_path / "1.mp4")["streams"][1]["language"] is None


def test_a_film_of_uneven_frames_is_cut_without_a_frame_of_another_scene(
    film: Film, tmp_path: Path
) -> None:
    """25, 10, then 50 frames a second: red, blue from 2 s, white from 5 s."""
    path = film("vfr.mkv")
    shots = (Shot(51, 128, "setup", None, None), Shot(129, 180, "climax", None, None))
    length = Cadence(Fraction(180, 7), 180)
    assert [length.frame(2.0), length.frame(5.0)] == [51, 129]
    target = assembled(path, tmp_path / "trailer.mp4", Plan(shots, 0, length))
    found = probing.probe(target)
    with film_frames.Frames(target, found["video"], 0) as frames:
        colors = [f.frame.to_ndarray(format="bgr24").mean((0, 1)) for f in frames.between(0, 99)]
    assert len(colors) == 128
    assert all(blue > 200 and red < 50 for blue, _, red in colors[:77])
    assert all(min(color) > 200 for color in colors[77:110])


@pytest.mark.parametrize(
    ("name", "height", "size"),
    [
        ("rotated.mp4", 1080, (90, 160)),
        ("rotated.mp4", 80, (44, 80)),
        ("ten bit.mp4", 1080, (160, 90)),
        ("odd.mkv", 1080, (160, 90)),
        ("odd.mkv", 45, (78, 44)),
    ],
)
def test_pictures_are_upright_even_and_never_enlarged(
    film: Film, tmp_path: Path, name: str, height: int, size: tuple[int, int]
) -> None:
    path = film(name)
    _, made = planned(path, 2, 0.2, [("setup", 0, 0.9), ("climax", 1, 2)])
    target = assembled(path, tmp_path / "trailer.mp4", made, height=height)
    stream = probing.probe(target)["streams"][0]
    assert (stream["width"], stream["height"]) == size
    assert (stream["rotation"], stream["pixel_aspect"]) == (0, 1.0)
    assert (stream["pixel_format"], stream["codec"]) == ("yuv420p", "h264")
    if name == "rotated.mp4":  # blue is on top
        with film_frames.Frames(target, 0, 0) as frames:
            top = next(frames.between(0, 1)).frame.to_ndarray(format="bgr24")[: size[1] // 3]
        assert top.mean((0, 1)).argmax() == 0


def test_wide_pixels_become_square() -> None:
    stream = {"width": 720, "height": 576, "pixel_aspect": 1.422222, "rotation": 0}
    assert picture_geometry.shown_size(stream, 1080) == (720, 404)
    assert picture_geometry.shown_size(stream | {"rotation": 90}, 1080) == (404, 720)
    assert picture_geometry.shown_size(stream | {"pixel_aspect": 0.5}, 288) == (180, 288)
    assert picture_geometry.shown_size(stream | {"width": 9, "height": 9000}, 16) == (2, 16)


@pytest.mark.parametrize(
    ("name", "beats"),
    [
        ("song.m4a", []),
        ("one frame.mp4", []),
        ("cfr.mp4", [("setup", 0, 2), ("climax", 3, 6)]),
        ("gap.mkv", [("setup", 0.5, 2.2), ("climax", 2.5, 6)]),
        ("late.ts", [("setup", 0, 1.6), ("climax", 2.5, 6)]),
        ("early.mkv", [("setup", 0, 1.6), ("climax", 2.5, 6)]),
        ("whole.flv", [("setup", 0, 1.6), ("climax", 2.5, 6)]),
        ("fragments.mp4", [("setup", 0, 1.6), ("climax", 2.5, 6)]),
        ("5.1.wav", [("setup", 0, 1.6), ("climax", 2.5, 6)]),
        ("short sound.mp4", [("setup", 0, 1.6), ("climax", 2.5, 6)]),
    ],
)
def test_pictures_and_sound_are_there_where_the_film_has_them(
    film: Film, tmp_path: Path, name: str, beats: list[Any]
) -> None:
    path = film(name)
    found, made = planned(path, 5, 0.5, beats)
    target = assembled(path, tmp_path / "trailer.mp4", made)
    length = pytest.approx(made.length / made.film.rate, abs=0.03)
    result = probing.probe(target)
    kinds = ["video"] * (found["video"] is not None) + ["audio"] * (found["audio"] is not None)
    assert [stream["type"] for stream in result["streams"]] == kinds
    assert [stream["start_time"] for stream in result["streams"]] == [0.0] * len(kinds)
    assert [stream["duration"] for stream in result["streams"]] == [length] * len(kinds)
    if "video" in kinds:
        assert len(gray(target)) == made.length


def test_a_shot_without_sound_is_silent(film: Film, tmp_path: Path) -> None:
    path = film("short sound.mp4")
    _, made = planned(path, 5, 0.5, [("setup", 0, 1.6), ("climax", 2.5, 6)])
    samples = np.abs(sound(assembled(path, tmp_path / "trailer.mp4", made)))
    assert samples[int(0.6 * RATE) : int(0.8 * RATE)].max() > 0.05
    assert samples[int(made.places()[1] / made.film.rate * RATE) + RATE :].max() < 0.001


def test_a_broadcast_may_change_its_size_and_layout_in_a_shot(film: Film, tmp_path: Path) -> None:
    path = film("changing.ts")
    _, made = planned(path, 6, 0.2, [("setup", 0.5, 2.5), ("climax", 3.0, 6.5)])
    target = assembled(path, tmp_path / "trailer.mp4", made)
    frames, samples = gray(target), sound(target)
    assert len(frames) == made.length
    assert {frame.shape for frame in frames} == {(90, 160)}
    place, (start, end, *_) = made.places()[1], made.shots[1]
    numbers = [make_media.number(frame) for frame in frames[place + 5 : place + end - start - 15]]
    wanted = [number % 100 for number in range(start + 5, end - 15)]
    assert numbers == wanted
    assert len(samples) / RATE == pytest.approx(made.length / made.film.rate, abs=0.03)
    assert len(beeps(samples, 0.1)) >= 4


def test_h265_is_tagged_for_apple(film: Film, tmp_path: Path) -> None:
    path = film("cfr.mp4")
    _, made = planned(path, 1, 0, [])
    target = assembled(path, tmp_path / "trailer.mp4", made, codec="libx265", crf=30)
    assert probing.probe(target)["streams"][0]["codec"] == "hevc"
    assert b"hvc1" in target.read_bytes()


def test_an_ffmpeg_without_the_encoder_is_named_with_the_setting(
    film: Film, tmp_path: Path
) -> None:
    path = film("cfr.mp4")
    _, made = planned(path, 1, 0, [])
    with pytest.raises(StageError, match=r"encoder libnope: set trailer\.codec") as caught:
        assembled(path, tmp_path / "trailer.mp4", made, codec="libnope")
    assert caught.value.kind == "engine"


NAMES = ['it\'s 100%d "so".mp4', "-i.mp4", "a:b=c;d,[e]\\.mp4", "🎬 ñ\n.mp4", b"not \xff utf-8.mp4"]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_will_do(
    film: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str | bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(name if isinstance(name, str) else name.decode(errors="surrogateescape"))
    shutil.copy(film("cfr.mp4"), path)
    _, made = planned(path, 1, 0, [])
    target = path.with_name(f"{path.name} trailer.mp4")
    assert len(gray(assembled(path, target, made))) == 25


def test_what_can_not_be_decoded_is_refused(film: Film, tmp_path: Path) -> None:
    path = film("no frames.mp4")
    made = Plan((Shot(0, 25, "opening", None, None),), 0, Cadence(Fraction(25), 150))
    with pytest.raises(StageError, match="intact file") as caught:
        assembled(path, tmp_path / "trailer.mp4", made)
    assert caught.value.kind == "input"
    assert str(path) in str(caught.value)


def test_a_trailer_that_is_not_what_was_planned_is_refused(film: Film, tmp_path: Path) -> None:
    """As of an ffmpeg that ends well after half of it."""
    path, program = film("cfr.mp4"), tmp_path / "ffmpeg"
    _, made = planned(path, 4, 0.0, [])
    half = assembled(path, tmp_path / "half.mp4", planned(path, 2, 0.0, [])[1])
    program.write_text(f'#!/bin/sh\nfor last; do :; done\ncp {half} "${{last#file:}}"\n')
    program.chmod(0o755)
    found, target = probing.probe(path), tmp_path / "trailer.mp4"
    with pytest.raises(StageError, match=r"has 2\.00 s instead of 2\.48"):
        trailer_film.assemble(path, found, made, SETTINGS, target, str(program), 2, print)


class Told(SimpleNamespace):
    """What the script asks of its job."""

    def source(self) -> Path:
        self.asked += 1
        return self.path

    def progress(self, done: int, total: int) -> None:
        assert 0 <= done <= total


@pytest.mark.parametrize("name", ["numbered.mkv", "song.m4a", "one frame.mp4"])
def test_the_stage_publishes_a_film_and_two_lists_of_its_cuts(
    film: Film, tmp_path: Path, name: str
) -> None:
    """Of a film with beats, of one without pictures, of one of a single frame."""
    path = film(name)
    found = probing.probe(path) | {"content": "0" * 64}
    pictures = found["video"] is not None
    beats = [beat("setup", 1.5, 6.0), beat("climax", 8.0, 12.0)] if "numbered" in name else []
    scene = {"id": 0, "start": 0.0, "end": found["duration"], "start_frame": 0, "end_frame": 9}
    inputs = {
        "media": found,
        "scenes": {
            **{"fps": None, "frames": 9, "duration": found["duration"], "detector": "content"},
            "scenes": [scene] if pictures else [],
        },
        "narrative": {"model": "m", "failed": 0, "beats": beats},
    }
    for schema, content in inputs.items():
        artifact_files.write_json(tmp_path / f"{schema}.json", content, schema)
    settings = {**SETTINGS, "seconds": 4, "crossfade_seconds": 0.5, "handles_seconds": 1.0}
    settings |= {"track": "default", "undecodable": "fail"}
    this = Told(video="v", path=path, settings=settings, record={"engines": {}}, asked=0)
    this.run = RunContext(threads=2)

    def made() -> list[bytes]:
        outputs = {name: tmp_path / f"trailer.{name}" for name in ("mp4", "otio", "edl")}
        assemble_trailer.assemble_trailer(
            this,
            **{schema: tmp_path / f"{schema}.json" for schema in inputs},
            film=outputs.pop("mp4"),
            **outputs,
        )
        return [(tmp_path / f"trailer.{name}").read_bytes() for name in ("mp4", "otio", "edl")]

    first = made()
    assert this.asked == 2
    assert this.record["engines"]["ffmpeg"] == ffmpeg.version(ffmpeg.binary())
    assert probing.probe(tmp_path / "trailer.mp4")["duration"] <= 4.04
    timeline = otio.adapters.read_from_string(first[1].decode(), "otio_json")
    kinds = ["Video"] * pictures + ["Audio"] * (found["audio"] is not None)
    assert [track.kind for track in timeline.tracks] == kinds
    edl = otio.adapters.read_from_string(
        first[2].decode(), "cmx_3600", rate=timeline_rate(timeline)
    )
    assert len(list(edl.find_clips())) == (len(beats) or 1)
    assert made() == first
    if beats:
        this.path = tmp_path / "begun.mkv"
        tag = ["-metadata", "timecode=10:00:00:00"]
        make_media.ffmpeg("-i", path, "-map", "0", "-c", "copy", *tag, this.path)
        timeline = otio.adapters.read_from_string(made()[1].decode(), "otio_json")
        ranges = [clip.media_reference.available_range for clip in timeline.find_clips()]
        assert {each.start_time.value for each in ranges} == {36_000 * 30}  # it is 29.97
        assert b"10:00:0" in (tmp_path / "trailer.edl").read_bytes()
    assert not [entry for entry in tmp_path.iterdir() if entry.name.startswith(".")]


def beat(name: str, start: float, end: float) -> dict[str, Any]:
    named = {"beat": name, "id": 0, "score": None, "title": None, "why": None}
    return named | {"start": start, "end": end}


def timeline_rate(timeline: Any) -> float:
    return float(timeline.duration().rate)
