"""Films with text in the picture, and a job that reads it, for tests of single stages."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import make_media
from reelmake.jobs import onscreen_frames
from reelmake.library import config
from reelmake.media import probing
from text_job import TextJob

FONT = ImageFont.load_default(24)
"""The one that comes with Pillow."""


def drawn(*lines: str, size: tuple[int, int] = (320, 180), color="white", back="navy", font=FONT):
    """A picture (RGB) with lines of text, the first 20 pixels from its edges, each 50 below the one
    before it."""
    image = Image.new("RGB", size, back)
    draw = ImageDraw.Draw(image)
    for number, text in enumerate(lines):
        draw.text((20, 20 + 50 * number), text, font=font, fill=color)
    return image


def bgr(image: Image.Image) -> np.ndarray:
    """A picture as the reader takes it."""
    return np.ascontiguousarray(np.asarray(image)[:, :, ::-1])


def film(path: Path, pictures: list[Image.Image], seconds: float = 2.0, *options: str) -> Path:
    """A film that shows each picture for so long. options: of ffmpeg, for its output."""
    inputs, filters = [], ""
    for number, picture in enumerate(pictures):
        file = path.with_name(f"{path.stem}-{number}.png")
        picture.save(file)
        inputs += ["-loop", "1", "-framerate", "10", "-t", f"{seconds}", "-i", file]
        filters += f"[{number}:v]"
    graph = f"{filters}concat=n={len(pictures)}:v=1[v]"
    make_media.ffmpeg(*inputs, "-filter_complex", graph, "-map", "[v]", *make_media.H264,
                      "-g", "10", *options, path)  # fmt: skip
    return path


class OnscreenJob(TextJob):
    """A job of the stage. settings: of the section `onscreen` where they differ."""

    def __init__(self, folder: Path, **settings):
        given = config.load({})["onscreen"] | settings
        models = given.pop("models")
        super().__init__(folder, "onscreen", given, threads=2, reading_models=models)


def read(this: TextJob, path: Path, *times: float) -> dict:
    """What the job finds in a film whose keyframes are at these times."""
    media = {"content": "0" * 64} | probing.probe(path)
    return onscreen_frames.read(this, path, media, [{"timestamp": time} for time in times])


def texts(found: dict) -> list[str]:
    """The texts of an onscreen.json."""
    return [line["text"] for line in found["lines"]]
