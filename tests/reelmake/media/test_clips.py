"""Clips begin and end with the right frame, and their sound stays with their pictures."""

import itertools
import shutil
import wave
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import make_media
from reelmake.foundation import artifact_files
from reelmake.foundation.errors import StageError
from reelmake.media import clips, decoding, ffmpeg, film_frames, probing

Film = Callable[[str], Path]

FRAME = 0.04
SILENT: dict = {"segments": []}


def cut(
    path: Path,
    folder: Path,
    *pieces: tuple[float, float],
    transcript: dict = SILENT,
    keyframes: tuple[dict, ...] = (),
    **settings: object,
) -> list[dict]:
    """The entries of clips.json, checked against the files that were written."""
    chosen = [
        {"id": 7 + n, "start": start, "end": end, "score": 8, "reason": None, "text": "so"}
        for n, (start, end) in enumerate(pieces)
    ]
    given = make_media.clip_settings(**{"preset": "ultrafast", **settings})
    folder.mkdir(exist_ok=True)
    found = clips.cut_all(
        path, probing.probe(path), chosen, transcript, [*keyframes], given, folder,
        ffmpeg.binary(), threads=2,
    )  # fmt: skip
    artifact_files.validate(found, "clips")
    records: list[dict] = found["clips"]
    files = {name for record in records for name in (record["file"], record["subtitles"]) if name}
    assert {entry.name for entry in folder.iterdir()} == files
    assert [record["id"] for record in records] == [7 + n for n in range(len(pieces))]
    return records


def pictures(path: Path) -> list[tuple[float, np.ndarray]]:
    """When each frame is shown, seconds of film time, and what is, gray and upright."""
    facts = probing.probe(path)
    with film_frames.Frames(path, facts["video"], facts["start_time"]) as frames:
        return [(s.time, s.frame.to_ndarray(format="gray")) for s in frames.between(0, 99)]


def numbers(path: Path) -> list[tuple[float, int]]:
    return [(time, make_media.number(gray)) for time, gray in pictures(path)]


def heard(path: Path, tmp_path: Path) -> tuple[np.ndarray, float]:
    """When each tone begins, and how long the sound is; seconds."""
    target = tmp_path / "heard.wav"
    decoding.extract_audio(path, probing.probe(path), "default", target, ffmpeg.binary())
    with wave.open(str(target), "rb") as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(int)
    loud = np.flatnonzero(np.abs(sound) > 4000) / 16_000
    return loud[np.diff(loud, prepend=-9) > 0.5], len(sound) / 16_000


# At a key frame, between two frames, just before and just after one, at the very beginning and
# beyond the end.
PIECES = [(2.0, 4.0), (1.0, 1.51), (3.9999, 5.0001), (3.43, 6.11), (0.0, 0.4), (7.2, 8.5)]
COUNTED = ["numbers.mp4", "numbers.mkv", "numbers.ts", "numbers.avi", "open.mkv", "intra.mov"]
COUNTED += ["interlaced.ts", "vp9.webm"]


@pytest.mark.parametrize("name", COUNTED)
def test_a_clip_has_the_frames_of_its_time(film: Film, tmp_path: Path, name: str) -> None:
    """Every one of them, at its time, and none besides."""
    source = numbers(film(name))
    spoken, _ = heard(film(name), tmp_path)
    pieces = PIECES
    if name.endswith(".avi"):  # It has no presentation times: what begins and sounds when is vague.
        pieces = PIECES[:4]
    else:
        assert spoken == pytest.approx([2.01, 4.01, 6.01], abs=0.025)
    records = cut(film(name), tmp_path / "clips", *pieces)
    for (start, end), record in zip(pieces, records, strict=True):
        path = tmp_path / "clips" / record["file"]
        expected = [
            (time, number)
            for time, number in source
            if start - FRAME / 2 <= time < end - FRAME / 2
        ]  # fmt: skip
        found = numbers(path)
        assert [number for _, number in found] == [number for _, number in expected]
        begin = expected[0][0]
        assert record["start"] == pytest.approx(begin, abs=1e-5)
        assert [time for time, _ in found] == pytest.approx(
            [time - begin for time, _ in expected], abs=0.001
        )
        last = expected[-1][0] + FRAME
        assert record["end"] == pytest.approx(last, abs=0.002)
        assert record["duration"] == pytest.approx(last - begin, abs=FRAME)
        assert (record["width"], record["height"]) == (160, 96)
        tones, length = heard(path, tmp_path)
        assert length == pytest.approx(last - begin, abs=0.025)
        within = spoken[(spoken >= begin - 0.001) & (spoken < last)] - begin
        assert tones == pytest.approx(within, abs=0.005)


