"""Folders that reelmake itself has filled: no film is looked for in them.

Else a run over a folder with the working directory in it would take the last run's clips and
trailers for new films, and the next one their clips. A folder is known by what is in it, not by
its name: there are films in folders called `results`, and libraries in other working directories.
"""

import functools
import os
from collections.abc import Callable, Collection
from pathlib import Path

Has = Callable[[str], bool]
"""Whether a folder has something of that name in it."""


def is_results(has: Has) -> bool:
    """Whether a folder is what the results of a video lie in."""
    return has("fingerprints") and (has("jobs") or has("manifest.json"))


def is_cache(has: Has) -> bool:
    """Whether a folder is an artifact cache."""
    return has("objects") and has("quarantine") and has("index.sqlite")


def is_demo(has: Has) -> bool:
    """Whether a folder is the demo of a checkout: its film is there to be named, not found."""
    return has("training") and has("make_picture.py") and has("videos")


class OwnOutput:
    """What one search leaves out: results wherever it starts; a cache or a demo only below there,
    since who names one, or keeps films in one, means it.

    top: where the search starts. cache: the artifact cache of this library.
    found: the folders that were left out, as the search names them.
    """

    def __init__(self, top: Path, cache: Path):
        self.found: dict[str, None] = {}
        self._top, self._cache = top.resolve(), cache.resolve()
        self._is_within = functools.cache(self._look_up)
        self._has = functools.cache(lambda folder: self._is_within(folder.resolve()))

    def is_all(self) -> bool:
        """Whether the search starts within results: it finds nothing."""
        return self._has(self._top) and self._leave_out(str(self._top))

    def enters(self, folder: str, folders: Collection[str], names: Collection[str]) -> bool:
        """Whether to look into a folder below the top; the names of what is in it are known."""
        has = {*folders, *names}.__contains__
        # Its name first: to resolve a path asks the disk for each part of it.
        cache = folder.endswith(self._cache.name) and Path(folder).resolve() == self._cache
        cache = cache or is_cache(has)
        return not ((cache or is_results(has) or is_demo(has)) and self._leave_out(folder))

    def has(self, file: Path) -> bool:
        """Whether a file that a pattern found lies within what is left out."""
        return self._has(file.parent) and self._leave_out(str(file.parent))

    def _look_up(self, folder: Path) -> bool:
        """Whether an absolute folder, or one that it is in, is left out."""

        def has(name: str) -> bool:
            return os.path.lexists(folder / name)

        if is_results(has):
            return True
        if self._top in folder.parents and (
            folder == self._cache or folder.name == ".snakemake" or is_cache(has) or is_demo(has)
        ):
            return True
        return folder.parent != folder and self._is_within(folder.parent)

    def _leave_out(self, folder: str) -> bool:
        self.found[folder] = None
        return True
