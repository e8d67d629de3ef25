"""Encodes the films that reelmake makes: H.264 or H.265, and AAC, in MP4.

The same input gives the same bytes, with the same number of threads. Nothing of the source's
metadata is in them, and they can be played while they load.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from reelmake.foundation.errors import StageError
from reelmake.media import ffmpeg

SOUND = ("-c:a", "aac", "-b:a", "160k")
"""ffmpeg's arguments for an output with sound."""

FILE = (
    *("-map_metadata", "-1", "-map_chapters", "-1", "-movflags", "+faststart"),
    *("-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact", "-y"),
)
"""And for any output."""


def pictures(settings: Mapping[str, Any], threads: int = 0) -> list[str]:
    """And for one with pictures.

    settings: codec (libx264 or libx265), crf and preset. threads: 0 is one a core.
    """
    codec = settings["codec"]
    arguments = ["-c:v", codec, "-crf", str(settings["crf"]), "-preset", settings["preset"]]
    arguments += ["-threads:v", str(threads)]
    if codec == "libx265":
        # x265 has its own pool of threads, of one a core, and its own idea of a log level.
        pools = f":pools={threads}" if threads else ""
        # Apple's players take no other tag.
        arguments += ["-tag:v", "hvc1", "-x265-params", f"log-level=error{pools}"]
    return arguments


def run(
    binary: str,
    arguments: list[str],
    source: Path | str,
    setting: str,
    folder: Path | None = None,
    progress: Callable[[float], None] | None = None,
) -> None:
    """`ffmpeg.run` with an encoder that not every ffmpeg has.

    setting: the name of the one that chose it. Raises StageError.
    """
    try:
        ffmpeg.run(binary, arguments, source, folder, progress=progress)
    except ffmpeg.LackError as error:
        instead = f"set {setting} to another codec"
        if error.what.startswith("filter"):  # all but zscale belong to every ffmpeg
            instead = "it shows high dynamic range to every player: set clips.hdr to keep"
        raise StageError(
            f"{error}: {instead}, or the setting ffmpeg to a program that has this one; the one "
            "that comes with reelmake does.",
            kind="engine",
        ) from None