def test_pictures_that_stay_long_are_cut_where_asked(film: Film, tmp_path: Path) -> None:
    """50 frames a second until 2 s, then one each 0.5 s: what is on screen there comes first."""
    path = film("slides.mkv")
    source = numbers(path)
    assert [n for time, n in source if 1.9 < time < 3.1] == [96, 97, 98, 99, 100, 101, 102]
    first, second, third = cut(path, tmp_path / "clips", (3.3, 4.7), (1.51, 3.02), (1.995, 2.505))
    assert (first["start"], first["end"]) == (3.3, 4.7)
    assert numbers(tmp_path / "clips" / first["file"]) == [
        (0, 102), (pytest.approx(0.2), 103), (pytest.approx(0.7), 104), (pytest.approx(1.2), 105),
    ]  # fmt: skip
    assert (second["start"], second["end"]) == (1.5, 3.0)
    found = numbers(tmp_path / "clips" / second["file"])
    assert [n for _, n in found] == [*range(75, 102)]
    assert found[-1][0] == pytest.approx(1.0)
    assert [n for _, n in numbers(tmp_path / "clips" / third["file"])] == [100]
    for record in (first, second, third):
        _, length = heard(tmp_path / "clips" / record["file"], tmp_path)
        assert length == pytest.approx(record["end"] - record["start"], abs=0.025)


@pytest.mark.parametrize("name", ["numbers.avi", "numbers.mkv"])
def test_sound_is_not_rounded_to_the_times_of_pictures(
    film: Film, tmp_path: Path, name: str
) -> None:
    (record,) = cut(film(name), tmp_path / "clips", (1.0, 3.0))
    with av.open(str(tmp_path / "clips" / record["file"])) as container:
        stream = container.streams.audio[0]
        assert stream.time_base == Fraction(1, 48_000)
        ticks = [packet.pts for packet in container.demux(stream) if packet.pts is not None]
    assert {after - before for before, after in itertools.pairwise(ticks)} == {1024}


def test_long_last_pictures_are_there_with_b_frames_too(film: Film, tmp_path: Path) -> None:
    (record,) = cut(film("slides.mkv"), tmp_path / "clips", (1.0, 4.0), preset="veryfast")
    found = numbers(tmp_path / "clips" / record["file"])
    assert [n for _, n in found] == [*range(50, 104)]
    assert found[-1][0] == pytest.approx(2.5)


SYNC = ["together.mp4", "late.mp4", "late.mkv", "late.ts", "early.mp4", "early.mkv", "start.ts"]


@pytest.mark.parametrize("name", [*SYNC, "gap.mkv"])
def test_a_click_and_a_flash_stay_together(film: Film, tmp_path: Path, name: str) -> None:
    """Wherever the timestamps of a file begin, and where its sound starts late or has a gap."""
    records = cut(film(name), tmp_path / "clips", (2.4, 4.2), (0.5, 5.0), (0.0, 1.2))
    zero = 0.01 if name == "start.ts" else 0  # its sound begins 10 ms before its pictures
    for record in records[:2]:
        path = tmp_path / "clips" / record["file"]
        seen = [time for time, gray in pictures(path) if gray.mean() > 200]
        click = 3.0 + zero - record["start"]
        assert seen == pytest.approx([click], abs=0.001 if record["start"] > 1 else FRAME)
        tones, length = heard(path, tmp_path)
        assert tones == pytest.approx([click], abs=0.01)
        assert length == pytest.approx(record["end"] - record["start"], abs=0.025)
    # Sound, or pictures, begin later, if at all.
    tones, length = heard(tmp_path / "clips" / records[2]["file"], tmp_path)
    assert (len(tones), length) == (0, pytest.approx(1.2, abs=0.025))


