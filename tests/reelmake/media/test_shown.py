"""Pictures as people see them, turned, mirrored, cropped: the same in keyframes, clips, trailer."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import kinds_of_film
import made
import make_media
from reelmake.editing import picture_geometry, streams
from reelmake.foundation import artifact_files
from reelmake.media import (
    film_frames,
    orientation,
    probing,
    shown,
)

Film = Callable[[str], Path]

RED, LIME, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
CORNERS = [[RED, LIME], [BLUE, WHITE]]
# From a coded point (x, y) to where it is shown: a, b, c, d of x' = a x + c y, y' = b x + d y.
MATRICES = {
    "upright": (1, 0, 0, 1),
    "a quarter to the right": (0, 1, -1, 0),
    "half": (-1, 0, 0, -1),
    "a quarter to the left": (0, -1, 1, 0),
    "mirrored": (-1, 0, 0, 1),
    "upside down": (1, 0, 0, -1),
    "transposed": (0, 1, 1, 0),
    "transposed the other way": (0, -1, -1, 0),
}


def probe(path: Path) -> dict:
    found = probing.probe(path)
    artifact_files.validate({"content": "0" * 64} | found, "media")
    return found


def main_video(found: dict) -> dict:
    return streams.video(found)


@pytest.fixture(scope="module")
def plain(shared) -> Path:
    """2 s of 160 x 96 pixels: colors in the corners, gray between, of which the outermost 16 to the
    left and right and 8 and 24 above and below are magenta."""

    def make(folder: Path) -> None:
        boxes = [(16, 8, 128, 64, "gray")]
        for x, y, color in ((16, 8, "red"), (104, 8, "lime"), (16, 48, "blue"), (104, 48, "white")):
            boxes.append((x, y, 40, 24, color))
        drawn = ",".join(f"drawbox={x}:{y}:{w}:{h}:{color}:fill" for x, y, w, h, color in boxes)
        graph = f"color=magenta:s=160x96:r=10:d=2,{drawn}"
        make_media.ffmpeg("-f", "lavfi", "-i", graph, *make_media.H264, folder / "a.mp4")

    return shared("corners", make) / "a.mp4"


def corners(image: np.ndarray) -> list[list[tuple[int, int, int]]]:
    """Of a picture (BGR): the nearest pure colors, a tenth of its size from the corners."""
    high, wide = image.shape[:2]
    y, x = high // 10, wide // 10
    places = [[(y, x), (y, wide - 1 - x)], [(high - 1 - y, x), (high - 1 - y, wide - 1 - x)]]
    return [
        [tuple(255 * (int(v) > 127) for v in image[place][::-1]) for place in row] for row in places
    ]


def turned(matrix: tuple[int, int, int, int]) -> list[list[tuple[int, int, int]]]:
    """Where the corners are shown."""
    a, b, c, d = matrix
    found = {}
    for y, row in enumerate(CORNERS):
        for x, color in enumerate(row):
            right, down = (2 * x - 1, 2 * y - 1)
            found[a * right + c * down, b * right + d * down] = color
    return [[found[-1, -1], found[1, -1]], [found[-1, 1], found[1, 1]]]


def first_frame(path: Path) -> np.ndarray:
    """As ffmpeg's command line shows it: BGR."""
    target = path.with_suffix(".bmp")
    make_media.ffmpeg("-i", path, "-frames:v", "1", "-update", "1", target)
    with film_frames.Frames(target, 0, 0.0) as frames:
        return next(frames.between(0, 1)).frame.to_ndarray(format="bgr24")


def made_of(path: Path, folder: Path, **settings) -> dict[str, np.ndarray]:
    """The first frames of what comes of a film."""
    files = made.made_of(path, probe(path), folder, (0.5, 1.5), crf=5, **settings)
    images = {what: first_frame(file) for what, file in files.items()}
    clip = main_video(probe(files["clip"]))
    assert (clip["width"], clip["height"]) == images["clip"].shape[1::-1]
    return images


@pytest.mark.parametrize("name", MATRICES)
def test_a_matrix_turns_and_mirrors_as_in_players(tmp_path, plain, name) -> None:
    path = kinds_of_film.with_matrix(
        kinds_of_film.cropped(plain, tmp_path / "crop.mp4"), tmp_path / "a.mp4", MATRICES[name]
    )
    for what, image in made_of(path, tmp_path / "made").items():
        is_across = MATRICES[name][0] != 0
        assert image.shape[:2] == ((64, 128) if is_across else (128, 64)), what
        assert corners(image) == turned(MATRICES[name]), what
    assert corners(first_frame(path)) == turned(MATRICES[name])  # and as ffmpeg does


@pytest.mark.parametrize("matrix", [(0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 1)])
def test_a_matrix_that_makes_nothing_of_a_picture_turns_nothing(tmp_path, plain, matrix) -> None:
    path = kinds_of_film.with_matrix(plain, tmp_path / "a.mp4", matrix)
    stream = main_video(probe(path))
    assert (stream["rotation"], stream.get("mirrored")) == (0, None)
    for what, image in made_of(path, tmp_path / "made").items():
        assert image.shape[:2] == (96, 160), what


