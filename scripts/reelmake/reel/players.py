"""Films at a moment: links to them, and programs that play them."""

import shutil
import subprocess
from pathlib import Path

from reelmake.foundation import urls
from reelmake.foundation.errors import UserError


def link(path: str | None, source: str | None, start: float) -> str | None:
    """A URL that browsers open at that time (s): `file:///films/a%20b.mp4#t=12.5`.

    Percent-encoded throughout, so that nothing in a file's name steers a terminal. path: of the
    file; None: `source` is shown, if it is an address. `#t=` is that of W3C Media Fragments.
    """
    if path is not None and Path(path).is_absolute():
        where = Path(path).as_uri()
    elif path is None and source is not None and urls.is_url(source) and "…" not in source:
        # Of one with a …, what leads to the film was cut off, since it may be a secret.
        from urllib.parse import quote

        where = quote(source, safe=":/?&=%@+,;~!$'()*")
    else:
        return None
    return f"{where}#t={start:.2f}".rstrip("0").rstrip(".") if start else where


def command(path: str, start: float) -> list[str]:
    """The command that plays the file from `start` (s) on: of mpv, or of VLC.

    Raises UserError where neither is there, or the file is not.
    """
    if not Path(path).is_file():
        raise UserError(f"{path} is not there: is its disk mounted?")
    file = str(Path(path).absolute())  # it begins with a slash: no player takes it for an option
    if mpv := shutil.which("mpv"):
        return [mpv, f"--start={start:.3f}", "--", file]
    if vlc := shutil.which("vlc"):
        return [vlc, f"--start-time={start:.3f}", Path(file).as_uri()]
    raise UserError(
        "--play needs mpv or VLC, and neither is on the PATH: install one, or open the link in a "
        "browser"
    )


def play(path: str, start: float) -> int:
    """Play the file from `start` (s) on, and wait for the player to end: its exit status.

    Raises UserError as `command` does.
    """
    return subprocess.run(command(path, start), check=False).returncode
