"""The artifact cache's folder: what lies where in it.

index.sqlite        the index, with the payloads up to 100 KB
objects/ab/abcd…    larger payloads, each named by the SHA-256 of what is in it
locks/              one file a key that is being computed
tmp/                what is being written
quarantine/         what did not match its SHA-256, kept for a week for who wants to know why
"""

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

NewFile = Callable[[], Path]
"""Gives a path for a new temporary file that nobody else uses."""


class Folder:
    """Paths in the folder. Methods raise OSError."""

    def __init__(self, path: Path):
        self.path = path
        self.index = path / "index.sqlite"
        self._index = str(self.index)  # each operation asks for it

    def make(self) -> None:
        """Make the folders; what is made is for its owner's eyes only."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("objects", "locks", "tmp", "quarantine"):
            (self.path / name).mkdir(mode=0o700, exist_ok=True)

    def index_inode(self) -> int | None:
        """Which file the index is, None where there is none."""
        try:
            return os.stat(self._index).st_ino
        except FileNotFoundError:
            return None

    def object(self, digest: str) -> Path:
        """Where what is stored as a file of that SHA-256 lies."""
        return self.path / "objects" / digest[:2] / digest

    def lock(self, name: str) -> Path:
        """Where the lock of that name, or key, lies."""
        return self.path / "locks" / f"{name}.lock"

    @contextlib.contextmanager
    def temporaries(self) -> Iterator[NewFile]:
        """Gives paths for new files; those files that still are there at the end are removed."""
        paths: list[Path] = []

        def new_file() -> Path:
            paths.append(self.path / "tmp" / secrets.token_hex(16))
            return paths[-1]

        try:
            yield new_file
        finally:
            for path in paths:
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)

    def quarantine(self, path: Path) -> None:
        """Move a file out of the way, if it is there."""
        with contextlib.suppress(FileNotFoundError):
            os.replace(path, self.path / "quarantine" / path.name)
            os.utime(self.path / "quarantine" / path.name)
