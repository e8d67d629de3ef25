"""`reel cache …`: look at the artifact cache, and keep it in order."""

import contextlib
import datetime
import sys
import time
from collections.abc import Iterator
from typing import Any

from reelmake.cache.artifact_cache import Cache
from reelmake.foundation import artifact_files
from reelmake.foundation.errors import UserError
from reelmake.foundation.text import did_you_mean, printable
from reelmake.foundation.units import seconds, show_bytes, show_seconds
from reelmake.jobs import memoized_job
from reelmake.library import sources
from reelmake.library.config import Config
from reelmake.library.library import RESULTS, Library
from reelmake.library.stages import STAGES
from reelmake.reel.options import Arguments, add_command, confirm, print_json, read_config, say


def add_to(commands: Any) -> None:
    """Add `cache` and its subcommands."""
    cache = commands.add_parser("cache", help="look at the artifact cache and keep it in order")
    inner = cache.add_subparsers(required=True, metavar="COMMAND")
    add_command(
        inner,
        "info",
        _info,
        "how large the cache is, and what it has saved",
        "  reel cache info",
    )
    parser = add_command(
        inner,
        "list",
        _list,
        "its entries, the least recently used first",
        "  reel cache list --stage transcript\n  reel cache list --video holiday",
    )
    _add_filters(parser)
    add_command(
        inner,
        "verify",
        _verify,
        "read all of it and quarantine what is damaged; exit status 1 if anything was",
        "  reel cache verify",
    )
    parser = add_command(
        inner,
        "clean",
        _clean,
        "remove entries that meet all conditions; asks first",
        "  reel cache clean --stage scenedesc --older-than 7d --dry-run\n"
        "  reel cache clean --all --yes",
    )
    _add_filters(parser)
    parser.add_argument("--all", action="store_true", help="everything")
    parser.add_argument("--yes", action="store_true", help="don't ask")
    parser.add_argument("--dry-run", action="store_true", help="only say what would go")
    add_command(
        inner,
        "warm",
        _warm,
        "restore everything that a run would find in the cache, in one go: "
        "after a results folder was deleted or a library was moved",
        "  reel cache warm --config videos=~/Movies && snakemake --cores 8",
    )


def _add_filters(parser: Any) -> None:
    parser.add_argument("--stage", help="only of this stage")
    parser.add_argument("--video", help="only made from this video (its id)")
    parser.add_argument("--older-than", metavar="7d", help="only those unused for so long")


@contextlib.contextmanager
def _opened(given: Config) -> Iterator[Cache]:
    cache = memoized_job.opened(given["cache"], say)
    with contextlib.closing(cache):
        yield cache


def _info(arguments: Arguments) -> int:
    with _opened(read_config(arguments)) as cache:
        info = cache.info()
    if arguments.json:
        print_json(info)
        return 0
    asked = info["hits"] + info["misses"]
    share = f" ({info['hits'] / asked:.0%})" if asked else ""
    print(f"{info['folder']}")
    used, limit = show_bytes(info["bytes"]), show_bytes(info["size_limit"])
    print(f"{used} of {limit}, {_count(info['entries'])}")
    print(
        f"since {_moment(info['since'])}: {info['hits']:.0f} hits{share}, "
        f"{info['misses']:.0f} misses, {show_seconds(info['seconds_saved'])} of work saved, "
        f"{info['evictions']:.0f} evicted, {info['quarantined']:.0f} damaged"
    )
    if info["stages"]:
        print(f"{'stage':<12}{'entries':>9}{'size':>12}{'hits':>9}{'saved':>14}")
    for name, stage in info["stages"].items():
        print(
            f"{name:<12}{stage['entries']:>9.0f}{show_bytes(stage['bytes']):>12}"
            f"{stage['hits']:>9.0f}{show_seconds(stage['seconds_saved']):>14}"
        )
    return 0


def _list(arguments: Arguments) -> int:
    given = read_config(arguments)
    with _opened(given) as cache:
        found = list(_entries(cache, given, arguments))
    if arguments.json:
        print_json(found)
        return 0
    for entry in found:
        print(printable(_line(entry)))
    return 0


