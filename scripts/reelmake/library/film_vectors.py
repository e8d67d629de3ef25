"""The vectors of a film's moments: msgpack, `embeddings.msgpack`.

{"format": 1, "vectors": [{"kind", "model", "dims", "items", "starts", "ends", "vectors"}, …]}, a
map for each kind that the film has. kind: said (a segment of speech), described (a keyframe's
description) or shown (the keyframe itself). model: as the fingerprint has it: a name, or {"name",
"content"}. items: the numbers of segments or scenes. starts, ends: s. vectors: float16,
little-endian, `dims` for each item, of unit length.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgpack
import numpy as np
from numpy.typing import NDArray

from reelmake.foundation import artifact_files

NAME = "embeddings.msgpack"
FORMAT = 1
KINDS = ("said", "described", "shown")
LITTLE = np.dtype("<f2")
MOST = 8192
"""Dimensions of a vector."""
OFF = 0.02
"""By which a vector's length may differ from 1: float16 has 11 bits."""

Matrix = NDArray[np.float16]


class Vectors(NamedTuple):
    """The vectors of one kind, as the file has them. matrix: (items, dims)."""

    kind: str
    model: Any
    items: list[int]
    starts: list[float]
    ends: list[float]
    matrix: Matrix


def write(path: Path, found: Sequence[Vectors]) -> None:
    """Validate and write the file atomically. Raises ValueError for what is not its form."""
    for each in found:
        _check(each)
    document = {
        "format": FORMAT,
        "vectors": [
            {
                "kind": each.kind,
                "model": each.model,
                "dims": each.matrix.shape[1],
                "items": each.items,
                "starts": each.starts,
                "ends": each.ends,
                "vectors": each.matrix.astype(LITTLE).tobytes(),
            }
            for each in found
        ],
    }
    artifact_files.write_bytes(path, msgpack.packb(document, use_bin_type=True))


def read(path: Path) -> list[Vectors] | None:
    """The file's content; None where it is absent or not what `write` writes."""
    try:
        document = msgpack.unpackb(path.read_bytes(), raw=False)
        if document["format"] != FORMAT:
            return None
        found = [_vectors(each) for each in document["vectors"]]
        for each in found:
            _check(each)
    except (OSError, ValueError, TypeError, KeyError, msgpack.exceptions.UnpackException):
        return None
    return found


def _vectors(each: dict[str, Any]) -> Vectors:
    matrix = np.frombuffer(each["vectors"], LITTLE).reshape(len(each["items"]), each["dims"])
    return Vectors(
        each["kind"],
        each["model"],
        each["items"],
        each["starts"],
        each["ends"],
        matrix.astype(np.float16, copy=False),
    )


def _check(found: Vectors) -> None:
    """Raise ValueError for what is not the form of the file."""
    count = len(found.items)
    if found.kind not in KINDS:
        raise ValueError(f"{found.kind!r} is no kind of vectors")
    if found.matrix.ndim != 2 or not 0 < found.matrix.shape[1] <= MOST:
        raise ValueError(f"{found.kind}: vectors of the shape {found.matrix.shape}")
    if not count == len(found.starts) == len(found.ends) == len(found.matrix):
        raise ValueError(f"{found.kind}: {count} items, {len(found.matrix)} vectors")
    named = isinstance(found.model, str) or (
        isinstance(found.model, dict)
        and found.model.keys() == {"name", "content"}
        and all(isinstance(value, str) for value in found.model.values())
    )
    if not named:
        raise ValueError(f"{found.kind}: {found.model!r} names no model")
    for item, start, end in zip(found.items, found.starts, found.ends, strict=True):
        # (a bool is an int, too; numbers from JSON may be whole)
        if not isinstance(item, int) or not -(2**31) <= item < 2**31:
            raise ValueError(f"{found.kind}: {item!r} is no number of an item")
        if not (isinstance(start, int | float) and isinstance(end, int | float) and start <= end):
            raise ValueError(f"{found.kind} {item}: from {start!r} to {end!r} s")
    lengths = np.linalg.norm(found.matrix.astype(np.float32), axis=1)
    if not (np.abs(lengths - 1) <= OFF).all():  # not-a-number neither
        raise ValueError(f"{found.kind}: a vector is not of unit length")
