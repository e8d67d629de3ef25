"""`reel`: what is not a target of Snakemake. It works while a run is going on.

Commands only parse and print; what they do stands in the modules that they call.
"""

import argparse
import os
import sys
from collections.abc import Callable

from reelmake.foundation.errors import UserError, explain
from reelmake.foundation.text import printable
from reelmake.reel import (
    cache_command,
    catalog_command,
    doctor_command,
    export_command,
    export_edl_command,
    look_command,
    models_command,
    page_command,
    plan_command,
    search_command,
    serve_command,
    similar_command,
    speakers_command,
    status_command,
)
from reelmake.reel.options import Arguments


def main(given: list[str] | None = None) -> int:
    """Run `reel` with the arguments given (default: the process's); returns the exit status."""
    arguments = parser().parse_args(given)
    try:
        if arguments.directory:
            os.chdir(arguments.directory)
        command: Callable[[Arguments], int] = arguments.command
        return command(arguments)
    except (UserError, OSError) as error:
        if isinstance(error, BrokenPipeError):  # `reel … | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        message = explain(error)[0] if isinstance(error, OSError) else str(error)
        print(f"reel: {printable(message)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    """The parser of the command line, with every subcommand."""
    found = argparse.ArgumentParser(
        prog="reel",
        description="Look at a reelmake library and its artifact cache.",
        epilog="`reel COMMAND --help` says more. Runs are started with snakemake.",
    )
    commands = found.add_subparsers(required=True, metavar="COMMAND")
    status_command.add_to(commands)
    plan_command.add_to(commands)
    doctor_command.add_to(commands)
    models_command.add_to(commands)
    look_command.add_to(commands)
    catalog_command.add_to(commands)
    search_command.add_to(commands)
    similar_command.add_to(commands)
    speakers_command.add_to(commands)
    page_command.add_to(commands)
    serve_command.add_to(commands)
    export_command.add_to(commands)
    export_edl_command.add_to(commands)
    cache_command.add_to(commands)
    return found
