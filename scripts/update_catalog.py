"""Bring the catalog of all films up to date: results/catalog.db, and catalog.json beside it."""

import sys
from typing import TYPE_CHECKING

from reelmake.catalog import updating
from reelmake.foundation.text import printable
from reelmake.library.library import RESULTS

if TYPE_CHECKING:
    from snakemake.script import snakemake


def say(line: str) -> None:
    """Tell the person at the terminal."""
    print(f"reelmake: {printable(line)}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    rebuild, match = snakemake.params.rebuild, snakemake.params.match
    done = updating.try_update(RESULTS, say, rebuild, match=match)
    if not done and snakemake.params.required:
        sys.exit(1)
    if not done:  # which is no reason for a run of films to fail
        updating.write_marker(RESULTS, None)
