"""Errors that a user can do something about."""

import errno
from typing import Literal

OUT_OF_MEMORY = "out of memory; run fewer jobs at once (--cores) or choose a smaller model"

Kind = Literal["input", "transient", "resources", "engine", "killed"]


def explain(error: OSError) -> tuple[str, Kind]:
    """What went wrong with a file, with the next step, and of what kind it is."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}the disk is full; free some space, then run again", "resources"
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        reason = f"{error.filename or 'the results'}: {error.strerror}"
        return f"{reason}; check the disk and the permissions", "resources"
    if error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}", "engine"
    return str(error), "engine"


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
