"""The vectors of all films, in files beside the catalog that are mapped into memory.

`catalog.vectors` (msgpack) says which rows of the files belong to which film; what it does not
name is nobody's. For each model there are three files of rows, to which is only appended:
`catalog.vectors.<model>.<generation>.f16` (float16, unit length), `.bits` (the sign of each
component, packed) and `.rows` (kind, item, start, end). A changed film gets new rows; where too
many are nobody's, the files are written anew under the next generation. So a kill at any moment
leaves an older or a newer state. All of it is derived: damaged or deleted, it is made again.
"""

import contextlib
import hashlib
import json
import mmap
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgpack
import numpy as np
from numpy.typing import NDArray

from reelmake.catalog import vector_index
from reelmake.catalog.vector_index import FORMAT, NAME, State, Table, paths, sizes, states, words
from reelmake.foundation import artifact_files
from reelmake.library import film_vectors
from reelmake.library.film_vectors import Vectors

TOGETHER = 500
"""Films after which the index is written."""
SPARE = 20_000
"""Rows of nobody that are left where they are in any case; and as many as there are others."""

ROW = np.dtype([("kind", "u1"), ("item", "<i4"), ("start", "<f4"), ("end", "<f4")])
SPACES = {"said": "text", "described": "text", "shown": "image"}
"""By the kind of vectors: in which space they lie, if they are of one model."""


class Film(NamedTuple):
    """state: of its file when it was read. ranges: by the key of a model, the first row and how
    many there are."""

    state: State
    ranges: dict[str, tuple[int, int]]


class Index(NamedTuple):
    """What the file says. videos: the ids of the films. states: of each, as `State` has it. ranges:
    by the key of a model, of each film the first row and how many there are. tables: by the key of
    a model. Columns, since a question asks for few of many films."""

    videos: list[str]
    states: NDArray[np.int64]
    ranges: dict[str, NDArray[np.int64]]
    tables: dict[str, Table]

    @property
    def films(self) -> dict[str, Film]:
        """What it says of each film, by id."""
        found = {
            video: Film((size, time), {})
            for video, (size, time) in zip(self.videos, self.states.tolist(), strict=True)
        }
        for name, ranges in self.ranges.items():
            for film, (start, count) in zip(found.values(), ranges.tolist(), strict=True):
                if count:
                    film.ranges[name] = (start, count)
        return found


class Rows(NamedTuple):
    """The rows of a model, mapped into memory. bits: (rows, words of 64 bits)."""

    vectors: NDArray[np.float16]
    bits: NDArray[np.uint64]
    rows: NDArray[np.void]


def key(space: str, model: Any) -> str:
    """What stands for a model: its name and, of a folder, its content.

    space: of `SPACES`. model: as fingerprints have it.
    """
    text = json.dumps([space, model], sort_keys=True)
    return f"{space}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def packed(vectors: NDArray[Any]) -> NDArray[np.uint64]:
    """The signs of vectors (rows, dims) as bits: (rows, words of 64)."""
    bits = np.packbits(vectors > 0, axis=1)
    spare = -bits.shape[1] % 8
    return np.ascontiguousarray(np.pad(bits, ((0, 0), (0, spare)))).view("<u8")


def read(results: Path) -> Index | None:
    """The index; None where there is none, or it is damaged or of another version."""
    found = vector_index.read(results)
    if found is None:
        return None
    count = len(found.videos)
    ranges = {name: _pairs(each, count) for name, each in found.ranges.items()}
    return Index(found.videos, _pairs(found.states, count), ranges, found.tables)


def update(
    results: Path, videos: Iterable[str], tell: Callable[[int, int], None] | None = None
) -> int:
    """Have the files say what is on disk of these films, and of no others; how many were read.

    One process at a time. tell: called with how many films are read, and of how many. Raises
    OSError where they can't be written.
    """
    found, known = states(results, videos), read(results)
    if known is None:
        vector_index.remove(results)
        if not found:
            return 0
    films = known.films if known else {}
    tables = dict(known.tables) if known else {}
    gone = films.keys() - found.keys()
    for video in gone:
        del films[video]
    changed = [
        video for video, state in found.items() if video not in films or films[video].state != state
    ]
    for place in range(0, len(changed), TOGETHER):
        with _Appending(results, tables) as files:
            for video in changed[place : place + TOGETHER]:
                content = film_vectors.read(results / video / film_vectors.NAME) or []
                films[video] = Film(found[video], files.append(content))
        _write(results, films, tables)
        if tell:
            tell(min(place + TOGETHER, len(changed)), len(changed))
    if changed or gone:
        _compact(results, films, tables)
        _write(results, films, tables)
        _remove_others(results, tables)
    return len(changed)


def opened(results: Path, name: str, table: Table) -> Rows:
    """The rows of a model, to be read. name: its key. Raises OSError and ValueError."""
    vectors, bits, rows = paths(results, name, table.generation)
    count = table.rows
    if not count:
        return Rows(
            np.empty((0, table.dims), np.float16),
            np.empty((0, words(table.dims)), np.uint64),
            np.empty(0, ROW),
        )
    return Rows(
        # Rows from anywhere: to have their neighbours in memory, too, takes ten times as long.
        _mapped(vectors, count * table.dims, film_vectors.LITTLE, "MADV_RANDOM").reshape(count, -1),
        _mapped(bits, count * words(table.dims), np.dtype("<u8"), "MADV_WILLNEED").reshape(
            count, -1
        ),
        _mapped(rows, count, ROW, "MADV_RANDOM"),
    )


