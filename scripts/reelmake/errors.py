"""Errors that a user can do something about."""

from typing import Literal

Kind = Literal["input", "transient", "resources", "engine", "killed"]


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
