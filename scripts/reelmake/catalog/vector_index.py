"""What the index of the vectors of all films says, without the vectors themselves: to import numpy
takes longer than to find out, in a run with nothing to do, that they are current.
"""

import contextlib
import os
import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgpack

from reelmake.library.stages import STAGES

NAME = "catalog.vectors"
FORMAT = 1
VALUE, ROW = 2, 13
"""Bytes of a number of a vector, and of what a row is of (`vector_files.ROW`)."""
PAIR = "<qq"
"""Of states and ranges, one after the other, for `struct`."""

(_OF_A_FILM,) = STAGES["embeddings"].artifacts

State = tuple[int, int]
"""Of a film's `embeddings.msgpack`: size (bytes) and time (ns since 1970)."""


class Table(NamedTuple):
    """The rows of one model. dims: of its vectors. rows: that count, some of which may be nobody's.
    generation: of the files."""

    dims: int
    rows: int
    generation: int


class Document(NamedTuple):
    """What the file says. videos: the ids of the films. states: of each, packed as `PAIR`. ranges:
    by the key of a model, of each film the first row and how many there are, packed likewise.
    tables: by the key of a model."""

    videos: list[str]
    states: bytes
    ranges: Mapping[str, bytes]
    tables: dict[str, Table]


def read(results: Path) -> Document | None:
    """The index; None where there is none, or it is damaged or of another version."""
    try:
        found = msgpack.unpackb((results / NAME).read_bytes(), raw=False, use_list=False)
        if found["format"] != FORMAT:
            return None
        videos, states = list(found["videos"]), found["states"]
        ranges = dict(found["ranges"])
        if {len(each) for each in (states, *ranges.values())} != {16 * len(videos)}:
            return None
        tables = {name: Table(*table) for name, table in found["tables"]}
        whole = all(_is_whole(results, name, table) for name, table in tables.items())
    except (OSError, ValueError, TypeError, KeyError, msgpack.exceptions.UnpackException):
        return None
    return Document(videos, states, ranges, tables) if whole else None


def states(results: Path, videos: Iterable[str]) -> dict[str, State]:
    """The state of each film's `embeddings.msgpack`; without those that have none."""
    found = {}
    for video in videos:
        with contextlib.suppress(OSError):
            stat = os.stat(f"{results}/{video}/{_OF_A_FILM}")
            found[video] = (stat.st_size, stat.st_mtime_ns)
    return found


def is_current(results: Path, videos: Iterable[str]) -> bool:
    """Whether the index has what is on disk of these films, and of no others."""
    found, known = states(results, videos), read(results)
    if known is None:
        return not found
    return dict(zip(known.videos, struct.iter_unpack(PAIR, known.states), strict=True)) == found


def remove(results: Path) -> None:
    """Remove all of it."""
    for path in results.glob(f"{NAME}*"):
        if path.is_file():  # an older version let a film have such a name
            path.unlink(missing_ok=True)


def paths(results: Path, name: str, generation: int) -> tuple[Path, Path, Path]:
    """The three files of a model: vectors, their signs as bits, what each row is of."""
    vectors, bits, rows = (
        results / f"{NAME}.{name}.{generation}.{end}" for end in ("f16", "bits", "rows")
    )
    return vectors, bits, rows


def sizes(dims: int) -> Iterator[int]:
    """The bytes of a row in each of the three files."""
    yield from (dims * VALUE, words(dims) * 8, ROW)


def words(dims: int) -> int:
    """The words of 64 bits that hold a vector's signs."""
    return -(-dims // 64)


def _is_whole(results: Path, name: str, table: Table) -> bool:
    files = paths(results, name, table.generation)
    return all(
        path.stat().st_size >= table.rows * size
        for path, size in zip(files, sizes(table.dims), strict=True)
    )
