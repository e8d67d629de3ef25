"""What `reel`'s commands share: the options, the configuration, the ways to answer."""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reelmake.foundation.errors import UserError
from reelmake.foundation.text import count, printable
from reelmake.library import config
from reelmake.library.config import Config

Arguments = argparse.Namespace

NEWS = 2.0
"""Seconds from one line of progress to the next."""


def read_config(arguments: Arguments) -> Config:
    """The configuration as a run with the same --configfile and --config has it."""
    import yaml

    given: Config = {}
    checkout = [config.DEFAULTS] if config.DEFAULTS.exists() else []
    for path in [*checkout, *(Path(name) for name in arguments.configfile)]:
        try:
            content = yaml.safe_load(path.read_text())
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise UserError(f"{path}: can't be read: {error}") from None
        if not isinstance(content or {}, dict):
            raise UserError(f"{path}: it holds no settings, such as `videos: ~/Movies`")
        config.merge(given, content or {})
    for entry in arguments.config:
        key, equals, value = entry.partition("=")
        if not equals:
            raise UserError(f"--config {entry}: give it as key=value")
        section, dot, name = key.partition(".")
        if dot:
            right = config.on_command_line(section, name, value)
            raise UserError(f"--config {entry}: write it as snakemake wants it, {right}")
        try:
            config.merge(given, {key: yaml.safe_load(value)})
        except yaml.YAMLError as error:
            raise UserError(f"--config {entry}: {error}") from None
    return config.load(given)


def match_of(arguments: Arguments) -> float:
    """The setting `speakers.match`, for what brings the catalog up to date."""
    found: float = read_config(arguments)["speakers"]["match"]
    return found


def say(line: str) -> None:
    """Tell the person something that is not the command's output."""
    print(f"reel: {printable(line)}", file=sys.stderr, flush=True)


def news(what: str) -> Callable[[int, int], None]:
    """A function that tells at a terminal, now and then, how far long work is: called with how many
    films are done, and of how many. what: it does, such as "reading"."""
    told = time.monotonic()

    def tell(done: int, of: int) -> None:
        nonlocal told
        if sys.stderr.isatty() and time.monotonic() - told >= NEWS:
            told = time.monotonic()
            say(f"{what}: {done:,} of {count(of, 'film')}")

    return tell


def require_results(results: Path) -> None:
    """Raise UserError where there is no folder of results."""
    if not results.is_dir():
        raise UserError(f"{results}: there is no such folder; run snakemake first, or use -d")


def print_json(value: Any) -> None:
    """Print a value for a script to read."""
    print(json.dumps(value, indent=1, ensure_ascii=not sys.stdout.encoding.startswith("utf")))


def output_file(arguments: Arguments) -> Path:
    """Where a command writes what it was asked for with --output: a new file, or one that it
    replaces. Raises UserError for what is there and is no file, such as a folder, or is a film by
    the configuration's `extensions`."""
    name = arguments.output
    path = Path(name)
    if path.is_dir():
        raise UserError(f"--output {name}: it is a folder; add a file's name")
    if path.exists() and not path.is_file():
        raise UserError(f"--output {name}: it is no file; leave --output out and use > instead")
    if path.exists() and path.suffix[1:].lower() in map(
        str.lower, read_config(arguments)["extensions"]
    ):
        raise UserError(f"--output {name}: there is a film of that name; name another file")
    return path


def confirm(question: str) -> bool:
    """Ask at the terminal; where there is none, nobody agrees."""
    if not sys.stdin.isatty():
        raise UserError(f"{question} There is no terminal to ask at: add --yes")
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def add_command(
    commands: Any,
    name: str,
    command: Callable[[Arguments], int],
    what: str,
    example: str,
    json: bool = True,
) -> argparse.ArgumentParser:
    """A subcommand with the options that all share; `example` ends its help."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=what,
        description=what[0].upper() + what[1:] + ".",
        epilog=f"example:\n{example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--configfile", nargs="+", default=[], metavar="FILE", help="as given to snakemake"
    )
    parser.add_argument(
        "--config", nargs="+", default=[], metavar="KEY=VALUE", help="as given to snakemake"
    )
    parser.add_argument("-d", "--directory", help="the working directory (with results/)")
    if json:
        parser.add_argument("--json", action="store_true", help="print JSON, for scripts")
    parser.set_defaults(command=command)
    return parser


def positive(text: str) -> int:
    """A number of things, for argparse."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 0 < number <= 10_000:
        raise argparse.ArgumentTypeError(f"'{text[:20]}' is not a number from 1 to 10000")
    return number