def _verify(arguments: Arguments) -> int:
    with _opened(read_config(arguments)) as cache:
        bad = cache.verify()
        entries = cache.info()["entries"]
    if arguments.json:
        print_json({"entries": entries, "bad": bad})
    else:
        for each in bad:
            print(printable(f"{each['stage']} {each['key'][:12]}: {each['reason']}; quarantined"))
        print(f"{_count(entries)} read and whole, {len(bad)} damaged")
    return 1 if bad else 0


def _clean(arguments: Arguments) -> int:
    conditions = (arguments.stage, arguments.video, arguments.older_than)
    if arguments.all == any(conditions):
        raise UserError("say what to remove: --stage, --video, --older-than, or --all alone")
    given = read_config(arguments)
    with _opened(given) as cache:
        found = list(_entries(cache, given, arguments))
        size = show_bytes(sum(entry["bytes"] for entry in found))
        what = f"{_count(len(found))}, {size}, in {given['cache']['dir']}"
        if arguments.dry_run:
            for entry in [] if arguments.json else found:
                print(printable(_line(entry)))
        elif found and not arguments.yes and not confirm(f"Remove {what}?"):
            return 1
        elif arguments.all:
            cache.remove()
        else:
            cache.remove(keys=[entry["key"] for entry in found])
    if arguments.json:
        print_json({"removed": 0 if arguments.dry_run else len(found), "entries": found})
    else:
        print(f"{'would remove' if arguments.dry_run else 'removed'} {what}")
    return 0


def _warm(arguments: Arguments) -> int:
    from reelmake.reel import restore_library

    given = read_config(arguments)
    if not given["cache"]["enabled"]:
        raise UserError("the cache is turned off (cache.enabled)")
    shown = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal shown
        if sys.stderr.isatty() and time.monotonic() - shown > 1:
            shown = time.monotonic()
            print(f"\rreel: {done} of {total} videos", end="", file=sys.stderr, flush=True)

    started = time.monotonic()
    warmed = restore_library.warm(given, say, progress)
    if sys.stderr.isatty():
        print("\r", end="", file=sys.stderr)
    if arguments.json:
        print_json(warmed._asdict())
        return 0
    rest = (
        "; nothing is missing"
        if not warmed.missing
        else (f"; {warmed.missing} are not in the cache: run snakemake")
    )
    print(
        f"{warmed.restored} artifacts restored in {time.monotonic() - started:.1f} s; "
        f"{warmed.finished} of {warmed.videos} videos are finished{rest}"
    )
    return 0


def _entries(cache: Cache, given: Config, arguments: Arguments) -> Iterator[dict[str, Any]]:
    """The entries that meet the conditions on the command line."""
    if arguments.stage and arguments.stage not in STAGES:
        hint = did_you_mean(arguments.stage, STAGES)
        raise UserError(f"there is no stage '{arguments.stage}'{hint}")
    unused = seconds(arguments.older_than) if arguments.older_than else None
    contents = _contents(given, arguments.video) if arguments.video else None
    for entry in cache.entries(arguments.stage, unused):
        if contents is None or entry.get("content") in contents:
            yield entry


def _contents(given: Config, video: str) -> set[str]:
    """The digests of a video's source: that its results were made from, and that it has now."""
    media = artifact_files.read_json(RESULTS / video / "media.json")
    found = {media["content"]} if isinstance(media, dict) and "content" in media else set[str]()
    with contextlib.suppress(UserError, OSError):
        known = Library(given, write=False, say=say).find(video)
        full = given["source"]["digest"] == "full"
        path = sources.check(sources.identify(known.source))
        found.add(sources.digest(path, full))
    if not found:
        raise UserError(f"{video}: neither its results nor its source are known here")
    return found


def _line(entry: dict[str, Any]) -> str:
    files = len(entry.get("files", []))
    return (
        f"{entry['key'][:12]}  {entry['stage']:<11} {show_bytes(entry['bytes']):>9}  "
        f"{files:>3} file{'s' if files != 1 else ' '}  made {_moment(entry['created'])}  "
        f"used {_moment(entry['used'])}  hits {entry['hits']}"
    )


def _count(entries: float) -> str:
    return f"{entries:.0f} entr{'y' if entries == 1 else 'ies'}"


def _moment(when: float) -> str:
    return f"{datetime.datetime.fromtimestamp(when):%Y-%m-%d %H:%M}"
