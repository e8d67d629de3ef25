"""Colors are those that were filmed: patches of known RGB, of every kind of samples, in keyframes,
clips and trailer."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import make_media
from made import clip_of, made_of
from reelmake.editing import streams
from reelmake.foundation import artifact_files
from reelmake.foundation.errors import StageError
from reelmake.media import clips, film_frames, probing

PIECE = 0.2, 0.9
"""Seconds of the films, for a clip and a trailer."""
PATCHES = [(192, 32, 64), (40, 160, 60), (50, 70, 190), (128, 128, 128), (235, 235, 235)]
"""Side by side, RGB."""

UNTAGGED = "setparams=colorspace=unknown:color_primaries=unknown:color_trc=unknown"
X264 = ("-c:v", "libx264", "-crf", "4", "-preset", "ultrafast")
X265 = ("-c:v", "libx265", "-crf", "4", "-preset", "ultrafast", "-x265-params", "log-level=error")
FFV1 = ("-c:v", "ffv1")


def as_yuv(matrix: str, form: str = "yuv420p", range: str = "tv") -> str:
    return f"scale=out_color_matrix={matrix}:out_range={range}:flags=accurate_rnd,format={form}"


def tagged(matrix: str, primaries: str, transfer: str, range: str = "tv") -> str:
    return (
        f"setparams=colorspace={matrix}:color_primaries={primaries}:color_trc={transfer}"
        f":range={range}"
    )


def hdr(transfer: str) -> str:
    """With graphics white at 203 cd/m2 (ITU-R BT.2408)."""
    return (
        "format=gbrp,setparams=colorspace=gbr:color_primaries=bt709:color_trc=bt709:range=pc,"
        "zscale=transfer=linear:npl=203:agamma=0,format=gbrpf32le,"
        f"zscale=primaries=bt2020:transfer={transfer}:matrix=bt2020nc:range=tv:npl=203:agamma=0,"
        "format=yuv420p10le"
    )


HD, SD = "1280x720", "320x240"
BT709 = tagged("bt709", "bt709", "bt709")
KINDS = {
    "hd untagged.mp4": (HD, f"{as_yuv('bt709')},{UNTAGGED}", X264),
    "hd tagged.mp4": (HD, f"{as_yuv('bt709')},{BT709}", X264),
    "hd of bt601.mp4": (
        HD,
        f"{as_yuv('bt601')},{tagged('smpte170m', 'bt709', 'bt709')}",
        X264,
    ),
    "sd untagged.mp4": (SD, f"{as_yuv('bt601')},{UNTAGGED}", X264),
    "sd of bt709.mp4": (SD, f"{as_yuv('bt709')},{BT709}", X264),
    "full range.mp4": (
        HD,
        f"{as_yuv('bt709', range='pc')},{tagged('bt709', 'bt709', 'bt709', 'pc')}",
        X264,
    ),
    "jpeg.mkv": (SD, f"{as_yuv('bt601', 'yuvj420p', 'pc')}", ("-c:v", "mjpeg", "-q:v", "1")),
    "444.mkv": (HD, f"{as_yuv('bt709', 'yuv444p')},{UNTAGGED}", FFV1),
    "rgb hd.mkv": (HD, "format=bgr0", FFV1),
    "rgb sd.mov": (SD, "format=rgb24", ("-c:v", "qtrle")),
    "rgb 264.mkv": (HD, "format=rgb24", ("-c:v", "libx264rgb", "-crf", "0")),
    "pq.mp4": (HD, hdr("smpte2084"), X265),
    "hlg.mp4": (HD, hdr("arib-std-b67"), X265),
    "pq 264.mkv": (SD, hdr("smpte2084"), X264),
    "pq odd.mkv": ("326x242", f"{hdr('smpte2084')},crop=325:241:0:0:exact=1", FFV1),
    "pq of rgb.mkv": (
        HD,
        hdr("smpte2084").replace(":matrix=bt2020nc:range=tv", "").replace("yuv420p10", "gbrp10"),
        FFV1,
    ),
    "palette.mkv": (HD, "format=rgb24,format=pal8", ("-c:v", "png")),
}


def drawn(path: Path, size: str, graph: str, codec: tuple[str, ...]) -> None:
    """1 s of the patches, as the filters and the codec make it."""
    wide = int(size.partition("x")[0]) // len(PATCHES)
    boxes = ",".join(
        "drawbox=x={}:w={}:h=ih:c=0x{:02x}{:02x}{:02x}:t=fill".format(n * wide, wide, *rgb)
        for n, rgb in enumerate(PATCHES)
    )
    source = f"color=black:s={size}:r=10:d=1,format=gbrp,{boxes},{graph}"
    make_media.ffmpeg("-f", "lavfi", "-i", source, *codec, path)


@pytest.fixture(scope="module")
def kind(shared) -> Callable[[str], Path]:
    def get(name: str) -> Path:
        def make(folder: Path) -> None:
            drawn(folder / name, *KINDS[name])

        return shared(f"color {name}", make) / name

    return get


def patches(path: Path) -> list[tuple[int, int, int]]:
    """The colors of a picture or of a film's first frame, as a player shows them that believes
    what it says."""
    target = path.with_suffix(".ppm")
    graph = "scale=flags=accurate_rnd+full_chroma_int,format=rgb24"
    make_media.ffmpeg("-i", path, "-frames:v", "1", "-update", "1", "-vf", graph, target)
    with film_frames.Frames(target, 0, 0.0) as frames:
        image = next(frames.between(0, 1)).frame.to_ndarray(format="rgb24")
    high, wide = image.shape[:2]
    part = wide // len(PATCHES)
    # The mean, as palettes are dithered.
    middles = [
        image[high // 4 : -high // 4, n * part + part // 4 : n * part + part * 3 // 4]
        for n in range(len(PATCHES))
    ]
    return [tuple(int(v) for v in middle.mean(axis=(0, 1)).round()) for middle in middles]


def off(found: list[tuple[int, int, int]]) -> int:
    """By how much the worst of the colors is off, of 255."""
    return int(np.abs(np.array(found) - np.array(PATCHES)).max())


@pytest.mark.parametrize("name", KINDS)
def test_colors_are_those_that_were_filmed(kind, tmp_path, name) -> None:
    path = kind(name)
    media = probing.probe(path)
    artifact_files.validate({"content": "0" * 64} | media, "media")
    is_hdr = {"pq": "pq", "hl": "hlg"}.get(name[:2])
    assert streams.video(media).get("hdr") == is_hdr
    for what, made in made_of(path, media, tmp_path, PIECE, crf=4, height=200).items():
        found = patches(made)
        # Brighter parts of high dynamic range are compressed.
        near = off([*found[:4], PATCHES[4]]) if is_hdr else off(found)
        assert near <= (10 if is_hdr else 6), (what, found)
        if is_hdr:
            assert 205 <= min(found[4]) <= max(found[4]) <= 240, (what, found)
        if what != "keyframe":
            stream = streams.video(probing.probe(made))
            assert stream["pixel_format"] in ("yuv420p", "yuvj420p")
            assert "hdr" not in stream
            with film_frames.Frames(made, 0, 0.0) as frames:
                assert frames.color.has_matrix and not frames.color.is_rgb


def test_keyframes_of_wide_colors_have_those_of_a_jpeg(tmp_path) -> None:
    """BT.2020 of standard range: clips and trailer say it, a JPEG can't."""
    graph = (
        "format=gbrp,setparams=colorspace=gbr:color_primaries=bt709:color_trc=bt709:range=pc,"
        "zscale=primaries=bt2020:transfer=bt2020-10:matrix=bt2020nc:range=tv,format=yuv420p10le"
    )
    path = tmp_path / "wide.mp4"
    drawn(path, HD, graph, X265)
    media = probing.probe(path)
    made = made_of(path, media, tmp_path, PIECE, crf=4, height=200)
    assert off(patches(made["keyframe"])) <= 6
    for name in ("clip", "trailer"):
        with film_frames.Frames(made[name], 0, 0.0) as frames:
            frame = next(frames.between(0, 1)).frame
        assert (frame.colorspace, frame.color_primaries) == (9, 9), name


