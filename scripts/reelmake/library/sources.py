"""What a source is: its identity, where it lies, and the digest of its content."""

import hashlib
import os
import stat
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from reelmake.foundation import artifact_files, urls
from reelmake.foundation.errors import StageError


class Identity(TypedDict):
    """Which source it is, and in which state.

    path: absolute, or a URL. size (bytes), mtime_ns (ns since 1970): of a file; None where it
    can't be seen. etag, last_modified: of a URL, as its server says them. step: where it says
    neither, the time (s since 1970) from which on it is asked again.
    """

    path: str
    size: NotRequired[int | None]
    mtime_ns: NotRequired[int | None]
    etag: NotRequired[str]
    last_modified: NotRequired[str]
    step: NotRequired[int]


BLOCK = 64 * 1024
BLOCKS = 64


def identify(path: str) -> Identity:
    """The identity of the source at `path`. Nothing is read."""
    try:
        seen = os.stat(path)
    except (OSError, ValueError):  # ValueError: a name with a NUL in it
        return {"path": path, "size": None, "mtime_ns": None}
    return {"path": path, "size": seen.st_size, "mtime_ns": seen.st_mtime_ns}


def growing(paths: Iterable[str], settle_seconds: float) -> set[str]:
    """Those of the paths that are being written: two looks differ.

    Only files changed within the last `settle_seconds` get the second look, after that
    time, so that a library at rest costs no wait.
    """
    first = {path: identify(path) for path in paths}
    now = time.time_ns()
    recent = [
        path
        for path, seen in first.items()
        if seen["mtime_ns"] is not None and abs(now - seen["mtime_ns"]) < settle_seconds * 1e9
    ]
    if not recent:
        return set()
    time.sleep(settle_seconds)
    return {path for path in recent if identify(path) != first[path]}


def check(expected: Identity) -> Path:
    """The source's path, if it is there and still what its fingerprint says.

    Called before and after a stage reads the source: an artifact must not be made from
    a file that changed meanwhile. Raises StageError.
    """
    path = Path(expected["path"])
    head(path)
    if identify(str(path)) != expected:
        raise StageError(
            f"{path} changed since this run looked at it (is it still being "
            "written?); run again when it is complete",
            kind="transient",
        )
    return path


def local(identity: Identity, results: Path) -> Path:
    """The file to read: the source itself, or what was downloaded from its URL to `results`.

    Called before and after a stage reads it, like `check`. Raises StageError.
    """
    if not urls.is_url(identity["path"]):
        return check(identity)
    record = results / "source.json"
    found = download(results)
    if found.get("url") != identity["path"]:
        raise StageError(
            f"{record} is not of {urls.shown(identity['path'])}; delete it to download that"
        )
    path = results / str(found["file"])
    size = identify(str(path))["size"]
    if size != found["size"]:
        what = "is gone" if size is None else f"has {size:,} bytes instead of {found['size']:,}"
        raise StageError(f"{path} {what}; delete {record} to download it again")
    return path


def download(results: Path) -> dict[str, Any]:
    """What `results/V/source.json` says of the last download; empty where there is none."""
    found = artifact_files.read_json(results / "source.json")
    return found if isinstance(found, dict) and {"url", "file", "size"} <= found.keys() else {}


def head(path: Path) -> bytes:
    """The first 16 bytes. Raises StageError where the file is gone or can't be read."""
    try:
        # A pipe would make whoever opens it wait for ever.
        if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
            raise StageError(f"{path} is not a file, but a pipe or a device; take it off the list")
        with path.open("rb") as file:
            return file.read(16)
    except FileNotFoundError:
        raise StageError(f"{path} is gone; put it back, or take it off the list") from None
    except IsADirectoryError:
        raise StageError(f"{path} is a folder, not a video") from None
    except PermissionError:
        raise StageError(
            f"{path} can't be read, no permission; give the user that runs this read access"
        ) from None
    except OSError as error:
        raise StageError(f"{path} can't be read ({error.strerror})") from None


def digest(path: Path, full: bool = False) -> str:
    """SHA-256 (hex) over the file's size and content.

    Sampled: over 64 blocks of 64 KiB spread evenly from the first byte to the last (the
    whole file up to 4 MiB), which is read in milliseconds however long the film is.
    Full: over all of it.
    """
    size = path.stat().st_size
    sha = hashlib.sha256(f"{'full' if full else 'sampled'}:{size}:".encode())
    with path.open("rb") as file:
        if full or size <= BLOCK * BLOCKS:
            while block := file.read(1024 * 1024):
                sha.update(block)
        else:
            for number in range(BLOCKS):
                file.seek(number * (size - BLOCK) // (BLOCKS - 1))
                sha.update(file.read(BLOCK))
    return sha.hexdigest()
