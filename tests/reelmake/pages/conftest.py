"""The library to look at, with its catalog and its pages on disk; tests only read it."""

from pathlib import Path

import pytest

import make_pages
from reelmake.catalog import updating
from reelmake.pages import static_pages


def _make(folder: Path) -> None:
    make_pages.make_library(folder / "results")
    updating.update(folder / "results")
    static_pages.write(folder / "results")


@pytest.fixture(scope="session")
def library(shared) -> Path:
    """The folder of all films."""
    return shared("pages", _make) / "results"
