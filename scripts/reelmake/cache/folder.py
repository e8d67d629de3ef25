"""The artifact cache's folder: what lies where in it, and what in it is nobody's any more.

index.sqlite        the index, with the payloads up to 100 KB
objects/ab/abcd…    larger payloads, each named by the SHA-256 of what is in it
locks/              one file a key that is being computed
tmp/                what is being written
quarantine/         what did not match its SHA-256, kept for a week for who wants to know why
"""

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

HOUR = 3600.0
_SUBFOLDERS = ("objects", "locks", "tmp", "quarantine")


class Folder:
    """Paths in the folder, and what is done with whole files. Raises OSError."""

    def __init__(self, path: Path):
        self.path = path
        self.index = path / "index.sqlite"
        self._index = str(self.index)  # each operation asks for it

    def make(self) -> None:
        """Make the folders; what is made is for its owner's eyes only."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in _SUBFOLDERS:
            (self.path / name).mkdir(mode=0o700, exist_ok=True)

    def index_inode(self) -> int | None:
        """Which file the index is, None where there is none."""
        try:
            return os.stat(self._index).st_ino
        except FileNotFoundError:
            return None

    def object(self, digest: str) -> Path:
        """Where the object of that SHA-256 lies."""
        return self.path / "objects" / digest[:2] / digest

    def lock(self, name: str) -> Path:
        """Where the lock of that name, or key, lies."""
        return self.path / "locks" / f"{name}.lock"

    def temporary(self) -> Path:
        """A path for a new file that nobody else uses."""
        return self.path / "tmp" / secrets.token_hex(16)

    @contextlib.contextmanager
    def temporaries(self) -> Iterator[list[Path]]:
        """A list for such paths; the files that still are there at the end are removed."""
        paths: list[Path] = []
        try:
            yield paths
        finally:
            for path in paths:
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)

    def publish(self, temporary: Path, path: Path) -> None:
        """Give a temporary file its name. Not flushed: what a power cut loses is a miss."""
        path.parent.mkdir(mode=0o700, exist_ok=True)
        os.replace(temporary, path)

    def quarantine(self, path: Path) -> None:
        """Move a file out of the way, if it is there."""
        with contextlib.suppress(FileNotFoundError):
            os.replace(path, self.path / "quarantine" / path.name)
            os.utime(self.path / "quarantine" / path.name)

    def quarantine_index(self) -> None:
        """Move the index out of the way."""
        # The log first: left beside another index, SQLite would replay it into that one.
        for suffix in ("-wal", "-shm", ""):
            self.quarantine(Path(f"{self.index}{suffix}"))

    def objects(self) -> Iterator[os.DirEntry[str]]:
        """The files of all objects."""
        for folder in os.scandir(self.path / "objects"):
            if folder.is_dir():
                yield from os.scandir(folder.path)

    def sweep(self, quarantined: float = 7 * 24 * HOUR) -> int:
        """Remove temporary files older than an hour, and what was quarantined so many seconds
        ago; how many."""
        # Earlier versions kept every small payload there a second time.
        shutil.rmtree(self.path / "entries", ignore_errors=True)
        removed = 0
        for name, age in (("tmp", HOUR), ("quarantine", quarantined)):
            for file in os.scandir(self.path / name):
                if is_older(file, age):
                    with contextlib.suppress(OSError):
                        Path(file.path).unlink()
                        removed += 1
        return removed


def is_older(file: os.DirEntry[str], seconds: float) -> bool:
    """Whether the file was written more than so many seconds ago (by a clock that may have
    been moved back since: then it is kept for now). False where it is gone."""
    try:
        return time.time() - file.stat().st_mtime > seconds
    except OSError:
        return False
