"""`reel page`: pages of all films that a browser opens from the disk."""

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
    say,
)


def add_to(commands: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        commands,
        "page",
        _page,
        "write results/pages/: a page of all films and one of each, which a browser opens from "
        "the disk, without a server",
        "  reel page --open\n"
        "  reel page --all          # write every page again\n"
        "It brings the catalog up to date first, and then writes the pages of films that have\n"
        "changed. `reel serve` shows the same pages with search, and live.",
    )
    parser.add_argument("--all", action="store_true", help="write every page again")
    parser.add_argument("--open", action="store_true", help="open the library in a browser")


def _page(arguments: Arguments) -> int:
    from reelmake.catalog import database, updating
    from reelmake.pages import static_pages

    require_results(RESULTS)
    began = time.monotonic()
    try:
        updating.update(RESULTS, tell=news("reading"), match=match_of(arguments))
        report = static_pages.write(RESULTS, arguments.all, news("writing pages"))
    except (database.Error, database.Damaged) as error:
        path = RESULTS / updating.NAME
        raise UserError(f"{path}: {error}; `reel catalog --rebuild` makes it anew") from None
    library = (RESULTS / static_pages.FOLDER / "index.html").absolute()
    if arguments.json:
        print_json({**report._asdict(), "library": str(library)})
    else:
        removed = f", {report.removed:,} removed" if report.removed else ""
        print(
            f"{library}: {count(report.films, 'film')}, {report.written:,} written{removed}"
            f" in {time.monotonic() - began:.1f} s"
        )
    if arguments.open:
        import webbrowser

        if not webbrowser.open(library.as_uri()):
            say(f"no browser was found; open {library.as_uri()}")
    return 0