def test_a_broadcast_may_change_its_size_and_layout_in_a_clip(film: Film, tmp_path: Path) -> None:
    """After 4 s, where the numbers begin again."""
    (record,) = cut(film("changing.ts"), tmp_path / "clips", (2.5, 6.5), loudness=-20)
    path = tmp_path / "clips" / record["file"]
    assert [number for _, number in numbers(path)] == [*range(62, 100), *range(62)]
    tones, length = heard(path, tmp_path)
    assert tones == pytest.approx(np.arange(3, 7) - record["start"], abs=0.015)
    assert length == pytest.approx(record["end"] - record["start"], abs=0.025)


def test_an_ffmpeg_without_the_encoder_is_named_with_the_setting(
    film: Film, tmp_path: Path
) -> None:
    path = film("cfr.mp4")
    given = make_media.clip_settings() | {"codec": "libnope"}
    chosen = [{"id": 0, "start": 0, "end": 1, "score": 8, "reason": None, "text": ""}]
    with pytest.raises(StageError, match=r"encoder libnope: set clips\.codec") as caught:
        clips.cut_all(
            path, probing.probe(path), chosen, SILENT, [], given, tmp_path, ffmpeg.binary()
        )
    assert caught.value.kind == "engine"


def test_a_phones_film_is_upright(film: Film, tmp_path: Path) -> None:
    (record,) = cut(film("rotated.mp4"), tmp_path, (0.5, 1.5))
    assert (record["width"], record["height"]) == (90, 160)
    facts = probing.probe(tmp_path / record["file"])
    assert facts["streams"][0]["rotation"] == 0
    assert facts["audio"] is None
    with film_frames.Frames(tmp_path / record["file"], 0, 0) as frames:
        shown = next(frames.between(0, 1)).frame.to_ndarray(format="bgr24")
    assert shown.shape == (160, 90, 3)
    assert shown[20, 45].argmax() == 0  # blue above
    assert shown[140, 45].argmax() == 2  # red below


@pytest.mark.parametrize(
    ("name", "size"), [("odd.mkv", (160, 90)), ("ten bit.mp4", (160, 90)), ("vfr.mkv", (160, 90))]
)
def test_unusual_pictures_are_made_playable(
    film: Film, tmp_path: Path, name: str, size: tuple[int, int]
) -> None:
    (record,) = cut(film(name), tmp_path, (0.5, 1.5))
    assert (record["width"], record["height"]) == size
    stream = probing.probe(tmp_path / record["file"])["streams"][0]
    assert (stream["pixel_format"], stream["bit_depth"]) == ("yuv420p", 8)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """160x90 pixels, 4:3 wide each: gray, with a white square, as seen, in the middle."""
    path = tmp_path_factory.mktemp("shapes") / "target.mp4"
    graph = "color=0x707070:s=160x90:r=25:d=2,drawbox=x=65:y=25:w=30:h=40:color=white:t=fill"
    return make_media.video(path, f"{graph},setsar=4/3")


