"""Fixtures for all tests: real media, made once a session."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import make_media
from web import Web


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """film("vfr.mkv"): the file of that name in make_media.FILMS. Tests only read it."""
    folder = tmp_path_factory.mktemp("films")

    def get(name: str) -> Path:
        path = folder / name
        return path if path.exists() else make_media.FILMS[name](path)

    return get


@pytest.fixture
def web() -> Iterator[Web]:
    """A web server on loopback, for one test."""
    web = Web()
    yield web
    web.close()
