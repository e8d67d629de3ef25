"""The form of what the artifact cache keeps: sealed metadata and verified payloads.

Only bytes: nothing that is read here is ever executed. Knows neither the index
nor the folder, so another tier can hold entries of the same form.
"""

import hashlib
import itertools
import json
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

BLOB_LIMIT = 100_000
"""Contents up to so many bytes lie in the index, larger ones in files of their own."""

PAYS = 0.9
"""Compressed is kept what shrinks below this share."""

CHUNK = 1 << 20
COMPRESSED_CHUNK = 1 << 16  # zlib makes at most 1,032 bytes of one: 64 MB of memory at the worst


_NAME = re.compile(r"(?!\.\.?(/|$))[^/\0]+(/(?!\.\.?$)[^/\0]*)?")


_decode = json.JSONDecoder().raw_decode  # half the time of json.loads, and each read pays it


class Damaged(Exception):
    """What was read is not what was stored: why, and of which payload, where it is one."""

    def __init__(self, reason: str, payload: "Payload | None" = None):
        super().__init__(reason)
        self.payload = payload


class Payload(NamedTuple):
    """One file of an entry.

    name: a path below `results/V/`, `{video}` for the id; `folder/` for a folder itself.
    size: bytes of the content. sha256: of the content. encoding: "" or "zlib".
    stored: bytes as stored. object: the SHA-256 of what is stored, which names its file;
    "" where it lies in the index.
    """

    name: str
    size: int
    sha256: str
    encoding: str
    stored: int
    object: str


class Entry(NamedTuple):
    """What is kept under a key (64 hex digits).

    created: when (seconds since 1970). seconds: what computing it cost. content: the digest of
    the source. engines: distribution -> version of what made it.
    """

    key: str
    stage: str
    version: int
    created: float
    seconds: float
    content: str
    engines: dict[str, str]
    files: tuple[Payload, ...]

    def header(self) -> bytes:
        """The metadata with its own SHA-256 in front; one line without its end."""
        text = json.dumps(self, separators=(",", ":"), allow_nan=False).encode()
        return hashlib.sha256(text).hexdigest().encode() + b" " + text


class Packed(NamedTuple):
    """A payload that is ready to be stored: its bytes, or the temporary file with them."""

    payload: Payload
    data: bytes
    temporary: Path | None


Contents = list[Iterator[bytes]]
"""The content of each of an entry's files, in pieces; the last raises Damaged if it is not."""


def is_safe(name: str) -> bool:
    """Whether a payload of this name stays below `results/V/`: a file, a folder (`name/`), or
    a file in a folder."""
    return _NAME.fullmatch(name) is not None


def parse(header: bytes) -> Entry:
    """The entry of a header. Raises Damaged where it isn't as it was written."""
    digest, _, text = header.partition(b" ")
    if hashlib.sha256(text).hexdigest().encode() != digest:
        raise Damaged("its metadata does not match its SHA-256")
    *facts, files = _decode(text.decode())[0]
    return Entry._make([*facts, tuple([Payload(*file) for file in files])])


def pack(name: str, file: BinaryIO, new_file: Callable[[], Path]) -> Packed:
    """Read a file to its end. A large one is written to a new file, on the disk for good.

    Whether compression pays is decided by the first 100 KB, so that a film is read once.
    """
    head = file.read(BLOB_LIMIT)
    compressed = zlib.compress(head)
    pays = len(compressed) < PAYS * len(head)
    more = file.read(CHUNK)
    if not more:
        digest = hashlib.sha256(head).hexdigest()
        data = compressed if pays else head
        encoding = "zlib" if pays else ""
        return Packed(Payload(name, len(head), digest, encoding, len(data), ""), data, None)
    content, outcome, size, stored = hashlib.sha256(), hashlib.sha256(), 0, 0
    deflate = zlib.compressobj() if pays else None
    temporary = new_file()
    with temporary.open("xb") as out:
        for chunk in itertools.chain([head, more], iter(lambda: file.read(CHUNK), b"")):
            size += len(chunk)
            content.update(chunk)
            if deflate:
                piece = deflate.compress(chunk)
                outcome.update(piece)
                stored += out.write(piece)
            else:
                out.write(chunk)
        if deflate:
            piece = deflate.flush()
            outcome.update(piece)
            stored += out.write(piece)
        else:
            outcome, stored = content, size
        out.flush()
        os.fsync(out.fileno())
    encoding = "zlib" if deflate else ""
    payload = Payload(name, size, content.hexdigest(), encoding, stored, outcome.hexdigest())
    return Packed(payload, b"", temporary)


def unpack(payload: Payload, stored: Iterable[bytes]) -> Iterator[bytes]:
    """The content, in pieces, of what is stored. Raises Damaged, at the latest at its end,
    where that is not the content that was packed; never makes more than its size of it.
    """
    digest, size, name = hashlib.sha256(), 0, payload.name
    inflate = zlib.decompressobj() if payload.encoding else None
    try:
        for chunk in stored:
            # One byte more than there should be is enough to tell, and is all that is made.
            piece = inflate.decompress(chunk, payload.size - size + 1) if inflate else chunk
            size += len(piece)
            if size > payload.size:
                raise Damaged(f"{name} is larger than the {payload.size} bytes recorded", payload)
            digest.update(piece)
            yield piece
    except (zlib.error, OSError) as error:
        raise Damaged(f"{name} can't be read: {error}", payload) from None
    if size < payload.size:
        raise Damaged(f"{name} ends after {size} of {payload.size} bytes", payload)
    if digest.hexdigest() != payload.sha256:
        raise Damaged(f"{name} does not match its SHA-256", payload)


def pieces(file: BinaryIO, payload: Payload) -> Iterator[bytes]:
    """The bytes of a stored payload's file, in steps that `unpack` can take."""
    step = COMPRESSED_CHUNK if payload.encoding else CHUNK
    return iter(lambda: file.read(step), b"")


def exhaust(content: Iterable[bytes]) -> None:
    """Read a content to its end for nothing but the Damaged that it may raise."""
    for _ in content:
        pass