@pytest.mark.parametrize(
    ("aspect", "fit", "size"),
    [
        (None, "crop", (160, 90)),
        ("9:16", "crop", (38, 90)),  # of wide pixels: 51 by 90 as seen
        ("9:16", "pad", (160, 380)),
        ("4:1", "crop", (160, 54)),
        ("4:1", "pad", (270, 90)),
    ],
)
def test_another_shape(
    target: Path, tmp_path: Path, aspect: str | None, fit: str, size: tuple[int, int]
) -> None:
    """The middle of the film in the middle, nothing scaled, the rest black."""
    (record,) = cut(target, tmp_path, (0.5, 1.5), aspect=aspect, fit=fit, crf=5)
    found = (record["width"], record["height"])
    assert found == size
    stream = probing.probe(tmp_path / record["file"])["streams"][0]
    assert stream["pixel_aspect"] == pytest.approx(4 / 3, abs=0.001)
    if aspect:
        across, down = map(int, aspect.split(":"))
        assert found[0] * 4 / 3 / found[1] == pytest.approx(across / down, rel=0.05)
    _, gray = pictures(tmp_path / record["file"])[10]
    rows, columns = np.nonzero(gray > 200)
    assert columns.max() - columns.min() + 1 == pytest.approx(30, abs=1)
    assert rows.max() - rows.min() + 1 == pytest.approx(min(40, found[1]), abs=1)
    assert (columns.max() + columns.min()) / 2 == pytest.approx(found[0] / 2, abs=2)
    assert (rows.max() + rows.min()) / 2 == pytest.approx(found[1] / 2, abs=2)
    assert (gray[0, 0] < 20) == (fit == "pad" and aspect is not None)


@pytest.mark.parametrize("name", ["song.m4a", "stereo.mka", "5.1.wav"])
def test_sound_only(film: Film, tmp_path: Path, name: str) -> None:
    record, *_ = cut(film(name), tmp_path / "clips", (0.5, 1.75), (0, 1))
    assert (record["file"], record["width"], record["height"]) == ("clip001.m4a", None, None)
    assert record["duration"] == pytest.approx(1.25, abs=0.025)
    tones, _ = heard(tmp_path / "clips" / record["file"], tmp_path)
    assert tones == pytest.approx([0.5] if name == "song.m4a" else [], abs=0.01)


def test_sound_that_goes_on_without_pictures(tmp_path: Path) -> None:
    """The last picture stays while there is sound, in a clip of only that, too."""
    path = tmp_path / "long.mkv"
    make_media.ffmpeg(
        *("-f", "lavfi", "-i", make_media.counter(2), "-f", "lavfi", "-i", "sine=d=6"),
        *(*make_media.H264, "-c:a", "aac", path),
    )
    over, after = cut(path, tmp_path / "clips", (1, 4), (3, 5))
    for record, frames, seconds in ((over, 25, 3), (after, 1, 2)):
        assert record["duration"] == pytest.approx(seconds, abs=0.05)
        shown = pictures(tmp_path / "clips" / record["file"])
        assert len(shown) == frames
        assert shown[-1][1].mean() == pytest.approx((make_media.luma(49) - 16) * 255 / 219, abs=4)
        stream = probing.probe(tmp_path / "clips" / record["file"])["streams"][0]
        assert stream["duration"] == pytest.approx(seconds, abs=0.05)


def test_the_default_track_is_heard(film: Film, tmp_path: Path) -> None:
    (record,) = cut(film("two.mkv"), tmp_path / "clips", (0.4, 2.4))
    tones, _ = heard(tmp_path / "clips" / record["file"], tmp_path)
    assert tones == pytest.approx([1.6], abs=0.01)


needs_a_font = pytest.mark.skipif(
    not (
        Path("/etc/fonts/fonts.conf").exists() and any(Path("/usr/share/fonts").rglob("*.[to]tf"))
    ),
    reason="there is no font on this machine: install fontconfig and fonts-dejavu-core",
)


NAMES = [
    'it\'s "quoted", 100% [of] {it}: a,b;c.mp4',
    "-y -f null.mp4",
    "\N{CLAPPER BOARD} \\ x.mp4",
    "%03d.mp4",
    "latin \udce9.mp4",
]


