"""`reel doctor`: whether a run has all that it needs on this machine."""

from typing import Any

from reelmake.foundation.text import printable
from reelmake.reel import doctor
from reelmake.reel.finding import Finding
from reelmake.reel.options import Arguments, add_command, print_json, read_config


def add_to(commands: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        commands,
        "doctor",
        _doctor,
        "whether a run has all that it needs here: one line a check, with what to do; "
        "exit status 1 if a run would fail",
        "  reel doctor --config videos=~/Movies\n  reel doctor --try",
    )
    parser.add_argument(
        "--try",
        dest="engines",
        action="store_true",
        help="ask each engine something, of a tiny model: does it work, and on what",
    )


def _doctor(arguments: Arguments) -> int:
    found: list[Finding] = []
    for each in doctor.examine(lambda: read_config(arguments), arguments.engines):
        found.append(each)
        if not arguments.json:
            fix = f" -> {each.fix}" if each.fix else ""
            print(printable(f"{each.state:<5} {each.check:<27} {each.says}{fix}"), flush=True)
    if arguments.json:
        print_json([each._asdict() for each in found])
    return 1 if any(each.state == "fail" for each in found) else 0
