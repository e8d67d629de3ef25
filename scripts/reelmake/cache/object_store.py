"""Where the artifact cache's second tier lies: objects below an fsspec URL.

The only module that imports fsspec, and s3fs through it. Knows nothing of what the objects mean.
"""

import contextlib
import io
import os
import re
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from reelmake.foundation.text import printable

T = TypeVar("T")

PATIENCE = 20.0
"""Seconds that an answer may take."""

_SLOWEST = 100_000  # bytes a second of an upload
_REQUEST = 4 << 20  # bytes that are asked for at once
_SMALL = 1 << 16
# They have no folders. (Asked for one, s3fs would make the bucket.)
_OBJECT_STORES = {"s3", "gs", "gcs", "abfs", "az", "adl", "oss", "http"}

Parts = Sequence[bytes | BinaryIO]
"""What is written, one after the other; files are read to their end."""


class Missing(Exception):
    """There is no such object, or no such place for one."""


class Unreachable(Exception):
    """Why it can't be done, without credentials. silent: there was no answer in time."""

    def __init__(self, error: Exception, seconds: float):
        text = str(error) or type(error).__name__
        self.silent = isinstance(error, TimeoutError)
        if self.silent:
            text = f"no answer within {seconds:.0f} s"
        elif isinstance(error, ImportError):
            text += " (for S3: pip install s3fs)"
        super().__init__(printable(without_credentials(text))[:300])


class Objects:
    """The objects below a URL: the one named abcd… is `ab/abcd…` there.

    url: as fsspec has them; a plain path is a folder. Nothing is connected before the first
    question, and each process does it for itself. Threads may share it. No answer is waited for
    longer than PATIENCE.
    """

    def __init__(self, url: str):
        self._url = url
        self._lock = threading.Lock()
        # By process: the thread that serves one stays on its side of a fork. What is inherited
        # is kept: what it does when it is deleted would meddle with the other side's connection.
        self._connections: dict[int, tuple[Any, str]] = {}

    def size(self, name: str) -> int | None:
        """Bytes of an object; None where there is none. Raises Unreachable."""
        try:
            found = self._ask(lambda fs, root: fs.info(_path(root, name)))
        except Missing:
            return None
        return int(found["size"] or 0)

    @contextlib.contextmanager
    def opened(self, name: str) -> Iterator[BinaryIO]:
        """An object as a file. Raises Missing and Unreachable, here or when it is read."""
        file = self._ask(lambda fs, root: fs.open(_path(root, name), "rb", block_size=_REQUEST))
        with contextlib.closing(file), io.BufferedReader(_Reader(file), 1 << 20) as reader:
            yield reader

    def write(self, name: str, size: int, parts: Parts, temporary: Path) -> None:
        """Write an object of that many bytes; there is all of it or nothing, ever.

        temporary: a path on the local disk that may be written to; the caller removes it.
        Raises Missing and Unreachable.
        """

        def write(fs: Any, root: str) -> None:
            path = _path(root, name)
            if _is_folder(fs):
                _write_file(Path(root), Path(path), parts)
                return
            with temporary.open("xb") as out:
                _copy(parts, out)
            if not _protocols(fs) & _OBJECT_STORES:
                fs.makedirs(path.rpartition("/")[0], exist_ok=True)
            fs.put_file(str(temporary), path)

        self._ask(write, PATIENCE + size / _SLOWEST)

    def create(self, name: str, content: bytes) -> bool:
        """Write a small object unless there is one of its name; whether that was done.

        Raises Missing and Unreachable. Where the place can't refuse it, it is overwritten.
        """

        def create(fs: Any, root: str) -> bool:
            path = _path(root, name)
            try:
                if _is_folder(fs):
                    _make_folder(Path(root), Path(path).parent)
                    with Path(path).open("xb") as file:
                        file.write(content)
                    return True
                if not _protocols(fs) & _OBJECT_STORES:
                    fs.makedirs(path.rpartition("/")[0], exist_ok=True)
                fs.pipe_file(path, content, mode="create")
            except FileExistsError:
                return False
            return True

        return self._ask(create)

    def read(self, name: str) -> bytes:
        """All of a small object; nothing of one that is not small (64 KiB), which anybody may have
        written. Raises Missing and Unreachable."""

        def read(fs: Any, root: str) -> bytes:
            path = _path(root, name)
            # An opened file is refused where it is written to at the moment.
            return b"" if (fs.info(path)["size"] or 0) > _SMALL else bytes(fs.cat_file(path))

        return self._ask(read)

    def overwrite(self, name: str, content: bytes) -> None:
        """Write a small object, whether there is one or not. Raises Missing and Unreachable."""

        def write(fs: Any, root: str) -> None:
            path = _path(root, name)
            if _is_folder(fs):
                _write_file(Path(root), Path(path), [content])
            else:
                fs.pipe_file(path, content)

        self._ask(write)

    def delete(self, name: str) -> None:
        """Remove an object. Raises Missing and Unreachable."""
        self._ask(lambda fs, root: fs.rm_file(_path(root, name)))

    def close(self) -> None:
        """Let the connection go; it is made again when needed."""
        with self._lock:
            self._connections.pop(os.getpid(), None)

    def _ask(self, question: Callable[[Any, str], T], seconds: float | None = None) -> T:
        """The answer to a question that is given the file system and the URL's path in it."""

        def answer() -> T:
            fs, root = self._connected()
            fs.invalidate_cache()  # others may have written what it remembers as missing
            return question(fs, root)

        return _within(PATIENCE if seconds is None else seconds, answer)

    def _connected(self) -> tuple[Any, str]:
        with self._lock:
            if os.getpid() not in self._connections:
                self._connections[os.getpid()] = _connect(self._url)
            return self._connections[os.getpid()]


