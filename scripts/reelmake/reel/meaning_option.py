"""Whether a search is by what words mean, too: `--words` of the commands that search."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.reel.options import Arguments, read_config

if TYPE_CHECKING:
    from reelmake.catalog.by_meaning import Rankers


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the option."""
    parser.add_argument(
        "--words", action="store_true", help="only by the words, not by what they mean"
    )


def rankers(arguments: Arguments, results: Path, words: str) -> "Rankers":
    """What ranks moments by the meaning of the words; none where that is not asked for, or no film
    has vectors. results: the folder of all films."""
    from reelmake.catalog import by_meaning  # numpy comes with it

    if arguments.words or not words.strip() or not by_meaning.has_vectors(results):
        return by_meaning.Rankers([], [])
    return by_meaning.rankers(results, read_config(arguments), words)
