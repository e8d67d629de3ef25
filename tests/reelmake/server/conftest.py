"""The server as a process of its own, over the library of `make_pages`."""

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import make_pages
from make_moments import make_film
from reelmake.catalog import updating

ROOT = Path(__file__).resolve().parents[3]


def _make(folder: Path) -> None:
    make_pages.make_library(folder / "results")
    make_film(folder / "results" / "large", state="failed", scenes=0)
    with (folder / "results" / "large" / "trailer.mp4").open("wb") as large:
        large.truncate(50_000_000)  # more than any buffer takes; nothing on the disk
    updating.update(folder / "results")


class Served:
    """A `reel serve` of its own. folder: the working directory."""

    def __init__(self, folder: Path, *options: str):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "reelmake.reel", "serve", "--port", "0", *options],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT / "scripts")},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr
        for line in self.process.stderr:
            if "http://" in line:
                self.address = line.split()[1]
                self.port = int(self.address.rstrip("/").rpartition(":")[2])
                return
        raise AssertionError(f"reel serve ended: {self.process.wait()}")

    def ask(self, path: str, method: str = "GET", body: str | None = None, **headers: str):
        """The answer, with its `body`. headers: with underscores for dashes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, given)
        answer = connection.getresponse()
        answer.content = answer.read()
        connection.close()
        return answer

    def stop(self) -> tuple[int, str]:
        """The exit status and what was said."""
        self.process.send_signal(signal.SIGINT)
        _, said = self.process.communicate(timeout=20)
        return self.process.returncode, said


@pytest.fixture(scope="session")
def folder(shared) -> Path:
    """The working directory; tests only read it."""
    return shared("served", _make)


@pytest.fixture(scope="session")
def site(folder) -> Iterator[Served]:
    """A server for this machine alone."""
    served = Served(folder)
    yield served
    _, said = served.stop()
    assert "Traceback" not in said


@pytest.fixture
def serve():
    """serve(folder, *options): another server, for one test."""
    servers = []

    def start(folder: Path, *options: str) -> Served:
        servers.append(Served(folder, *options))
        return servers[-1]

    yield start
    for served in servers:
        if served.process.poll() is None:
            served.stop()
