"""A model that stays loaded in a process, for the next job that it does.

Most processes do one job and keep nothing. One that does several (`jobs/warm_jobs.py`) says so; it
keeps the model that was used last, and only that one.
"""

import contextlib
import os
from collections.abc import Callable, Hashable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

Loaded = TypeVar("Loaded")


class _Shelf:
    """make_room: called with the bytes that a model's files have, before it is loaded; None where
    this process keeps no model."""

    def __init__(self) -> None:
        self.make_room: Callable[[int], None] | None = None
        self.key: Hashable = None
        self.model: Any = None
        self.close: Callable[[Any], None] = _nothing

    def clear(self) -> None:
        if self.key is not None:
            self.close(self.model)
        self.key = self.model = None


def _nothing(model: Any) -> None:
    pass


_shelf = _Shelf()


def keep(make_room: Callable[[int], None]) -> None:
    """Have this process keep a model from now on.

    make_room: called before one is loaded, with the bytes of its files: others may have to go.
    """
    _shelf.make_room = make_room


def is_keeping() -> bool:
    """Whether this process keeps a model for its next job."""
    return _shelf.make_room is not None


def is_holding() -> bool:
    """Whether it has a model now."""
    return _shelf.key is not None


def let_go() -> None:
    """Memory was short: close what is kept, here and where nobody works."""
    _shelf.clear()
    if _shelf.make_room is not None:
        _shelf.make_room(1 << 60)


@contextlib.contextmanager
def model(
    key: Hashable,
    files: Sequence[Path],
    load: Callable[[], Loaded],
    close: Callable[[Loaded], None] = _nothing,
    is_as_loaded: Callable[[Loaded], bool] = lambda model: True,
) -> Iterator[Loaded]:
    """A loaded model for the block: the one of the job before, if it is of the same files, as
    they are now, and of the same key.

    key: all else that it is loaded with. files: which it is loaded from; a folder stands for those
    in it. close: frees its memory. is_as_loaded: whether it may be kept, asked after the block; it
    is not where the block ended in an error.
    """
    identity = [part for path in files for part in _identity(Path(path))]
    whole = (key, *identity)
    if _shelf.key == whole:
        found, _shelf.key = _shelf.model, None
    else:
        _shelf.clear()
        if _shelf.make_room is not None:
            _shelf.make_room(sum(size for _, size, _ in identity))
        found = load()
    is_fine = False
    try:
        yield found
        is_fine = is_as_loaded(found)
    finally:
        if _shelf.make_room is not None and is_fine:
            _shelf.key, _shelf.model, _shelf.close = whole, found, close
        else:
            close(found)


def _identity(path: Path) -> list[tuple[str, int, int]]:
    """Name, size (bytes) and time (ns) of a file, or of each file in a folder."""
    found = []
    for file in sorted(path.iterdir()) if path.is_dir() else [path]:
        with contextlib.suppress(OSError):  # its engine will say what is wrong
            stat = os.stat(file)
            found.append((str(file), stat.st_size, stat.st_mtime_ns))
    return found