def test_angles_between_right_ones_are_the_nearest() -> None:
    def rotation(*numbers: int) -> dict:
        a, b, c, d = numbers
        return orientation.facts(struct.pack("=9i", a, b, 0, c, d, 0, 0, 0, 1 << 30))

    assert rotation(65000, 9000, -9000, 65000) == {"rotation": 0}
    assert rotation(9000, 65000, -65000, 9000) == {"rotation": 90}


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_what_the_container_cuts_off_is_not_shown(tmp_path, plain, suffix) -> None:
    path = kinds_of_film.cropped(plain, tmp_path / f"a.{suffix}")
    stream = main_video(probe(path))
    assert stream["crop"] == {"left": 16, "top": 8, "right": 16, "bottom": 24}
    assert picture_geometry.visible(stream) == (128, 64)
    for what, image in made_of(path, tmp_path / "made").items():
        assert image.shape[:2] == (64, 128), what
        assert corners(image) == CORNERS, what
        magenta = (np.abs(image.astype(int) - (255, 0, 255)).max(axis=2) < 60).sum()
        assert magenta == 0, what
    image = made_of(path, tmp_path / "tall", aspect="9:16")["clip"]
    assert image.shape[:2] == (64, 36)


def test_an_ffmpeg_that_does_not_crop_is_told_to(tmp_path, plain) -> None:
    """Before 7.1 none did, and took wide pixels for narrow ones; a newer one can be told not to."""
    path = kinds_of_film.cropped(plain, tmp_path / "a.mp4")
    stream = main_video(probe(path)) | {"pixel_aspect": 1.333333}
    for applied in ("all", "none"):
        target = tmp_path / f"{applied}.mkv"
        chain = ",".join(["setsar=2", *orientation.crop(stream)])
        make_media.ffmpeg(
            *("-apply_cropping", applied, "-i", path, "-vf", chain, *make_media.H264, target)
        )
        made = main_video(probe(target))
        assert picture_geometry.visible(made) == (128, 64)
        assert made["pixel_aspect"] == pytest.approx(4 / 3, abs=1e-5)
        assert corners(first_frame(target)) == CORNERS


def test_damaged_crops_are_none(tmp_path, plain) -> None:
    for box in (
        struct.pack(">I4sIIIIiIiI", 40, b"clap", 128, 0, 64, 1, 0, 1, -8, 1),  # by nothing
        struct.pack(">I4sIIIIiiiI", 40, b"clap", 128, 1, 64, 1, 0, -1, -8, 1),  # or less
        struct.pack(">I4sIIIIiIiI", 40, b"clap", 1, 1, 1, 1, 0, 1, 0, 1),  # less than a pixel
        struct.pack(">I4sIIIIiIiI", 40, b"clap", 128, 1, 64, 1, 999, 1, 0, 1),  # beside it
        struct.pack(">I4sIIIIiIiI", 40, b"clap", 900, 1, 64, 1, 0, 1, 0, 1),  # larger than it
    ):
        path = [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"]
        (tmp_path / "a.mp4").write_bytes(kinds_of_film.inside(plain.read_bytes(), path, box))
        assert "crop" not in main_video(probe(tmp_path / "a.mp4"))


@pytest.mark.parametrize("degrees", [90, 180, -90])
def test_pictures_are_turned_upright_as_ffmpeg_turns_them(tmp_path: Path, degrees: int) -> None:
    path = make_media.rotated(tmp_path / "phone.mp4", degrees)
    stream = main_video(probe(path))
    with film_frames.Frames(path, 0, 0.0) as frames:
        image = shown.picture(next(frames.between(0, 1)).frame, stream, 1000)
    make_media.ffmpeg("-i", path, "-frames:v", "1", tmp_path / "expected.bmp")
    with film_frames.Frames(tmp_path / "expected.bmp", 0, 0.0) as frames:
        expected = next(frames.between(0, 1)).frame.to_ndarray(format="bgr24")
    assert image.shape == expected.shape
    assert np.abs(image.astype(int) - expected).mean() < 3


def test_pictures_are_made_smaller_and_never_larger(film: Film) -> None:
    stream = main_video(probe(film("odd.mkv")))
    with film_frames.Frames(film("odd.mkv"), 0, 0.0) as frames:
        frame = next(frames.between(0, 1)).frame
    assert shown.picture(frame, stream, 768).shape == (91, 161, 3)
    assert shown.picture(frame, stream, 80).shape == (45, 80, 3)
    assert shown.picture(frame, stream | {"pixel_aspect": 2.0}, 768).shape == (46, 161, 3)


def test_ten_bits_keep_their_colors(film: Film) -> None:
    stream = main_video(probe(film("ten bit.mp4")))
    with film_frames.Frames(film("ten bit.mp4"), 0, 0.0) as frames:
        blue, green, red = shown.picture(next(frames.between(0, 1)).frame, stream, 768).mean((0, 1))
    assert red > 200
    assert max(blue, green) < 40
