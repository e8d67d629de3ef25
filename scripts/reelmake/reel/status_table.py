"""The status of a library, or of a video, for people: what `reel status` prints."""

import datetime
import time
from collections import Counter
from typing import Any

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from reelmake.foundation.text import count, printable
from reelmake.foundation.units import show_bytes, show_hours, show_seconds
from reelmake.library.library_scan import STATES
from reelmake.reel.status import Status

COLOURS = {
    "done": "green",
    "running": "cyan",
    "waiting": "dim",
    "failed": "red",
    "killed": "yellow",
}


def library(found: Status, width: int, rows: int, wrap: bool = True) -> RenderableType:
    """The status of a library.

    rows: how many entries a list of jobs may have. wrap: whether a long one may take more lines.
    """
    videos = found["videos"]
    if not videos["total"]:
        return Text("no videos here yet: `snakemake -n --config videos=…` says what would run")
    parts: list[RenderableType] = [_head(videos, width), *_numbers(found), Text()]
    parts.append(_stages(found["stages"]))
    if found["running"]:
        parts += [Text(), Text("now running", style="bold"), _running(found, rows)]
    for state, title in (("killed", "killed: the next run takes them up"), ("failed", "failed")):
        if found[state]:
            heading = f"{title} ({len(found[state])})"
            parts += [Text(), Text(heading, style=COLOURS[state])]
            parts.append(_ended(found[state], rows, wrap))
    return Group(*parts)


def video(found: Status, width: int) -> RenderableType:
    """The status of one video."""
    table = _table("stage", "state", "took", "items", "cache", "fingerprint")
    errors = []
    for stage, job in found["stages"].items():
        fingerprint = job["fingerprint"] or {}
        table.add_row(
            stage,
            _coloured(job["state"]),
            _took(job, found["state"]),
            _items(job["items"]),
            printable(job["cache"] or ""),
            fingerprint.get("key", "")[:12],
        )
        if job["error"] and job["state"] in ("failed", "killed"):
            log = f" (log: {job['log']})" if job["log"] else ""
            errors.append(Text(printable(job["error"]["message"] + log), style=COLOURS["failed"]))
    head = Text.assemble(printable(found["video"]), ": ", _coloured(found["state"]))
    return Group(head, Text(_amounts(found)), Text(), table, *errors)


def _head(videos: dict[str, int], width: int) -> RenderableType:
    line = Table.grid(padding=(0, 1))
    done, total = videos["done"], videos["total"]
    said = f"{done:,} of {total:,} video{'' if total == 1 else 's'} done"
    percent = f"{100 * done // total} %"
    bar = ProgressBar(total=total, completed=done, width=max(10, width - len(said + percent) - 3))
    line.add_row(Text(said, style="bold"), bar, percent)
    rest = [f"{videos[state]:,} {state}" for state in STATES[1:] if videos[state]]
    return Group(line, Text(", ".join(rest), style="dim")) if rest else line


