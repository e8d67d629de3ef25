"""Between the artifacts in `results/V/` and the payloads of the artifact cache."""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from reelmake.cache.entry import Contents, Damaged, Entry, Packed, is_safe, pack
from reelmake.cache.folder import NewFile
from reelmake.foundation import artifact_files

MOST_OBJECTS = 256
"""Large files of an entry: all are open while it is read, and a process may open 1,024."""


class NotKept(Exception):
    """Why something is not stored although the cache is in order."""


def pack_all(files: Mapping[str, Path], limit: float, new_file: NewFile) -> list[Packed]:
    """Each file as it will be stored; files: as `Cache.put` has them.

    Large ones are written to new files. Raises NotKept for files that can't be read, have a name
    that leaves the results, or take more than `limit` bytes together, and OSError if they can't
    be written.
    """
    with _read_errors():
        sources = list(_sources(files))
        size = sum(path.stat().st_size for _, path in sources if path)
    if size > limit:
        raise NotKept(f"its {size:,} bytes are more than the whole cache's {limit:,.0f}")
    packed = []
    for name, path in sources:
        if not is_safe(name):
            raise NotKept(f"'{name}' does not stay in the results")
        with contextlib.ExitStack() as opened:
            with _read_errors():
                file = opened.enter_context((path or Path(os.devnull)).open("rb"))
            packed.append(pack(name, file, new_file))
    if sum(1 for each in packed if each.temporary) > MOST_OBJECTS:
        raise NotKept(f"more than {MOST_OBJECTS} large files")
    return packed


def write_all(
    entry: Entry,
    contents: Contents,
    results: Path,
    video: str,
    check: Callable[[str, Path], None],
    durable: bool,
) -> None:
    """Publish an entry's files together, once all of them have proved to be whole.

    check: as `Cache.restore` has it. Raises Damaged where they are not, and OSError where they
    can't be written; then none is published.
    """
    folders: dict[str, Path] = {}
    with contextlib.ExitStack() as published:
        for file, content in zip(entry.files, contents, strict=True):
            name = file.name.replace("{video}", video)
            if not is_safe(name):
                raise Damaged(f"'{name}' does not stay in the results")
            top, slash, inner = name.partition("/")
            if slash and top not in folders:
                folders[top] = published.enter_context(
                    artifact_files.writing(results / top, durable)
                )
                folders[top].mkdir()
            if slash:
                path = folders[top] / inner
            else:
                path = published.enter_context(artifact_files.writing(results / top, durable))
            if inner or not slash:
                with path.open("wb") as out:
                    out.writelines(content)
            try:
                check(file.name, path)
            except ValueError as error:
                raise Damaged(f"{file.name} is not what it should be: {error}", file) from None


def _sources(files: Mapping[str, Path]) -> Iterator[tuple[str, Path | None]]:
    """(name, path) of each file; None for a folder itself, which is kept as an empty file."""
    for name, path in files.items():
        if name.endswith("/"):
            yield name, None
            for inner in sorted(os.listdir(path)):
                if not inner.startswith("."):
                    yield name + inner, path / inner
        else:
            yield name, path


@contextlib.contextmanager
def _read_errors() -> Iterator[None]:
    """Errors of the files to be stored are not the cache's."""
    try:
        yield
    except OSError as error:
        raise NotKept(str(error)) from None
