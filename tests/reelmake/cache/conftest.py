"""Caches of several machines, and what they share: a folder, or a bucket of a real S3-compatible
server on this machine (moto, in a process of its own)."""

import os
import re
import subprocess
import sys
import threading
import time

import pytest

from reelmake.cache.artifact_cache import Cache
from shared_cache import FILES, SharedBucket, SharedFolder, key


@pytest.fixture(scope="session")
def s3_server():
    """The address of an S3 server."""
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as server:
        address = next(filter(None, (re.search(r"http://\S+:\d+", line) for line in server.stderr)))
        threading.Thread(target=server.stderr.read, daemon=True).start()
        yield address[0]
        server.terminate()


@pytest.fixture
def s3(s3_server, monkeypatch):
    """The environment of one who uses that server."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture
def folder(tmp_path):
    return SharedFolder(tmp_path / "shared")


@pytest.fixture(params=["folder", "s3"])
def shared(request):
    if request.param == "folder":
        return request.getfixturevalue("folder")
    request.getfixturevalue("s3")
    return SharedBucket(f"bucket-{time.time_ns()}")


@pytest.fixture
def new_cache():
    """new_cache(folder, **options): a cache that is closed at the end; `.said` has its lines."""
    made = []

    def make(folder, **options):
        said = []
        one = Cache(folder, **options, say=said.append)
        one.said = said
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


@pytest.fixture
def machine(tmp_path, new_cache):
    """machine(name, shared or a URL): its cache; `.said` has its lines."""

    def make(name, shared, **options):
        url = shared if isinstance(shared, str) else shared.url
        return new_cache(tmp_path / name, **options, shared=url)

    return make


@pytest.fixture
def put(tmp_path):
    """put(cache, name, files): keep them under key(name)."""
    (tmp_path / "made").mkdir()

    def store(cache, name="a", files=FILES, stage="transcript"):
        paths = {}
        for number, (file, content) in enumerate(files.items()):
            paths[file] = tmp_path / "made" / str(number)
            if file.endswith("/"):
                paths[file] = tmp_path / "none"
                paths[file].mkdir(exist_ok=True)
            else:
                paths[file].write_bytes(content)
        return cache.put(key(name), stage, 1, paths, 60.0)

    return store
