"""Places that machines share a cache in, and what is kept there."""

import contextlib
import functools
import hashlib
import http.server
import os
import random
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import ClassVar

import boto3
from fsspec.implementations.memory import MemoryFileSystem

from reelmake.cache.entry import BLOB_LIMIT

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
LARGE = 3 * BLOB_LIMIT


def key(name) -> str:
    return hashlib.sha256(str(name).encode()).hexdigest()


def noise(name, size: int) -> bytes:
    return random.Random(str(name)).randbytes(size)


TEXT = b"".join(b'{"word": %d}\n' % number for number in range(30_000))
FILES = {
    "transcript.json": b"small",
    "{video}.msgpack": noise(1, LARGE),
    "keyframes/": b"",
    "keyframes/1.txt": TEXT,
    "keyframes/2.jpg": b"",
}


class SharedFolder:
    """A folder that machines share, seen from outside."""

    def __init__(self, path: Path):
        self.path, self.url = path, str(path)

    def names(self) -> list[str]:
        found = [path for path in self.path.rglob("*") if path.is_file()]
        return sorted(str(path.relative_to(self.path)) for path in found)

    def read(self, key: str) -> bytes:
        return (self.path / key[:2] / key).read_bytes()

    def write(self, key: str, content: bytes) -> None:
        (self.path / key[:2]).mkdir(parents=True, exist_ok=True)
        (self.path / key[:2] / key).write_bytes(content)

    def remove(self, key: str) -> None:
        (self.path / key[:2] / key).unlink()


class SharedBucket:
    """The same on an S3 server."""

    def __init__(self, bucket: str):
        self.bucket, self.url = bucket, f"s3://{bucket}/some/prefix"
        self.client = boto3.client("s3")
        self.client.create_bucket(Bucket=bucket)

    def names(self) -> list[str]:
        found = self.client.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return sorted(item["Key"].removeprefix("some/prefix/") for item in found)

    def read(self, key: str) -> bytes:
        return self.client.get_object(**self._at(key))["Body"].read()

    def write(self, key: str, content: bytes) -> None:
        self.client.put_object(**self._at(key), Body=content)

    def remove(self, key: str) -> None:
        self.client.delete_object(**self._at(key))

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": f"some/prefix/{key[:2]}/{key}"}


class LikeFtp(MemoryFileSystem):
    """A file system that wants its folders made, and remembers what it has listed."""

    protocol = "likeftp"
    store: ClassVar = {}
    pseudo_dirs: ClassVar = [""]

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(path.removeprefix("likeftp://"))

    def info(self, path, **options):
        parent = self._parent(path)
        if parent not in self.dircache:
            found = self.ls(parent) if self.isdir(parent) else []
            self.dircache[parent] = {item["name"]: item for item in found}
        try:
            return self.dircache[parent][self._strip_protocol(path)]
        except KeyError:
            raise FileNotFoundError(path) from None

    def isdir(self, path):
        return self._strip_protocol(path) in self.pseudo_dirs

    def invalidate_cache(self, path=None):
        self.dircache.clear()

    def put_file(self, lpath, rpath, **options):
        if not self.isdir(self._parent(rpath)):
            raise FileNotFoundError(rpath)
        super().put_file(lpath, rpath, **options)


def python(code: str, *args, **options) -> subprocess.Popen:
    """A process that runs the code with the library on its path."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *(str(arg) for arg in args)],
        env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def finish(process: subprocess.Popen, code: int = 0) -> str:
    """What a process has printed, which ends with this exit status."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == code, err
    return out + err


@contextlib.contextmanager
def serving(path: Path):
    """The URL at which a plain web server has the folder."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Handler, directory=str(path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield "http://{}:{}".format(*server.server_address)
        server.shutdown()
