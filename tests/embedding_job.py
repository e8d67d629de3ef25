"""A job that embeds moments with the demo's models, and moments, for tests of single stages."""

import io
from pathlib import Path

import drawing
from drawing import Picture
from reelmake.jobs.moment_vectors import Moment
from text_job import TextJob

MODELS = Path(__file__).resolve().parents[1] / "demo" / "models" / "embedding"
SAID = ["hello", "the red ball", "...", "a small bird sings", "goodbye", "the crowd cheers"]
NAMED = {f"embeddings.{name}_model": str(MODELS / name) for name in ("text", "image")}


class EmbeddingJob(TextJob):
    """A job of the stage. models: by their settings."""

    shortages = 0

    def __init__(self, folder, models=NAMED, batch=2):
        super().__init__(folder, "embeddings", {}, batch=batch)
        self.run.models.clear()
        self.run.models.update(models)
        self.fingerprint = {"settings": dict.fromkeys(models, "a/model")}


def moments(folder):
    """Speech, one description, and two pictures, of which one is damaged."""
    shown = folder / "a.jpg", folder / "b.jpg"
    shown[0].write_bytes(jpeg(Picture("circle", "red", "center", "white")))
    shown[1].write_bytes(b"damaged")
    return [
        *(Moment("said", n, n, n + 1, text) for n, text in enumerate(SAID)),
        Moment("described", 4, 2.0, 2.0, "a red circle on a white background"),
        *(Moment("shown", n, 2.0, 2.0, file) for n, file in enumerate(shown)),
    ]


def jpeg(picture: Picture, seed: int = 7) -> bytes:
    """A frame of a film that shows it."""
    file = io.BytesIO()
    drawing.draw(picture, 640, 360, seed).save(file, "JPEG")
    return file.getvalue()
