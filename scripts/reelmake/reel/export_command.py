"""`reel export`: a table of a library's results, for spreadsheets and other programs."""

import csv
import sys
from typing import TYPE_CHECKING, Any

from reelmake.foundation import artifact_files
from reelmake.foundation.errors import UserError
from reelmake.library.library import RESULTS
from reelmake.reel.options import Arguments, add_command, output_file
from reelmake.tables.columns import TABLES

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("csv", "jsonl", "parquet")

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that a spreadsheet takes for a formula (OWASP, CSV injection)."""


def add_to(commands: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        commands,
        "export",
        _export,
        "write a table of the results: " + ", ".join(TABLES),
        "  reel export highlights > highlights.csv\n"
        "  reel export words --format jsonl --video holiday\n"
        "  reel export scenes --format parquet --output scenes.parquet\n"
        "In CSV, text that a spreadsheet would take for a formula gets an apostrophe before it.",
        json=False,
    )
    parser.add_argument("table", metavar="TABLE", choices=[*TABLES], help=", ".join(TABLES))
    parser.add_argument("--format", choices=FORMATS, default="csv", help="default: csv")
    parser.add_argument(
        "--video", nargs="+", metavar="VIDEO", help="only these, by their ids (default: all)"
    )
    parser.add_argument("--output", metavar="FILE", help="default: standard output")


def _export(arguments: Arguments) -> int:
    from reelmake import tables  # pandas comes with it: no other command waits for that

    if arguments.format == "parquet" and not arguments.output:
        raise UserError("parquet is no text: say where it goes with --output FILE")
    frame = tables.read(arguments.table, RESULTS, arguments.video)
    if arguments.output:
        with artifact_files.writing(output_file(arguments.output)) as temporary:
            _write(frame, arguments.format, temporary)
    else:
        _write(frame, arguments.format, sys.stdout)
    return 0


def _write(frame: "pd.DataFrame", format: str, target: Any) -> None:
    if format == "csv":
        # All text is quoted: a lone carriage return would end the line for some readers.
        defused(frame).to_csv(target, index=False, quoting=csv.QUOTE_NONNUMERIC)
    elif format == "jsonl":
        frame.to_json(target, orient="records", lines=True, force_ascii=False, date_format="iso")
    else:
        try:
            import pyarrow  # noqa: F401
        except ImportError:
            raise UserError("parquet needs pyarrow: pip install 'reelmake[parquet]'") from None
        frame.to_parquet(target, index=False)


def defused(frame: "pd.DataFrame") -> "pd.DataFrame":
    """The table with an apostrophe before each text that a spreadsheet would run as a formula."""
    safe = frame.copy()
    for name in safe.columns:
        if safe[name].dtype == "string":
            starts = safe[name].str.startswith(FORMULA, na=False)
            safe[name] = safe[name].where(~starts, "'" + safe[name])
    return safe
