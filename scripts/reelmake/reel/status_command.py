"""`reel status`: how the library is doing, while a run is going on or not."""

import datetime
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelmake.foundation.errors import UserError
from reelmake.foundation.text import did_you_mean
from reelmake.library import library_scan, sidecars
from reelmake.library.library import RESULTS
from reelmake.reel import status
from reelmake.reel.options import Arguments, add_command, print_json

if TYPE_CHECKING:
    from rich.console import Console

ROWS = 20
"""Of a list that may be long, where nothing else limits it."""


FIXED = 24
"""Lines of the terminal that everything but the lists takes."""


def add_to(commands: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        commands,
        "status",
        _status,
        "how many videos are done, what is at work and how long it will take, what failed and why; "
        "needs no configuration and waits for nobody",
        "  reel status --watch\n  reel status --video holiday\n  reel status --json",
    )
    parser.add_argument("--watch", action="store_true", help="show it again and again; Ctrl+C ends")
    parser.add_argument(
        "--every", type=float, default=2.0, metavar="SECONDS", help="how often (default: 2)"
    )
    parser.add_argument("--video", metavar="VIDEO", help="only this one, stage by stage")


def _status(arguments: Arguments) -> int:
    looked = library_scan.Scan(RESULTS)
    if arguments.watch and arguments.json:
        raise UserError("--watch is for people, --json for scripts: give one of them")
    if arguments.json:
        print_json(_found(looked, arguments.video))
        return 0
    console = _console()
    if not arguments.watch:
        console.print(_shown(_found(looked, arguments.video), console, ROWS))
        return 0
    if not console.is_terminal:
        raise UserError("--watch needs a terminal; without it, `reel status` answers once")
    _watch(looked, arguments.video, console, max(0.1, arguments.every))
    return 0


def _found(looked: library_scan.Scan, video: str | None) -> status.Status:
    if video is None:
        return status.status(looked.look())
    facts = looked.video(video) if "/" not in video else None
    if facts is None:
        hint = did_you_mean(video, [known.video for known in looked.look()])
        raise UserError(f"nothing is known of a video '{video}' in {RESULTS}/{hint}")
    return status.video_status(facts, sidecars.read_all(Path(RESULTS, video)))


def _console() -> "Console":
    from rich.console import Console

    # Names and errors are shown as they are: nothing in them is a style, a link or a picture.
    return Console(markup=False, highlight=False, emoji=False)


def _shown(found: status.Status, console: "Console", rows: int, wrap: bool = True) -> Any:
    from reelmake.reel import status_table

    if "videos" in found:
        return status_table.library(found, console.width, rows, wrap)
    return status_table.video(found, console.width)


def _watch(looked: library_scan.Scan, video: str | None, console: "Console", every: float) -> None:
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            found = _found(looked, video)
            rows = max(1, (console.height - FIXED) // 2)
            shown = _shown(found, console, rows, wrap=False)
            now = f"{datetime.datetime.now():%H:%M:%S}, Ctrl+C ends"
            live.update(Group(shown, Text(now, style="dim")), refresh=True)
            time.sleep(every)
