"""Held-out pictures as JPEG bytes, as they reach the model: fresh, compressed, drawn otherwise."""

from __future__ import annotations

import io
import random
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
from PIL import Image

import drawing

# Width x height: 4:3, 16:9, 9:16 and square.
SIZES = ((160, 120), (320, 240), (640, 360), (768, 432), (360, 640), (640, 480), (480, 480))
VIDEO_SIZES = ((320, 240), (640, 360), (360, 640), (854, 480), (1280, 720))
LONGEST_SIDE = 768  # pixels, to which the project reduces a frame before it asks
# Colours as other people write them; training saw neighbours of them only.
NAMED = {
    "red": ((255, 0, 0), (220, 20, 60)),
    "green": ((0, 128, 0), (0, 255, 0), (34, 139, 34)),
    "blue": ((0, 0, 255), (65, 105, 225)),
    "yellow": ((255, 255, 0), (255, 235, 59)),
    "white": ((255, 255, 255),),
    "black": ((0, 0, 0),),
    "gray": ((128, 128, 128), (158, 158, 158)),
    "orange": ((255, 165, 0), (255, 140, 0)),
    "purple": ((128, 0, 128), (148, 0, 211)),
    "cyan": ((0, 255, 255), (0, 206, 209)),
    "pink": ((255, 192, 203), (255, 105, 180)),
}


@dataclass(frozen=True)
class Sample:
    """A picture, what it shows, and where it comes from."""

    picture: drawing.Picture
    jpeg: bytes
    source: str


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    """Encode, reduced to LONGEST_SIDE as the project does."""
    image = image.copy()
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def fresh(count: int, seed: int) -> list[Sample]:
    """Pictures of drawing.draw() with unseen seeds, over SIZES."""
    rng = random.Random(seed)
    pictures = rng.sample(drawing.all_pictures(), count)
    return [
        Sample(picture, jpeg(drawing.draw(picture, *SIZES[i % len(SIZES)], seed + i)), "fresh")
        for i, picture in enumerate(pictures)
    ]


def foreign(count: int, seed: int) -> list[Sample]:
    """Pictures drawn in another way: hard edges, NAMED colours, uneven sides, 20 to 60 %."""
    rng = random.Random(seed)
    samples = []
    for index, picture in enumerate(rng.sample(drawing.all_pictures(), count)):
        width, height = SIZES[index % len(SIZES)]
        image = _draw_foreign(picture, width, height, rng)
        samples.append(Sample(picture, jpeg(image), "drawn otherwise"))
    return samples


def _draw_foreign(
    picture: drawing.Picture, width: int, height: int, rng: random.Random
) -> Image.Image:
    middle = {"left": 0.25, "center": 0.5, "right": 0.75}[picture.position] * width
    middle += rng.uniform(-0.04, 0.04) * width
    tall = min(rng.uniform(0.2, 0.6) * height, 0.45 * width)
    wide = tall if picture.shape == "circle" else tall * rng.uniform(0.93, 1.15)
    return drawing.draw_shape(
        picture.shape,
        rng.choice(NAMED[picture.color]),
        rng.choice(NAMED[picture.background]),
        (width, height),
        (middle, rng.uniform(0.4, 0.6) * height),
        (wide, tall),
        smooth=False,
    )


def compressed(count: int, seed: int) -> list[Sample]:
    """Frames out of H.264 (crf 23, yuv420p), half of them drawn otherwise.

    One video per size with hard cuts, five frames a picture; the middle one is taken.
    """
    rng = random.Random(seed)
    pictures = rng.sample(drawing.all_pictures(), count)
    samples = []
    for place, (width, height) in enumerate(VIDEO_SIZES):
        shown = pictures[place :: len(VIDEO_SIZES)]
        images = [
            drawing.draw(picture, width, height, seed + index)
            if index % 2
            else _draw_foreign(picture, width, height, rng)
            for index, picture in enumerate(shown)
        ]
        for picture, frame in zip(shown, through_h264(images), strict=True):
            samples.append(Sample(picture, jpeg(frame), "H.264"))
    return samples


def through_h264(images: list[Image.Image], repeat: int = 5) -> list[Image.Image]:
    """Encode pictures of one size as a video and read back the middle frame of each."""
    width, height = images[0].size
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", "25", "-i", "-"]
    h264 = ["-c:v", "libx264", "-crf", "23", "-pix_fmt", "yuv420p", "-threads", "1"]
    program = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
    with tempfile.TemporaryDirectory() as folder:
        video = str(Path(folder) / "video.mp4")
        subprocess.run(
            [*program, *raw, *h264, video],
            input=b"".join(image.tobytes() * repeat for image in images),
            check=True,
        )
        decoded = subprocess.run(
            [*program, "-i", video, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
            capture_output=True,
            check=True,
        ).stdout
    size = width * height * 3
    starts = [(index * repeat + repeat // 2) * size for index in range(len(images))]
    return [
        Image.frombytes("RGB", (width, height), decoded[start : start + size]) for start in starts
    ]
