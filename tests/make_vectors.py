"""Vectors of invented moments, as the stage `embeddings` writes them."""

from pathlib import Path

import numpy as np

from reelmake.library import film_vectors
from reelmake.library.film_vectors import Vectors

MODEL = {"name": "text", "content": "0" * 64}


def unit(seed: int, count: int, dims: int) -> np.ndarray:
    """Unit vectors in all directions, float16 (count, dims)."""
    vectors = np.random.default_rng(seed).normal(size=(count, dims))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


def make_vectors(
    results: Path, seed: int, counts: dict[str, int] | None = None, dims: int = 64, model=MODEL
) -> None:
    """Write a film's `embeddings.msgpack`: so many vectors of each kind, an item every 6 s."""
    found = []
    for place, (kind, count) in enumerate((counts or {"said": 3, "described": 2}).items()):
        starts = [n * 6.0 for n in range(count)]
        matrix = unit(seed * 10 + place, count, dims)
        found.append(
            Vectors(kind, model, list(range(count)), starts, [s + 5 for s in starts], matrix)
        )
    film_vectors.write(results / film_vectors.NAME, found)