def _stages(stages: dict[str, dict[str, int]]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("stage")
    for state in STATES:
        table.add_column(state, justify="right")
    for stage, counts in stages.items():
        cells = [
            Text(f"{counts[state]:,}", style=COLOURS[state] if counts[state] else "dim")
            for state in STATES
        ]
        table.add_row(stage, *cells)
    return table


def _numbers(found: Status) -> list[Text]:
    lines = [Text(_amounts(found))]
    cache = found["cache"]
    if cache["ratio"] is not None:
        asked = cache["hits"] + cache["misses"]
        said = f"cache: {cache['hits']:,} of {asked:,} artifacts restored ({cache['ratio']:.0%})"
        lines.append(Text(said))
    rate, run = found["rate"], found["run"]
    if rate is not None:
        window = show_seconds(rate["window"])
        said = f"rate: {rate['videos']:,} videos in the last {window}"
        if rate["media_per_second"]:
            said += f", {rate['media_per_second']:.1f} times as fast as they play"
        lines.append(Text(said))
    if found["videos"]["done"] + found["videos"]["failed"] < found["videos"]["total"]:
        lines.append(Text(_left(found["eta"], run), style="bold"))
    if run is not None:
        certain = "" if run["certain"] else " (not seen from here)"
        since = _moment(run["since"] or 0, found["now"])
        lines.append(
            Text(printable(f"run: process {run['pid']} on {run['host']} since {since}{certain}"))
        )
    loaded = Counter(", ".join(each["models"]) for each in found["models"])
    if loaded:
        said = "; ".join(f"{name} ({number} x)" for name, number in sorted(loaded.items()))
        lines.append(Text(printable(f"models that stay loaded: {said}")))
    return lines


def _left(eta: dict[str, Any] | None, run: object) -> str:
    when = "left" if run else "of work left; no run is going on"
    if eta is None or (eta["p90"] < 1 and eta["without"]):
        return f"time {when}: no history yet"
    about = "at least" if eta["without"] else "about"
    said = f"{about} {show_seconds(eta['p50'])} (90 %: within {show_seconds(eta['p90'])}) {when}"
    return said + (f"; no history yet of {', '.join(eta['without'])}" if eta["without"] else "")


def _running(found: Status, rows: int) -> RenderableType:
    table = _table("video", "stage", "items", "since", "host")
    for job in found["running"][:rows]:
        items = "waits for another" if job["cache"] == "waiting" else _items(job["items"])
        since = show_seconds(found["now"] - (job["started"] or found["now"]))
        host = printable(str(job["host"] or ""))
        table.add_row(printable(job["video"]), job["stage"], items, since, host)
    return _with_rest(table, found["running"], rows)


def _ended(jobs: list[dict[str, Any]], rows: int, wrap: bool) -> RenderableType:
    lines = Table.grid(padding=(0, 0, 0, 2))
    lines.add_column(no_wrap=not wrap, overflow="fold" if wrap else "ellipsis")
    for job in jobs[:rows]:
        message = (job["error"] or {}).get("message") or "its process is gone"
        message = message.removeprefix(f"{job['video']}: {job['stage']}: ")
        kind = (job["error"] or {}).get("class") or "killed"
        who = f"{job['video']}: {job['stage']}: "
        lines.add_row(Text.assemble((f"[{kind}] ", "dim"), printable(who), printable(message)))
    return _with_rest(lines, jobs, rows)


def _with_rest(table: Table, jobs: list[Any], rows: int) -> RenderableType:
    more = len(jobs) - rows
    return Group(table, Text(f"  … and {more} more (--json)", style="dim")) if more > 0 else table


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(
            column, overflow="fold" if column in ("video", "fingerprint") else "ellipsis"
        )
    return table


def _amounts(found: Status) -> str:
    frames, described, heard = (found[name] for name in ("frames", "descriptions", "segments"))
    said = [f"{frames:,} frames", f"{described:,} descriptions", f"{heard:,} segments of speech"]
    if found["frames_with_text"]:
        said.append(f"{count(found['frames_with_text'], 'frame')} with text")
    if found["unheard"]:
        said.append(f"{show_seconds(found['unheard'])} of voices without a word")
    if found["broken_cues"]:
        said.append(f"{count(found['broken_cues'], 'subtitle')} that break the rules")
    if found["without_speakers"]:
        said.append(f"{count(found['without_speakers'], 'film')} without speakers")
    if found["doubtful"]:
        said.append(count(found["doubtful"], "doubtful sentence"))
    if found["untranslated"]:
        said.append(f"{count(found['untranslated'], 'line')} not translated")
    if "highlights" in found["stages"]:
        said.append(f"{found['highlights']:,} highlights")
    seconds = found["media_seconds"]
    length = "unknown length" if seconds is None else f"{show_hours(seconds)} of media"
    return ", ".join([length, *said, f"{show_bytes(found['bytes'])} on disk"])


def _items(items: dict[str, Any] | None) -> str:
    return f"{items['done']:,} of {items['total']:,} {items['unit']}" if items else ""


def _took(job: dict[str, Any], state: str) -> str:
    if job["started"] is None:
        return ""
    end = time.time() if job["state"] == "running" else job["ended"] or job["updated"]
    return show_seconds(max(0.0, (end or job["started"]) - job["started"]))


def _coloured(state: str) -> Text:
    return Text(state, style=COLOURS.get(state, ""))


def _moment(when: float, now: float) -> str:
    """The time of day, with the day where it is another one."""
    moment, today = datetime.datetime.fromtimestamp(when), datetime.datetime.fromtimestamp(now)
    return f"{moment:%H:%M}" if moment.date() == today.date() else f"{moment:%a %d %b %H:%M}"
