"""A library of three films with vectors by the demo's models, and its catalog."""

from pathlib import Path

import numpy as np

import drawing
import paraphrases
from drawing import Picture
from embedding_job import MODELS, jpeg
from make_moments import make_film
from reelmake.catalog import updating
from reelmake.library import film_vectors, fingerprints
from reelmake.library.film_vectors import Vectors
from reelmake.models.embedding import ImageModel, TextModel

SAID = [
    ["hello and welcome to the big room", "the red ball is in the river"],
    ["a small bird sings quietly near the door", "now the train stops and the crowd cheers"],
    ["the yellow team scores the amazing goal", "nothing happens in this quiet room"],
]
SHOWN = [
    [Picture("circle", "red", "center", "white"), Picture("square", "blue", "left", "yellow")],
    [Picture("triangle", "green", "right", "black"), Picture("circle", "black", "right", "pink")],
    [Picture("circle", "red", "left", "white"), Picture("square", "purple", "right", "cyan")],
]
GIVEN = {
    "embeddings": {f"{name}_model": str(MODELS / name) for name in ("text", "image", "image_text")}
}


def make(results: Path) -> None:
    """Make it in the folder `results`."""
    text = TextModel(MODELS / "text", "embeddings.text_model", 1)
    image = ImageModel(MODELS / "image", "embeddings.image_model", 1)
    names = {kind: fingerprints.model(str(MODELS / kind)) for kind in ("text", "image")}
    for number, (said, shown) in enumerate(zip(SAID, SHOWN, strict=True)):
        folder = results / f"film{number}"
        seen = [drawing.caption(picture) for picture in shown]
        told = {"aa": ["another language"] * 2}  # which is no text of what was found by vectors
        make_film(folder, texts=said, segments=2, seen=seen, scenes=2, seed=number, translated=told)
        for scene, picture in enumerate(shown):
            (folder / "keyframes" / f"scene{scene:04}_0.jpg").write_bytes(jpeg(picture))

        def vectors(kind, model, found):
            times = [n * 6.0 + 1.2 for n in range(2)]
            return Vectors(kind, model, [0, 1], times, times, np.stack(found).astype(np.float16))

        described = text.embed([paraphrases.describe(picture) for picture in shown])
        film_vectors.write(
            folder / film_vectors.NAME,
            [
                vectors("said", names["text"], text.embed(said)),
                vectors("described", names["text"], described),
                vectors("shown", names["image"], image.embed([jpeg(one) for one in shown])),
            ],
        )
    updating.update(results)