@pytest.mark.parametrize(("name", "codec"), [("pq.mp4", "libx265"), ("hlg.mp4", "libx264")])
def test_high_dynamic_range_may_be_kept(kind, tmp_path, name, codec) -> None:
    path = kind(name)
    media = probing.probe(path)
    made = clip_of(path, media, tmp_path / "clips", PIECE, crf=4, hdr="keep", codec=codec)
    stream = streams.video(probing.probe(made))
    assert (stream["hdr"], stream["bit_depth"]) == (name.partition(".")[0], 10)
    with film_frames.Frames(made, 0, 0.0) as frames:
        frame = next(frames.between(0, 1)).frame
    with film_frames.Frames(path, 0, 0.0) as frames:
        source = next(frames.between(0, 1)).frame
    for name in ("colorspace", "color_primaries", "color_trc"):
        assert getattr(frame, name) == getattr(source, name)
    difference = frame.to_ndarray(format="gray16le").astype(int) - source.to_ndarray(
        format="gray16le"
    )
    assert np.abs(difference).mean() < 256


def test_an_ffmpeg_that_cannot_map_tones_says_what_to_do(kind, tmp_path) -> None:
    """As one that was built without zimg."""
    program = tmp_path / "ffmpeg"
    program.write_text(
        f'#!/bin/sh\ncase "$*" in *zscale*) echo "No such filter: \'zscale\'" >&2; exit 1;; esac\n'
        f'exec {make_media.binary()} "$@"\n'
    )
    program.chmod(0o755)
    path = kind("pq.mp4")
    chosen = [{"id": 0, "start": 0.2, "end": 0.9, "score": 8, "reason": None, "text": ""}]
    given = make_media.clip_settings()
    with pytest.raises(
        StageError, match=r"without the filter zscale: .* set clips.hdr to keep"
    ) as it:
        clips.cut_all(
            path, probing.probe(path), chosen, {"segments": []}, [], given, tmp_path, str(program)
        )
    assert it.value.kind == "engine"
