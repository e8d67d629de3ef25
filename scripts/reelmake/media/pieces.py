"""The pieces of a recording that was joined end to end, and how both libraries read them.

Players and ffmpeg put a clock right that starts anew while they read on, but neither can seek in
it then, and ffmpeg doesn't with -copyts. So each piece is read as the file that it was: by its
bytes, through ffmpeg's protocol `subfile`, one after the other by its demuxer `concat`. Both
libraries get the same list, so all stages have the same times.
"""

import base64
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from reelmake.foundation.errors import StageError

FORMAT = "concat"
OPTIONS = {"safe": "0", "protocol_whitelist": "file,subfile,data"}
"""ffmpeg's demuxer for the list that `address` gives, and its options."""

OPTIONS_OF_ONE = {"protocol_whitelist": "file,subfile"}
"""And for the address that `part` gives."""


class Piece(NamedTuple):
    """Bytes [begin, end) of a file, and how long they last: seconds up to the next piece."""

    begin: int
    end: int
    duration: float


def of(media: Mapping[str, Any]) -> list[Piece]:
    """Those of a film, from media.json; none where it is a single recording."""
    return [Piece(**piece) for piece in media.get("pieces", ())]


def address(path: Path, film: Sequence[Piece]) -> str:
    """The list of a film's pieces as an address that ffmpeg's demuxer `concat` reads.

    Raises StageError for a name that can't be in such a list.
    """
    if "\n" in str(path) or "\r" in str(path):
        raise StageError(
            f"{str(path)!r} is several recordings in one, and has a line break in its name: "
            "rename it."
        )
    lines = ["ffconcat version 1.0"]
    for piece in film:
        quoted = part(path, piece).replace("'", "'\\''")
        lines.append(f"file '{quoted}'")
        if piece.duration:
            lines.append(f"duration {piece.duration:.6f}")
    text = os.fsencode("\n".join(lines) + "\n")
    return f"data:text/plain;base64,{base64.b64encode(text).decode()}"


def part(path: Path, piece: Piece) -> str:
    """The address of a piece alone, with its own clock."""
    return f"subfile,,start,{piece.begin},end,{piece.end},,:{os.path.abspath(path)}"
