"""Writes subtitles into the picture: ffmpeg's filter for that, and the file that it reads."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from reelmake.foundation.errors import StageError
from reelmake.media import ffmpeg

FILTER = "ass=filename=subtitles.ass"
"""To run in the folder of `prepared`: no path has to pass the quoting of a filter graph."""

_FRAME = 320, 180
_TEST = f"color=black:s={_FRAME[0]}x{_FRAME[1]}:d=0.04,{FILTER},format=gray"


@contextlib.contextmanager
def prepared(subtitles: str) -> Iterator[Path]:
    """A temporary folder in which FILTER burns these subtitles, as `render_burned` gives them."""
    with tempfile.TemporaryDirectory(prefix="reelmake-") as folder:
        (Path(folder) / "subtitles.ass").write_text(subtitles, encoding="utf-8")
        yield Path(folder)


def check(subtitles: str, binary: str) -> None:
    """Burn subtitles that are shown at 0 s into a black picture, and look whether it is still.

    Where there is no font, ffmpeg burns nothing and says that all is well. Raises StageError.
    """
    with prepared(subtitles) as folder:
        output = ["-f", "rawvideo", "frame"]
        try:
            arguments = ["-f", "lavfi", "-i", _TEST, "-frames:v", "1", *output]
            ffmpeg.run(binary, arguments, "subtitles", folder)
        except StageError as error:
            if error.kind in ("resources", "killed"):
                raise
            raise StageError(
                f"ffmpeg ({binary}) can't burn subtitles: use one built with libass, or set "
                f"clips.subtitles to sidecar. {error}",
                kind="engine",
            ) from None
        if max((folder / "frame").read_bytes()) < 64:
            raise StageError(
                "subtitles can't be burned, no font is found: install one (such as "
                "fonts-dejavu-core) and fontconfig, or set clips.subtitles to sidecar.",
                kind="engine",
            )
