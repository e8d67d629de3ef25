"""The boxes of MP4 and QuickTime files (ISO/IEC 14496-12): what they are and where they lie."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

PARENTS = {
    *("moov", "trak", "mdia", "minf", "dinf", "stbl", "mvex", "moof", "traf", "rmra", "rmda"),
}
"""Boxes that hold others and nothing else."""

# Those that hold others behind a header of so many bytes.
BEHIND = {"stsd": 8, "dref": 8}

FIRST = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp", b"moof", b"sidx")
"""With one of these such a file begins, behind its size."""

MOST = 100_000
"""A damaged file is not looked at for ever."""


class Box(NamedTuple):
    """path: its own type behind those that it lies in: moov/trak/tkhd. start, end: of what it
    holds, in bytes; by its header, which may lie: `end` can be behind the file's."""

    path: str
    start: int
    end: int


def boxes(path: Path) -> Iterator[Box]:
    """Those of a file in their order, each before those in it; nothing of a file that is none."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if file.read(8)[4:] not in FIRST:
            return
        for count, box in enumerate(_within(file, "", 0, size)):
            yield box
            if count > MOST:
                return


def content(path: Path, box: Box, most: int = 1 << 16) -> bytes:
    """The first bytes that a box holds."""
    with path.open("rb") as file:
        file.seek(box.start)
        return file.read(min(most, max(0, box.end - box.start)))


def sample_entries(path: Path, found: Iterable[Box]) -> Iterator[tuple[int, Box]]:
    """How the tracks of a film are coded: each entry with the number of its track. found: the
    file's boxes."""
    track = 0
    for box in found:
        if box.path == "moov/trak/tkhd":
            header = content(path, box)
            at = 20 if header[:1] == b"\1" else 12
            track = int.from_bytes(header[at : at + 4])
        elif box.path.startswith("moov/trak/mdia/minf/stbl/stsd/"):
            yield track, box


def _within(file: BinaryIO, parent: str, start: int, end: int) -> Iterator[Box]:
    while start + 8 <= end:
        file.seek(start)
        head = file.read(16)
        size, kind, begin = int.from_bytes(head[:4]), head[4:8].decode("latin-1"), start + 8
        if size == 1 and len(head) == 16:
            size, begin = int.from_bytes(head[8:]), start + 16
        elif size == 0:
            size = end - start
        if size < begin - start or not kind.isprintable():
            return
        box = Box(f"{parent}/{kind}".lstrip("/"), begin, start + size)
        yield box
        if kind in PARENTS or kind in BEHIND:
            inside = begin + BEHIND.get(kind, 0)
            yield from _within(file, box.path, inside, min(box.end, end))
        start = box.end
