"""`reel plan`: what the next run would do, how long it would take, and what space it needs."""

import shutil
import textwrap
from typing import Any

from reelmake.foundation import text
from reelmake.foundation.units import show_bytes, show_hours, show_seconds
from reelmake.reel import run_plan
from reelmake.reel.options import Arguments, add_command, print_json, read_config, say


def add_to(commands: Any) -> None:
    """Add the subcommand."""
    add_command(
        commands,
        "plan",
        _plan,
        "what the next run would do, stage by stage: jobs, media, expected time and disk space; "
        "writes nothing",
        "  reel plan --config videos=~/Movies",
    )


def _plan(arguments: Arguments) -> int:
    found = run_plan.plan(read_config(arguments), say)
    if arguments.json:
        print_json(found)
        return 0
    videos = found["videos"]
    if not videos["to_do"]:
        print(f"nothing to do: {text.count(videos['total'], 'video')}")
        return 0
    print(f"{videos['to_do']:,} of {text.count(videos['total'], 'video')} to do")
    _print_table(found)
    for line in _notes(found):
        print(textwrap.fill(line, shutil.get_terminal_size().columns, subsequent_indent="  "))
    return 0


def _print_table(found: run_plan.Plan) -> None:
    about = "~" if found["videos"]["guessed"] else ""
    wide = max([12, *(len(stage) for stage in found["stages"])])
    print(f"\n{'stage':<{wide}}{'jobs':>8}{'media':>14}{'pictures':>12}{'work':>18}")
    for stage, row in found["stages"].items():
        media = "unknown" if not row["media_seconds"] else about + show_hours(row["media_seconds"])
        items = "" if row["items"] is None else f"{row['items']:,}"
        work = "no history yet"
        if row["seconds"] is not None and row["media_seconds"]:
            work = show_seconds(row["seconds"])
        print(f"{stage:<{wide}}{row['jobs']:>8,}{media:>14}{items:>12}{work:>18}")
    print()


def _notes(found: run_plan.Plan) -> list[str]:
    videos, time, disk = found["videos"], found["time"], found["disk"]
    said = []
    if videos["guessed"]:
        said.append(
            f"media: ~ is an estimate: {text.count(videos['guessed'], 'video')} nobody has looked "
            "into yet count by the size of their files, like this library's others"
        )
    if videos["unknown"]:
        said.append(
            f"media: nobody has looked into {text.count(videos['unknown'], 'video')} yet: "
            "unknown length"
        )
    if time is None or (time["p90"] < 1 and time["without"]):
        said.append("time: no history yet; a first run of some videos makes one")
    else:
        about = "at least" if time["without"] else "about"
        without = f"; no history yet of {', '.join(time['without'])}" if time["without"] else ""
        said.append(
            f"time: {about} {show_seconds(time['p50'])} (90 %: within "
            f"{show_seconds(time['p90'])}) by this library's history{without}; "
            "less where the cache has something"
        )
    needed = "unknown" if disk["needed"] is None else f"up to {show_bytes(disk['needed'])}"
    if disk["needed"] is not None and disk["without"]:
        needed += f" and what {', '.join(disk['without'])} make"
    short = "" if (disk["needed"] or 0) < disk["free"] else ": TOO LITTLE"
    return [*said, f"disk: {needed} needed, {show_bytes(disk['free'])} free{short}"]