@needs_a_font
@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_only_a_name(
    film: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Of the film, and of the folder that the clips are written to."""
    monkeypatch.chdir(tmp_path)
    path, folder = Path(name), Path(name).with_suffix("")
    shutil.copy(film("numbers.mp4"), path)
    words = spoken_words(["yes"])
    (record,) = cut(path, folder, (1, 2), transcript=words, subtitles="burned", loudness=-16)
    assert len(numbers(folder / record["file"])) == 25


def spoken_words(words: list[str]) -> dict:
    """A transcript in which each word takes half a second, from 1 s on."""
    return {
        "segments": [
            {
                "start": 1.0,
                "end": 1 + len(words) / 2,
                "text": "".join(f" {word}" for word in words),
                "words": [
                    {"word": f" {w}", "start": 1 + n / 2, "end": 1.5 + n / 2, "probability": 0.5}
                    for n, w in enumerate(words)
                ],
            }
        ]
    }


def test_what_is_said_and_seen_is_listed(film: Film, tmp_path: Path) -> None:
    words = spoken_words(["zero", "one", "two", "<b>three</b>", "four"])
    frames = tuple(
        {"file": f"scene000{n}_1.jpg", "timestamp": time}
        for n, time in enumerate([1.96, 2.0, 2.96, 3.0])
    )
    record, _ = cut(
        film("numbers.mp4"), tmp_path, (2.0, 3.0), (5, 6), transcript=words, keyframes=frames
    )
    assert [word["word"] for word in record["words"]] == [" two", " <b>three</b>"]
    assert record["keyframes"] == ["scene0001_1.jpg", "scene0002_1.jpg"]
    assert (record["subtitles"], record["score"], record["text"]) == ("clip001.srt", 8, "so")
    assert (tmp_path / "clip001.srt").read_text() == (
        "1\n00:00:00,000 --> 00:00:01,000\ntwo <b>three</b>\n\n"
    )
    assert not (tmp_path / "clip002.srt").exists()  # nothing is said


@needs_a_font
def test_subtitles_are_burned_where_words_are(film: Film, tmp_path: Path) -> None:
    """Into the lower part of the picture, while they are spoken; commands are shown as text."""
    words = spoken_words(["{\\an8}Hello", "there"])
    pieces = ((0.5, 3.0),)
    settings: dict = {"crf": 5, "aspect": "9:16", "fit": "pad"}
    plain, burned = tmp_path / "plain", tmp_path / "burned"
    cut(film("cfr.mp4"), plain, *pieces, subtitles="none", **settings)
    (record,) = cut(
        film("cfr.mp4"), burned, *pieces, transcript=words, subtitles="burned", **settings
    )
    assert record["subtitles"] is None
    before, after = (pictures(folder / "clip001.mp4") for folder in (plain, burned))
    for (time, gray), (again, other) in zip(before, after, strict=True):
        assert time == again
        changed = np.abs(gray.astype(int) - other) > 60
        assert changed.any() == (0.5 <= time < 1.5), time
        assert not changed[: len(gray) // 2].any()


def test_no_font_is_an_error(film: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "none.conf").write_text("<fontconfig></fontconfig>")
    monkeypatch.setenv("FONTCONFIG_FILE", str(tmp_path / "none.conf"))
    with pytest.raises(StageError, match="no font is found: install one") as caught:
        cut(film("cfr.mp4"), tmp_path / "clips", (0, 1), subtitles="burned")
    assert caught.value.kind == "engine"


def loudness(path: Path) -> float:
    """Integrated loudness, LUFS, as another filter of ffmpeg measures it."""
    said = ffmpeg.run(
        ffmpeg.binary(),
        ["-nostats", "-i", str(path), "-vn", "-af", "ebur128", "-f", "null", "-"],
        str(path), level="info",
    )  # fmt: skip
    return float(said[said.rindex("I:") + 2 :].split()[0])


@pytest.mark.parametrize(
    ("sound", "wanted"),
    [
        ("sine=f=440:d=5,volume=-30dB", -16),
        ("sine=f=440:d=5,volume=12dB", -23),
        # Peaks far over the rest, as in speech: a gain alone would clip them.
        ("anoisesrc=d=5:a=0.02:seed=1,volume='if(lt(mod(t,0.5),0.02),12,1)':eval=frame", -14),
    ],
)
def test_sound_is_brought_to_a_loudness(tmp_path: Path, sound: str, wanted: float) -> None:
    path = tmp_path / "loud.mkv"
    make_media.ffmpeg("-f", "lavfi", "-i", sound, "-c:a", "flac", path)
    folder = tmp_path / "clips"
    (record,) = cut(path, folder, (0.5, 4.5), loudness=wanted)
    assert loudness(folder / record["file"]) == pytest.approx(wanted, abs=1)
    facts = probing.probe(folder / record["file"])
    assert facts["streams"][0]["sample_rate"] == 48_000
    (record,) = cut(path, tmp_path / "as it is", (0.5, 4.5))
    assert abs(loudness(tmp_path / "as it is" / record["file"]) - wanted) > 4


def test_silence_has_no_loudness(tmp_path: Path) -> None:
    path = tmp_path / "silence.wav"
    make_media.ffmpeg("-f", "lavfi", "-i", "anullsrc", "-t", "3", path)
    (record,) = cut(path, tmp_path / "clips", (0, 2), loudness=-16)
    assert record["duration"] == pytest.approx(2, abs=0.025)


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_the_same_film_gives_the_same_bytes(film: Film, tmp_path: Path, codec: str) -> None:
    for name in ("a", "b"):
        cut(film("together.mp4"), tmp_path / name, (2.5, 4), codec=codec)
    content = (tmp_path / "a" / "clip001.mp4").read_bytes()
    assert content == (tmp_path / "b" / "clip001.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")  # it can be played while it loads
    assert (b"hvc1" in content) == (codec == "libx265")


def test_nothing_of_the_sources_metadata_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "named.mp4"
    make_media.sync(path)
    named = tmp_path / "secret.mp4"
    make_media.ffmpeg(
        *("-i", path, "-c", "copy", "-metadata", "title=Secret", "-metadata:s:v", "title=Secret"),
        *("-metadata", "location=+48.1+11.5/", named),
    )
    (record,) = cut(named, tmp_path / "clips", (1, 2))
    content = (tmp_path / "clips" / record["file"]).read_bytes()
    assert b"Secret" not in content and b"+48.1" not in content


def test_no_highlights_no_clips(film: Film, tmp_path: Path) -> None:
    assert cut(film("cfr.mp4"), tmp_path, subtitles="burned") == []


def test_a_damaged_piece_is_an_error_that_names_it(film: Film, tmp_path: Path) -> None:
    with pytest.raises(StageError) as caught:
        cut(film("no frames.mp4"), tmp_path / "clips", (1, 3))
    assert caught.value.kind == "input"
    assert "no frames.mp4, 1.00 to 3.00 s" in str(caught.value)


def test_missing_pictures_are_an_error(film: Film, tmp_path: Path) -> None:
    """Though ffmpeg itself is content with those that it can decode."""
    content = bytearray(film("numbers.mp4").read_bytes())
    start, end = content.index(b"mdat") + 4, content.index(b"moov", 1000) - 4
    content[start + (end - start) // 2 : end] = bytes(end - start - (end - start) // 2)
    path = tmp_path / "half.mp4"
    path.write_bytes(content)
    (record,) = cut(path, tmp_path / "clips", (1.0, 2.0))
    assert len(numbers(tmp_path / "clips" / record["file"])) == 25
    with pytest.raises(
        StageError, match=r"half.mp4, 2.00 to 5.00 s: pictures can be decoded for 2\.0\d s"
    ):
        cut(path, tmp_path / "late", (2.0, 5.0))


def test_progress_is_told_in_clips(film: Film, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    path, given = film("cfr.mp4"), make_media.clip_settings(preset="ultrafast")
    chosen = [
        {"id": n, "start": n, "end": n + 1, "score": 8, "reason": None, "text": ""} for n in (0, 2)
    ]
    clips.cut_all(
        path, probing.probe(path), chosen, SILENT, [], given, tmp_path, ffmpeg.binary(),
        progress=lambda *now: told.append(now),
    )  # fmt: skip
    assert told == [(1, 2), (2, 2)]
