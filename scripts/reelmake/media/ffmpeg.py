"""Runs of the ffmpeg program.

Arguments are lists, never a shell's line, and sources are given as `file:` and an absolute
path, so that no file name is taken for an option, a protocol, a pattern or a device.
"""

import contextlib
import functools
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from reelmake.foundation.errors import StageError, UserError
from reelmake.library.config import expand
from reelmake.media import pieces

Process = subprocess.Popen[bytes]


# Only local files: what is named .mp4 may be a playlist that names addresses.
WHITELIST = "file"


# Of ffmpeg's messages: where one comes from, and those that only say that something failed.
ORIGIN = re.compile(r"^(\[[^]]* @ 0x[0-9a-f]+\] )+")
CONSEQUENCE = re.compile(
    "Task finished|Terminating|Nothing was written|Conversion failed|Last mess|"
    "Error (re)?initializing|Cannot determine format of input|.*encoder before EOF"
)

# What this ffmpeg was built without.
LACKS = re.compile("Unknown (encoder) '([^']+)'|No such (filter): '([^']+)'")


class LackError(StageError):
    """This ffmpeg was built without what is asked of it. what: `encoder libx265`, `filter ass`."""

    def __init__(self, program: object, what: str):
        self.what = what
        super().__init__(f"this ffmpeg ({program}) was built without the {what}", kind="engine")


class UndecodableError(StageError):
    """ffmpeg fails on what it reads. said: a sentence with its words for the cause, or empty."""

    def __init__(self, source: Path | str, said: str):
        self.said = f" ffmpeg said: {said}" if said else ""
        words = f" It said: {said}" if said else ""
        super().__init__(f"{source}: ffmpeg can't decode it: get an intact file.{words}")


def binary(configured: str | None = None) -> str:
    """The ffmpeg to run: the configured one, else that on the PATH, else imageio-ffmpeg's.

    One on the PATH that is older than 5.1 is passed over: it has no `-fps_mode`.
    Raises UserError where the configured one can't be run.
    """
    if configured:
        # `which` would look for the `./x` that is a plain `x` to a Path on the PATH.
        path = str(expand(configured))
        found = shutil.which(os.path.abspath(path) if "/" in configured else path)
        if found is None or version(found) == "unknown":
            raise UserError(
                f"ffmpeg is not at {configured}, or does not run: correct the setting, or leave "
                "it empty to use the one on the PATH or the one that reelmake brings."
            )
        return found
    found = shutil.which("ffmpeg")
    if found is not None and _is_recent(version(found)):
        return found
    import imageio_ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())


@functools.cache
def version(binary: str) -> str:
    """What the ffmpeg calls its version: `7.0.2-static`, a commit; `unknown` if it is none."""
    command = [binary, "-hide_banner", "-version"]
    try:
        said = subprocess.run(command, capture_output=True, check=False).stdout.decode().split()
    except (OSError, UnicodeDecodeError):
        return "unknown"
    return said[2] if said[:2] == ["ffmpeg", "version"] else "unknown"


def _is_recent(version: str) -> bool:
    numbers = re.match(r"n?(\d+)\.(\d+)", version)
    if numbers is None:
        return version != "unknown"
    return (int(numbers[1]), int(numbers[2])) >= (5, 1)


def address(path: Path) -> str:
    """How an ffmpeg's arguments name a file, so that no name means anything else."""
    return f"file:{os.path.abspath(path)}"


def reading(path: Path, media: Mapping[str, Any] | None = None) -> list[str]:
    """An ffmpeg's arguments for an input. media: media.json, where that is a film."""
    arguments = []
    for name, value in input_options(media or {}).items():
        arguments += [f"-{name}", value]
    return [*arguments, "-i", input_address(path, media or {})]


def input_options(media: Mapping[str, Any]) -> dict[str, str]:
    """The options, by name, with which ffmpeg reads a film."""
    if media.get("pieces"):
        return {"f": pieces.FORMAT, **pieces.OPTIONS}
    return {"protocol_whitelist": WHITELIST}


def input_address(path: Path, media: Mapping[str, Any]) -> str:
    """What ffmpeg reads with these options."""
    film = pieces.of(media)
    return pieces.address(path, film) if film else address(path)


def seek(media: Mapping[str, Any], time: float) -> list[str]:
    """The arguments for an input that is read from `time` on, seconds of film time."""
    # By the file's own clock: what ffmpeg takes for its start may not be film time zero.
    return ["-seek_timestamp", "1", "-ss", f"{media['start_time'] + time:.6f}"]


def run(
    binary: str,
    arguments: list[str],
    source: Path | str,
    folder: Path | None = None,
    level: str = "error",
    progress: Callable[[float], None] | None = None,
) -> str:
    """Run ffmpeg to its end; what it said on stderr.

    source: what an error calls that which is read. folder: the working directory, for filters
    that read files by name. level: which messages are wanted. progress: is told how many
    seconds of the output are done.
    Raises StageError: `input` where ffmpeg fails, `resources` for a full disk; LackError.
    """
    if os.sep in binary:
        binary = os.path.abspath(binary)
    command = [binary, *(() if level == "error" else ("-loglevel", level))]
    if progress is not None:
        command += ["-progress", "pipe:1"]
    stdout = subprocess.DEVNULL if progress is None else subprocess.PIPE
    with started([*command, *arguments], stdout, folder) as (process, errors):
        for line in process.stdout or ():
            name, _, value = line.strip().partition(b"=")
            is_time = name == b"out_time_us" and value.lstrip(b"-").isdigit()  # or N/A, at first
            if is_time and progress is not None:
                progress(max(0, int(value)) / 1_000_000)
        finish(process, errors, source)
        errors.seek(0)
        return errors.read().decode(errors="replace")


@contextlib.contextmanager
def started(
    command: list[str], stdout: int, folder: Path | None = None
) -> Iterator[tuple[Process, IO[bytes]]]:
    """ffmpeg, and the file that takes its stderr; it does not outlive the block."""
    command = [command[0], "-nostdin", "-hide_banner", "-loglevel", "error", *command[1:]]
    with (
        tempfile.TemporaryFile() as errors,  # a pipe that nobody reads would block ffmpeg
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=errors, cwd=folder
        ) as process,
    ):
        try:
            yield process, errors
        finally:
            process.kill()


def finish(process: Process, errors: IO[bytes], source: Path | str) -> None:
    """Wait for the end; StageError with the last words on stderr if it is not a good one."""
    code = process.wait()
    if code == 0:
        return
    errors.seek(0)
    said = errors.read().decode(errors="replace")
    if lacks := LACKS.search(said):
        what = " ".join(filter(None, lacks.groups()))
        program = next(iter(process.args)) if isinstance(process.args, list) else ""
        raise LackError(program, what)
    lines = [ORIGIN.sub("", line) for line in said.splitlines()]
    causes = [line.strip() for line in lines if line.strip() and not CONSEQUENCE.match(line)]
    words = "; ".join(causes[-2:])[-400:]
    if code < 0:
        raise StageError(
            f"{source}: ffmpeg was killed by signal {-code} (9 often means that memory ran out).",
            kind="killed",
        )
    if "No space left on device" in words:
        raise StageError(
            f"{source}: the disk is full: make room and run again. ffmpeg said: {words}",
            kind="resources",
        )
    raise UndecodableError(source, words)
