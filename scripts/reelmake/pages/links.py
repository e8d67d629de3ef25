"""Addresses in pages: below the folder of static pages, or below the server."""

import os
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from reelmake.pages.film_files import Source


class Links(NamedTuple):
    """Where pages find each other, and the files of films.

    live: whether a server answers. root: the address of the folder of pages as one of them sees
    it, ending in a slash; empty: that folder itself. folder: of the page's own file on disk; None
    for a server.
    """

    live: bool
    root: str
    folder: Path | None = None

    def home(self) -> str:
        """The library."""
        return self.root if self.live else f"{self.root}index.html"

    def asset(self, name: str) -> str:
        """A style, a script or a picture of the pages' own."""
        return f"{self.root}assets/{name}"

    def film(self, video: str) -> str:
        """The page of a film."""
        return f"{self.root}film/{encoded(video)}{'' if self.live else '/index.html'}"

    def artifact(self, video: str, path: str) -> str:
        """A file in the folder of a film's results."""
        base = f"{self.root}media/" if self.live else f"{self.root}../"
        # A name in an artifact leads nowhere else.
        parts = [encoded(part) for part in path.split("/") if part not in ("", ".", "..")]
        return f"{base}{encoded(video)}/{'/'.join(parts)}"

    def source(self, video: str, source: Source) -> str | None:
        """The film itself; None where it is not there."""
        if source.path is None:
            return None
        if self.live or self.folder is None:
            return f"{self.root}media/{encoded(video)}/source"
        here = Path.cwd()
        if source.path.is_relative_to(here) and self.folder.is_relative_to(here):
            # The library may be moved, or looked at from another machine.
            return encoded(os.path.relpath(source.path, self.folder), safe="/")
        return f"file://{encoded(str(source.path), safe='/')}"


def encoded(text: str, safe: str = "") -> str:
    """Text, a name on disk with odd bytes as well, as a part of an address."""
    return quote(os.fsencode(text), safe=safe)
