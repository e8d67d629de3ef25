"""Titles of films for display, from the names of their files."""

import re
from pathlib import PurePath

from reelmake.foundation import urls
from reelmake.foundation.text import visible

_EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")
_STEERING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What turns the direction of the text beside it."""


def of(source: str) -> str:
    """A title from a path, an address or an id: one line, never empty.

    The extension is left out; dots and underscores between words become spaces where there are no
    spaces: `My_Holiday.2019.mp4` is `My Holiday 2019`.
    """
    name = urls.name(source) if urls.is_url(source) else PurePath(source).name
    name = name.encode(errors="replace").decode()
    stem = _EXTENSION.sub("", name) or name
    if " " not in stem:
        # A dot between digits is part of a number: 2.5.
        stem = re.sub(r"(?<!\d)\.|\.(?!\d)", " ", stem.replace("_", " "))
    return visible(_STEERING.sub("", stem)) or visible(name) or "?"
