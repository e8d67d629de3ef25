"""Errors that a user can do something about."""

from typing import Literal

OUT_OF_MEMORY = "out of memory; run fewer jobs at once (--cores) or choose a smaller model"

Kind = Literal["input", "transient", "resources", "engine", "killed"]


def printable(text: str) -> str:
    """`text` on one line, without what could steer a terminal: names of files are untrusted."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


class UserError(Exception):
    """A mistake outside of any job: in the config, the sample sheet, the videos.

    The message is shown as it is, without a traceback: it names the file or the
    setting, the cause and the next step.
    """


class StageError(Exception):
    """Why a stage of one video failed, in one sentence that a user understands.

    kind: `input` (the source is broken), `transient` (worth another try: network),
    `resources` (memory, disk), `engine` (model or engine), `killed` (from outside).
    """

    def __init__(self, message: str, kind: Kind = "input"):
        super().__init__(message)
        self.kind: Kind = kind
