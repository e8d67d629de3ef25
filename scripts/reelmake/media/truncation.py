"""Whether the end of a file is missing, like that of a download or copy that was cut off.

By its bytes, as its container counts them: times say less, since a header's duration may be of a
subtitle that nobody sees. Fragmented recordings, MPEG-TS and raw streams can be read up to where
they stop: for them what is there is the film.
"""

import itertools
import os
from pathlib import Path
from typing import BinaryIO

from reelmake.foundation.errors import StageError
from reelmake.media import ebml
from reelmake.media.pyav import InputContainer

# What is missing of a Matroska or FLV file, in seconds and of its length, is forgiven up to this:
# it plays, and some programs write such files.
SECONDS, SHARE = 2.0, 0.02

# A size that nobody knew when the header was written, to a pipe: all ones.
UNKNOWN = 0xFFFFFFF0


def refuse(
    path: Path, container: InputContainer, end: float | None, duration: float | None
) -> None:
    """Raise StageError (`input`) for a file that ends before its container does.

    end: when the last picture or sound that was found ends, duration: when the header says;
    seconds of film time.
    """
    with path.open("rb") as file:
        if not _is_cut(path, file, container):
            return
    what = "is shorter than it says"
    if container.format.name in ("matroska,webm", "flv", "asf"):
        if duration is None and container.format.name == "flv":
            return  # a recorder that was switched off wrote none
        if duration is not None and end is not None:
            if end >= duration - max(SECONDS, SHARE * duration):
                return
            what = f"ends at {end:.0f} s of {duration:.0f} s"
    raise StageError(
        f"{path} {what}, like a download or copy that was cut off: get the whole file."
    )


def _is_cut(path: Path, file: BinaryIO, container: InputContainer) -> bool:
    size = os.fstat(file.fileno()).st_size
    name = container.format.name
    if name.startswith("mov,"):
        # Packets in fragments (no samples in the header: frames is 0) are not held to this:
        # being readable up to where it stops is what a fragmented recording is for.
        streams = [s for s in container.streams if s.frames and len(s.index_entries)]
        entries = [s.index_entries[len(s.index_entries) - 1] for s in streams]
        return any(entry.pos + entry.size > size for entry in entries)
    if name in ("avi", "wav"):
        declared = int.from_bytes(file.read(8)[4:], "little")
        return declared + 8 > size and declared < UNKNOWN
    if name == "matroska,webm":
        return (_matroska_size(path) or 0) > size
    if name == "flv":
        return not _ends_with_tag(file, size)
    if name == "asf":
        return (_asf_size(file) or 0) > size
    return False


def _matroska_size(path: Path) -> int | None:
    """Bytes of the file by the sizes of its header and segment; None where it has none."""
    found = list(itertools.islice(ebml.head(path), 2))
    if [element.id for element in found] != [ebml.HEADER, ebml.SEGMENT]:
        return None
    return found[1].end


def _ends_with_tag(file: BinaryIO, size: int) -> bool:
    """Whether an FLV file ends with a whole tag, and the size of that (FLV 10.1, annex E)."""
    if size < 4:
        return False
    file.seek(size - 4)
    before = int.from_bytes(file.read(4))
    if not 11 <= before <= size - 4 - 9:
        return before == 0
    file.seek(size - 4 - before + 1)
    return int.from_bytes(file.read(3)) + 11 == before


def _asf_size(file: BinaryIO) -> int | None:
    """Bytes of the file by its File Properties Object; None where it is a broadcast.

    Advanced Systems Format, revision 01.20.05, section 3.2.
    """
    head = file.read(1 << 16)
    at = head.find(bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365"))
    if at < 0 or len(head) < at + 92:
        return None
    is_broadcast = head[at + 88] & 1
    return None if is_broadcast else int.from_bytes(head[at + 40 : at + 48], "little")