class _Reader(io.RawIOBase):
    """An opened file none of whose reads is waited for longer than PATIENCE."""

    def __init__(self, file: Any):
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = _within(PATIENCE, lambda: self._file.read(len(buffer)))
        buffer[: len(data)] = data
        return len(data)


def without_credentials(text: str) -> str:
    """A text without what may be secret in the URLs in it: users, passwords, queries."""
    return re.sub(r"(://)(?:[^/\s]*@)?([^\s?]*)(?:\?\S*)?", r"\1\2", text)


def _within(seconds: float, function: Callable[[], T]) -> T:
    """What the function gives. Raises Missing for FileNotFoundError, and Unreachable for any
    other error, or after that time: a folder on a dead server never answers.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(function())
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return outcome.result(seconds)
    except FileNotFoundError as error:
        raise Missing(printable(without_credentials(str(error)))[:300]) from error
    except Exception as error:
        raise Unreachable(error, seconds) from error


def _connect(url: str) -> tuple[Any, str]:
    """The fsspec file system of a URL, nobody else's, and the URL's path in it."""
    import fsspec

    fs, root = fsspec.url_to_fs(url, skip_instance_cache=True)
    if "s3" in _protocols(fs):
        # By default a server that doesn't answer is waited for five times five times.
        fs.connect_timeout, fs.read_timeout, fs.retries = 4, 8, 2
        fs.config_kwargs = {"retries": {"total_max_attempts": 2}, **fs.config_kwargs}
        fs.max_concurrency = 2  # parts of 50 MB, each in memory while it is sent
    return fs, root.rstrip("/")


def _path(root: str, name: str) -> str:
    return f"{root}/{name[:2]}/{name}"


def _protocols(fs: Any) -> set[str]:
    return {fs.protocol} if isinstance(fs.protocol, str) else set(fs.protocol)


def _is_folder(fs: Any) -> bool:
    from fsspec.implementations.local import LocalFileSystem

    return isinstance(fs, LocalFileSystem)


def _write_file(root: Path, path: Path, parts: Parts) -> None:
    """Write a file below a shared folder, for everybody who may use that folder."""
    mode = _make_folder(root, path.parent)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as out:
            _copy(parts, out)
        with contextlib.suppress(OSError):
            temporary.chmod(0o600 | mode & 0o044)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _make_folder(root: Path, folder: Path) -> int:
    """Make a folder in a shared one, with the modes of that, which are returned."""
    root.mkdir(parents=True, exist_ok=True)
    mode = root.stat().st_mode & 0o7777
    if not folder.exists():
        folder.mkdir(exist_ok=True)
        with contextlib.suppress(OSError):  # not every network share has modes
            folder.chmod(mode)
    return mode


def _copy(parts: Parts, out: BinaryIO) -> None:
    for part in parts:
        if isinstance(part, bytes):
            out.write(part)
        else:
            shutil.copyfileobj(part, out, 1 << 20)
