"""Fixtures for all tests: real media and libraries, made once however many processes test."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock
import pytest

import make_media
from web import Web

# Where it is set, each of the thousands of jobs would compile the library anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

Shared = Callable[[str, Callable[[Path], object]], Path]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those on Slurm first: they take minutes, and wait for most of them."""
    items.sort(key=lambda item: item.get_closest_marker("slurm") is None)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Shared:
    """shared(name, make): a folder that make(folder) has filled, once for all of pytest-xdist's
    workers. Tests only read it."""
    base = tmp_path_factory.getbasetemp()
    root = (base if worker_id == "master" else base.parent) / "shared"
    root.mkdir(exist_ok=True)

    def get(name: str, make: Callable[[Path], object]) -> Path:
        with filelock.FileLock(root / f"{name}.lock"):
            if not (root / f"{name}.made").exists():
                (root / name).mkdir()
                make(root / name)
                (root / f"{name}.made").touch()
        return root / name

    return get


@pytest.fixture(scope="session")
def film(shared: Shared) -> Callable[[str], Path]:
    """film("vfr.mkv"): the file of that name in make_media.FILMS. Tests only read it."""

    def get(name: str) -> Path:
        return shared(f"film {name}", lambda folder: make_media.FILMS[name](folder / name)) / name

    return get


@pytest.fixture
def web() -> Iterator[Web]:
    """A web server on loopback, for one test."""
    web = Web()
    yield web
    web.close()