def _mapped(path: Path, count: int, dtype: np.dtype[Any], advice: str) -> NDArray[Any]:
    """So many values at the beginning of a file. advice: to the system, where it takes some."""
    with path.open("rb") as file:
        memory = mmap.mmap(file.fileno(), count * dtype.itemsize, access=mmap.ACCESS_READ)
    if hasattr(mmap, advice):
        memory.madvise(getattr(mmap, advice))
    return np.frombuffer(memory, dtype)


class _Appending:
    """The files of all models, open to append rows. tables: brought up to date."""

    def __init__(self, results: Path, tables: dict[str, Table]):
        self._results, self._tables = results, tables
        self._files = contextlib.ExitStack()
        self._open: dict[str, list[Any]] = {}

    def __enter__(self) -> "_Appending":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        with self._files:
            if kind is None:  # before the index that names the rows
                for file in (file for files in self._open.values() for file in files):
                    file.flush()
                    os.fsync(file.fileno())

    def append(self, found: Iterable[Vectors]) -> dict[str, tuple[int, int]]:
        """Add a film's vectors; its ranges."""
        ranges: dict[str, tuple[int, int]] = {}
        for each in found:
            if not each.items:
                continue
            name = key(SPACES[each.kind], each.model)
            table = self._tables.setdefault(name, Table(each.matrix.shape[1], 0, 0))
            if table.dims != each.matrix.shape[1]:
                continue  # not of this model, whatever its file says
            rows = np.empty(len(each.items), ROW)
            rows["kind"] = film_vectors.KINDS.index(each.kind)
            rows["item"], rows["start"], rows["end"] = each.items, each.starts, each.ends
            parts: tuple[NDArray[Any], ...] = (
                each.matrix.astype(film_vectors.LITTLE),
                packed(each.matrix),
                rows,
            )
            for file, part in zip(self._of(name, table), parts, strict=True):
                file.write(part.tobytes())
            start, count = ranges.get(name, (table.rows, 0))
            ranges[name] = (start, count + len(rows))
            self._tables[name] = table._replace(rows=table.rows + len(rows))
        return ranges

    def _of(self, name: str, table: Table) -> list[Any]:
        if name not in self._open:
            files = []
            for path, size in zip(
                paths(self._results, name, table.generation), sizes(table.dims), strict=True
            ):
                path.touch()
                file = self._files.enter_context(path.open("r+b"))
                file.truncate(table.rows * size)  # what a killed process left
                file.seek(table.rows * size)
                files.append(file)
            self._open[name] = files
        return self._open[name]


def _compact(results: Path, films: dict[str, Film], tables: dict[str, Table]) -> None:
    """Write files anew in which too many rows are nobody's; forget models that no film has."""
    used = dict.fromkeys(tables, 0)
    for film in films.values():
        for name, (_, count) in film.ranges.items():
            used[name] += count
    for name, table in list(tables.items()):
        if not used[name]:
            del tables[name]
        elif table.rows - used[name] > max(SPARE, used[name]):
            _rewrite(results, name, films, tables)


def _rewrite(results: Path, name: str, films: dict[str, Film], tables: dict[str, Table]) -> None:
    table = tables[name]
    before: tuple[NDArray[Any], ...] = opened(results, name, table)
    after = table._replace(rows=0, generation=table.generation + 1)
    with contextlib.ExitStack() as stack:
        files = [
            stack.enter_context(path.open("wb")) for path in paths(results, name, after.generation)
        ]
        for video, film in films.items():
            if name in film.ranges:
                start, count = film.ranges[name]
                for file, part in zip(files, before, strict=True):
                    file.write(part[start : start + count].tobytes())
                films[video] = film._replace(ranges=film.ranges | {name: (after.rows, count)})
                after = after._replace(rows=after.rows + count)
        for file in files:
            file.flush()
            os.fsync(file.fileno())
    tables[name] = after


def _write(results: Path, films: Mapping[str, Film], tables: Mapping[str, Table]) -> None:
    none = (0, 0)
    ranges = {name: [film.ranges.get(name, none) for film in films.values()] for name in tables}
    document = {
        "format": FORMAT,
        "videos": list(films),
        "states": _packed_pairs([film.state for film in films.values()]),
        "ranges": [(name, _packed_pairs(pairs)) for name, pairs in ranges.items()],
        "tables": list(tables.items()),
    }
    artifact_files.write_bytes(results / NAME, msgpack.packb(document))


def _pairs(packed: bytes, count: int) -> NDArray[np.int64]:
    return np.frombuffer(packed, "<i8").reshape(count, 2)


def _packed_pairs(pairs: list[tuple[int, int]]) -> bytes:
    return np.array(pairs, "<i8").tobytes()


def _remove_others(results: Path, tables: Mapping[str, Table]) -> None:
    """Remove the files of models and generations that the index does not name. Who reads them
    keeps them open."""
    kept = {
        path.name
        for name, table in tables.items()
        for path in paths(results, name, table.generation)
    }
    for path in results.glob(f"{NAME}.*"):
        if path.name not in kept and path.is_file():
            path.unlink(missing_ok=True)
