"""The elements of Matroska and WebM files (RFC 8794 and RFC 9559): what they are and where they
lie."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

HEADER, SEGMENT, CLUSTER, TRACKS, TRACK, VIDEO = (
    *(0x1A45DFA3, 0x18538067, 0x1F43B675, 0x1654AE6B, 0xAE, 0xE0),
)
PARENTS = (SEGMENT, TRACKS, TRACK, VIDEO)


class Element(NamedTuple):
    """id: with its marker, as in the RFCs. start, end: of what it holds, in bytes; end is None
    where the writer did not know it, and may be behind the file's."""

    id: int
    start: int
    end: int | None


def head(path: Path) -> Iterator[Element]:
    """The elements before the first cluster, each before those in it: the header, the segment, and
    what that says of its tracks. Nothing of a file that is none."""
    with path.open("rb") as file:
        yield from _within(file, 0, os.fstat(file.fileno()).st_size)


def number(path: Path, element: Element) -> int:
    """The unsigned number that an element holds."""
    with path.open("rb") as file:
        file.seek(element.start)
        return int.from_bytes(file.read(min(8, max(0, (element.end or 0) - element.start))))


def _within(file: BinaryIO, start: int, end: int) -> Iterator[Element]:
    while start < end:
        file.seek(start)
        element = _element(file)
        if element is None or element.id == CLUSTER:
            return
        yield element
        until = end if element.end is None else min(element.end, end)
        if element.id in PARENTS:
            yield from _within(file, element.start, until)
        start = until


def _element(file: BinaryIO) -> Element | None:
    """The one that begins here."""
    identifier, _ = _number(file, 4)
    size, bits = _number(file, 8)
    if identifier is None or size is None:
        return None
    start = file.tell()
    size &= (1 << bits) - 1
    return Element(identifier, start, None if size == (1 << bits) - 1 else start + size)


def _number(file: BinaryIO, longest: int) -> tuple[int | None, int]:
    """A number of variable length with its marker, and how many bits it has without; None where
    there is none."""
    first = file.read(1)
    length = 9 - first[0].bit_length() if first and first[0] else 9
    if length > longest:
        return None, 0
    rest = file.read(length - 1)
    return (int.from_bytes(first + rest), 7 * length) if len(rest) == length - 1 else (None, 0)
