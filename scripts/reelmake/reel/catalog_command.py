"""`reel catalog`: brings the catalog of all films up to date, and says what it holds."""

import time
from typing import Any

from reelmake.foundation.errors import UserError
from reelmake.foundation.text import count
from reelmake.library.library import RESULTS
from reelmake.reel.options import (
    Arguments,
    add_command,
    match_of,
    news,
    print_json,
    require_results,
)


def add_to(commands: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        commands,
        "catalog",
        _catalog,
        "bring results/catalog.db up to date with what is on disk, and say what it holds",
        "  reel catalog\n"
        "  reel catalog --rebuild\n"
        "A run does the same at its end. The catalog is made from the artifacts alone: nothing is\n"
        "lost where it is deleted. It is one SQLite file, whose tables docs/catalog.md describes.",
    )
    parser.add_argument(
        "--rebuild", action="store_true", help="make it anew instead of reading only what changed"
    )


def _catalog(arguments: Arguments) -> int:
    from reelmake.catalog import database, updating

    require_results(RESULTS)
    began = time.monotonic()
    path = RESULTS / updating.NAME
    try:
        report = updating.update(RESULTS, arguments.rebuild, news("reading"), match_of(arguments))
        found = database.counts(path)
    except database.Error as error:
        raise UserError(f"{path}: it can't be written: {error}") from None
    size, seconds = path.stat().st_size, time.monotonic() - began
    if arguments.json:
        print_json({**report._asdict(), "path": str(path), "bytes": size, "rows": found})
        return 0
    print(f"{path}: {size / 1e6:,.1f} MB, {_done(report)} in {seconds:.1f} s")
    width = max(map(len, found))
    for table, rows in found.items():
        print(f"  {table:<{width}}  {rows:>12,}")
    return 0


def _done(report: Any) -> str:
    if report.rebuilt:
        return f"made anew ({report.rebuilt}), {count(report.written, 'film')} read"
    if not (report.written or report.removed):
        return "up to date, checked"
    return f"{count(report.written, 'film')} read, {report.removed:,} removed"
