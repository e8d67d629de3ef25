"""Checks of entries that others may have written: those of the tier that machines share.

An entry that lies apart from an index is its header, a line end, and its payloads as stored,
one after the other.
"""

import hashlib
import re
from pathlib import Path
from typing import Any, BinaryIO

from reelmake.cache.entry import (
    BLOB_LIMIT,
    CHUNK,
    Damaged,
    Entry,
    Packed,
    Payload,
    exhaust,
    is_safe,
    parse,
    pieces,
    unpack,
)
from reelmake.cache.folder import NewFile
from reelmake.cache.packing import MOST_OBJECTS

MOST_HEADER = 4 << 20
"""Bytes of a header, for some 20,000 files. JSON made to hurt takes 25 times as much memory."""

MOST_SMALL = 256 << 20
"""Bytes of the payloads that will lie in the index: they are held in memory."""

_SHA256 = re.compile("[0-9a-f]{64}")
_WRONG = "its metadata is not an entry's"


def problem(entry: Entry, key: str) -> str | None:
    """Why the entry is not one of that key that others take; None where it is.

    Raises what wrong types raise, where they are not right.
    """
    if entry.key != key:
        return "it is another key's"
    texts = [entry.stage, entry.content, *entry.engines, *entry.engines.values()]
    amounts = _is_amount(entry.created, 1e11) and _is_amount(entry.seconds, 1e9)
    if not (amounts and _is_whole(entry.version) and all(map(_is_text, texts))):
        return _WRONG
    if not (entry.stage.isascii() and entry.stage.isidentifier()):
        return _WRONG
    for file in entry.files:
        if not _is_name(file.name):
            return f"{str(file.name)[:100]!r} does not stay in the results"
        if not _is_payload(file):
            return f"the metadata of {file.name} contradicts itself"
    names = [file.name for file in entry.files]
    folders = {name.partition("/")[0] for name in names if "/" in name}
    if len(set(names)) < len(names) or folders & set(names):
        return "two of its files have one name"
    large = sum(1 for file in entry.files if file.object)
    small = sum(file.stored for file in entry.files if not file.object)
    if large > MOST_OBJECTS or small > MOST_SMALL or len(entry.header()) > MOST_HEADER:
        return "it has too many files"
    return None if names else "it has no files"


def read_entry(file: BinaryIO, key: str) -> Entry:
    """The entry that a file begins with; what follows are its payloads.

    Raises Damaged where that is not an entry of this key, as good as one made here.
    """
    header = file.readline(MOST_HEADER + 1)
    if not header.endswith(b"\n"):
        whole = len(header) <= MOST_HEADER
        raise Damaged("it ends in its metadata" if whole else "its metadata has no end")
    try:
        entry = parse(header[:-1])
        wrong = problem(entry, key)
    except Exception as error:  # there is no end to what can be wrong
        wrong = str(error) if isinstance(error, Damaged) else _WRONG
    if wrong:
        raise Damaged(wrong)
    return entry


def read_payloads(file: BinaryIO, entry: Entry, new_file: NewFile) -> list[Packed]:
    """The payloads that follow an entry in a file, each verified; large ones in new files.

    Raises Damaged where one is not whole, or more than they are there, and OSError if they
    can't be written.
    """
    packed = []
    for payload in entry.files:
        if payload.object:
            path = new_file()
            _copy(file, payload, path)
            with path.open("rb") as stored:
                exhaust(unpack(payload, pieces(stored, payload)))
            packed.append(Packed(payload, b"", path))
        else:
            data = file.read(payload.stored)
            exhaust(unpack(payload, (data,)))
            packed.append(Packed(payload, data, None))
    if file.read(1):
        raise Damaged("it goes on after its end")
    return packed


def _copy(file: BinaryIO, payload: Payload, path: Path) -> None:
    """Write what is stored of a large payload."""
    digest, left = hashlib.sha256(), payload.stored
    with path.open("xb") as out:
        while left:
            piece = file.read(min(left, CHUNK))
            if not piece:
                raise Damaged(f"{payload.name} is cut off", payload)
            left -= len(piece)
            digest.update(piece)
            out.write(piece)
    if digest.hexdigest() != payload.object:  # under that name others may look for it
        raise Damaged(f"{payload.name} is not stored as it says", payload)


def _is_payload(payload: Payload) -> bool:
    """Whether it can be read, and where it belongs; its digests are compared later."""
    small = payload.object == "" and payload.size <= BLOB_LIMIT
    large = _is_digest(payload.object) and payload.size > BLOB_LIMIT
    sizes = _is_whole(payload.size) and _is_whole(payload.stored)
    return sizes and (small or large) and payload.encoding in ("", "zlib")


def _is_name(name: Any) -> bool:
    return _is_text(name) and is_safe(name) and max(map(len, name.encode().split(b"/"))) < 200


def _is_text(value: Any) -> bool:
    """A string that can be shown, which leaves no lone surrogates."""
    return type(value) is str and len(value) < 1000 and value.isprintable()


def _is_digest(value: Any) -> bool:
    return type(value) is str and _SHA256.fullmatch(value) is not None


def _is_whole(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 53


def _is_amount(value: Any, most: float) -> bool:
    """A number that is neither negative, nor NaN, nor absurd."""
    return type(value) in (int, float) and 0 <= value <= most
