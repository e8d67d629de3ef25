"""What a job writes to the terminal of its run.

Where a logger plugin shows the run, a job leaves to it what it would only repeat.
"""

import os

from reelmake.foundation.text import printable

VARIABLE = "REELMAKE_TERMINAL"
"""The environment variable by which the plugin tells jobs what it shows: `lines` (failures), or
`live` (all there is to see: a line of a job's would tear its block)."""


def write(descriptor: int, line: str) -> None:
    """Write a line for people to a terminal."""
    os.write(descriptor, f"reelmake: {printable(line)}\n".encode(errors="replace"))


def shows_failures() -> bool:
    """Whether a plugin shows why a job failed."""
    return VARIABLE in os.environ


def shows_all() -> bool:
    """Whether a plugin shows progress, and what jobs have to say."""
    return os.environ.get(VARIABLE) == "live"
