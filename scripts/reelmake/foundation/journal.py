"""The journal of a stage: its finished items, so that a stopped job goes on after them.

`results/V/journal/S.<key>.msgpack` is a sequence of frames, each appended with one write and
flushed to the disk: length and CRC-32 of the payload (u32, little-endian), then the payload,
one msgpack value. The first frame holds the format's version and the key. What follows the last
whole frame (a torn write, a damaged block) is cut off when the file is opened.
"""

import contextlib
import errno
import os
import struct
import zlib
from io import FileIO
from pathlib import Path
from typing import Any

import msgpack

from reelmake.foundation import artifact_files

VERSION = 1
"""Of the file's format: another one starts afresh."""

_HEAD = struct.Struct("<II")


class Journal:
    """The journal of one stage of a video, open for more.

    records: what earlier jobs with this key finished, in their order. Journals that the stage
    left under other keys are removed. Two jobs that write to one journal (a run was killed, but
    not its job) repeat items and lose none. Raises OSError where it can't be written.
    """

    def __init__(self, folder: Path, stage: str, key: str):
        self.path = folder / f"{stage}.{key}.msgpack"
        self._file = _open(self.path)
        for other in folder.glob(f"{stage}.*.msgpack"):
            if other != self.path:
                other.unlink(missing_ok=True)
        self._file.seek(0)
        content = self._file.readall()
        values, end = _whole(content)
        header = {"version": VERSION, "key": key}
        if values[:1] != [header]:
            values, end = [header], 0
        if end < len(content):
            self._file.truncate(end)
        if not end:
            self.append(header)
            artifact_files.sync(folder)
        self.records: list[Any] = values[1:]

    def append(self, record: Any) -> None:
        """Keep a finished item: when this returns, it survives a power cut.

        record: what msgpack can hold; tuples come back as lists.
        """
        payload = msgpack.packb(record, use_bin_type=True)
        frame = _HEAD.pack(len(payload), zlib.crc32(payload)) + payload
        end = self._file.seek(0, os.SEEK_END)
        try:
            if self._file.write(frame) != len(frame):  # there was room for a part of it
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
            os.fsync(self._file.fileno())
        except OSError as error:
            # A frame that is not whole would hide the ones after it.
            with contextlib.suppress(OSError):
                self._file.truncate(end)
            error.filename = str(self.path)
            raise

    def close(self, done: bool = False) -> None:
        """Close it. done: delete it, because the artifact was published or the items are no good.

        The folder goes with the last journal in it. Closing twice is fine.
        """
        self._file.close()
        if done:
            self.path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self.path.parent.rmdir()


def forget(folder: Path, stage: str) -> None:
    """Delete every journal of a stage that is done, and the folder with the last one in it."""
    for path in folder.glob(f"{stage}.*.msgpack"):
        path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


def _open(path: Path) -> FileIO:
    """The file, unbuffered, created if needed."""
    for _ in range(100):
        # Another stage that is done may take the empty folder away between the two lines.
        with contextlib.suppress(FileNotFoundError, FileExistsError):
            path.parent.mkdir(parents=True, exist_ok=True)
            return path.open("a+b", buffering=0)
    raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path.parent))


def _whole(content: bytes) -> tuple[list[Any], int]:
    """The values of the whole frames at the beginning of `content`, and where they end."""
    values: list[Any] = []
    end = 0
    while len(content) - end >= _HEAD.size:
        length, checksum = _HEAD.unpack_from(content, end)
        payload = content[end + _HEAD.size : end + _HEAD.size + length]
        if len(payload) < length or zlib.crc32(payload) != checksum:
            break
        try:
            values.append(msgpack.unpackb(payload, raw=False, strict_map_key=False))
        except (ValueError, msgpack.exceptions.UnpackException):
            break  # no payload: what a power cut leaves may be zeros, whose CRC-32 is 0
        end += _HEAD.size + length
    return values, end
