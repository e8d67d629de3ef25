"""Interlaced films: keyframes, clips and trailer show whole pictures, without combs."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import make_media
from made import clip_of, made_of
from reelmake.editing import streams
from reelmake.foundation import artifact_files
from reelmake.media import film_frames, probing

MPEG2 = ("-c:v", "mpeg2video", "-q:v", "2", "-flags", "+ildct+ilme")
PIECE = 0.4, 1.4
"""Seconds of the films, for a clip and a trailer."""
KINDS = {
    # How the fields are woven, and the codec.
    "dvd.mpg": ("interleave_top", MPEG2),
    "bottom.mpg": ("interleave_bottom", MPEG2),
    "hdv.ts": ("interleave_top", ("-c:v", "libx264", "-crf", "10", "-x264-params", "tff=1")),
    "late.mkv": ("interleave_top", ("-c:v", "libx264", "-crf", "10", "-x264-params", "bff=1")),
}


@pytest.fixture(scope="module")
def kind(shared) -> Callable[[str], Path]:
    """2 s of a white bar that moves fast, filmed at 50 fields a second."""

    def get(name: str) -> Path:
        def make(folder: Path) -> None:
            mode, codec = KINDS[name]
            first = "top" if "tff" in str(codec) or mode.endswith("top") else "bottom"
            bar = "color=gray:s=320x240:r=50:d=2,geq=lum='if(lt(mod(X-N*8,160),40),220,60)':cb=128"
            graph = f"{bar}:cr=128,tinterlace=interleave_{first},setfield=mode={first[0]}ff"
            make_media.ffmpeg(
                *("-f", "lavfi", "-i", graph, *codec, "-pix_fmt", "yuv420p", folder / name)
            )

        return shared(f"interlaced {name}", make) / name

    return get


def combs(path: Path) -> float:
    """How much neighboring lines differ, of 255, in a film's worst frame: 0 in whole pictures,
    as all lines of the bar are the same."""
    found = film_frames.Frames(path, probing.probe(path)["video"], 0.0, threads=1)
    worst = 0.0
    with found as frames:
        for shown in frames.between(0.0, 99.0):
            gray = shown.frame.to_ndarray(format="gray").astype(int)
            worst = max(worst, float(np.abs(np.diff(gray[4:-4], axis=0)).mean()))
    return worst


@pytest.mark.parametrize("name", KINDS)
def test_whole_pictures_are_made_of_fields(kind, tmp_path, name) -> None:
    path = kind(name)
    assert combs(path) > 10  # or it would prove nothing
    media = probing.probe(path)
    artifact_files.validate({"content": "0" * 64} | media, "media")
    assert streams.video(media)["field_order"][0] in "tb"
    made = made_of(path, media, tmp_path, PIECE, crf=10)
    for what, file in made.items():
        assert combs(file) < 3, what
    with film_frames.Frames(made["clip"], 0, 0.0) as frames:
        assert frames.count(0, 9) == 25  # a frame for a frame, at its time
    assert "field_order" not in streams.video(probing.probe(made["clip"]))


def test_a_film_whose_first_pictures_are_whole(kind, tmp_path) -> None:
    """As those of DVDs with 3:2 pulldown are."""
    parts = [tmp_path / "whole.m2v", tmp_path / "fields.m2v"]
    gray = ("-f", "lavfi", "-i", "color=gray:s=320x240:r=25:d=0.12")
    make_media.ffmpeg(*gray, "-c:v", "mpeg2video", "-bf", "0", parts[0])
    make_media.ffmpeg("-i", kind("dvd.mpg"), "-c", "copy", parts[1])
    path = tmp_path / "film.m2v"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert combs(path) > 10
    media = probing.probe(path)
    assert streams.video(media)["field_order"] == "tt"
    assert combs(clip_of(path, media, tmp_path / "clips", PIECE, crf=10)) < 3


def test_one_frame_alone_is_not_lost(kind, tmp_path) -> None:
    path = kind("dvd.mpg")
    media = probing.probe(path)
    clip = clip_of(path, media, tmp_path / "clips", (0.4, 0.44), crf=10)
    with film_frames.Frames(clip, 0, 0.0) as frames:
        assert frames.count(0, 9) == 1


@pytest.mark.parametrize("name", ["cfr.mp4", "start.ts"])
def test_progressive_films_have_no_order_of_fields(film: Callable[[str], Path], name: str) -> None:
    for stream in probing.probe(film(name))["streams"]:
        assert "field_order" not in stream
