"""Runs of the ffmpeg binary. The only module that imports ffmpeg-python.

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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from reelmake.editing import streams
from reelmake.foundation.errors import StageError, UserError, explain
from reelmake.library.config import expand
from reelmake.media import wav_files

Process = subprocess.Popen[bytes]

# What stands for the file until the command is made: ffmpeg-python encodes names as UTF-8,
# which not every name on a disk is.
SOURCE = "source"

# Silence is filled in, and overlaps are cut, where the timestamps are off by more than this
# (seconds): well over the jitter of containers (1 ms in Matroska, some 10 ms in old ASF and
# FLV recordings), which must not tear the sound.
GAP = 0.05

# Only local files: what is named .mp4 may be a playlist that names addresses.
WHITELIST = "file"

# How frames are scaled down for the detector. CPU time of decoding 600 frames of 1080p H.264 with
# scaling to 256 x 144, pipe included, beside `-f null`: neighbor 1.04, fast_bilinear 1.07, area
# 1.09, bilinear 1.18. fast_bilinear takes single pixels, like PySceneDetect's own scaling, for
# which the published thresholds hold. (Whole scene detection: 1.13 of the CPU time of the bare
# decode, 0.85 to 1.07 of its wall time on 2 busy cores.)
SCALER = "fast_bilinear"

# ffmpeg hands on the source's own timestamps and filters move them to film time. Left to
# itself, and with start_at_zero too, it takes the start of the streams that it reads, not of
# the film, for zero (in MPEG-TS, measured: sound that starts 2 s late came 2 s early).
KEEP_TIMES = ("-copyts",)

# Of ffmpeg's messages: where one comes from, and those that only say that something failed.
ORIGIN = re.compile(r"^(\[[^]]* @ 0x[0-9a-f]+\] )+")
CONSEQUENCE = re.compile(
    "Task finished|Terminating|Nothing was written|Conversion failed|Last mess"
)

# What this ffmpeg was built without.
LACKS = re.compile("Unknown (encoder) '([^']+)'|No such (filter): '([^']+)'")


class LackError(StageError):
    """This ffmpeg was built without what is asked of it: an encoder, a filter."""

    def __init__(self, message: str):
        super().__init__(message, kind="engine")


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


def extract_audio(
    source: Path, media: dict[str, Any], track: str | int, target: Path, binary: str
) -> dict[str, Any] | None:
    """Write one audio track to `target`: WAV, 16 kHz, mono, 16 bits; sample 0 is film time 0.

    What starts late is padded with silence, gaps are filled, so sample n is heard at n / 16000 s.
    track: as `streams.track` has it. Returns the track's entry in media.json; None, and a
    WAV with no sample, for a source without audio.
    Raises StageError: `input` for an unknown track or sound that can't be decoded,
    `resources` for a full disk.
    """
    stream = streams.track(source, media, track)
    if stream is None:
        wav_files.write(target, [])
        return None
    # Silence or a cut at the beginning, up to film time zero. Where the layout changes on the way
    # (films of 5.1 in a broadcast) ffmpeg begins the filters again, and would fill in as much
    # once more: such a film is read again without.
    for begin in (":first_pts=0", ""):
        if _write_wav(source, media, stream["index"], begin, target, binary):
            break
    wav_files.check(source, media, stream, target)
    return stream


def _write_wav(
    source: Path, media: dict[str, Any], index: int, begin: str, target: Path, binary: str
) -> bool:
    """Write the sound of a stream; False where ffmpeg began its filters again.

    begin: an option for the beginning; without it, what ffmpeg leaves out is filled in here.
    """
    import ffmpeg

    from reelmake.media import pyav as films

    # async fills gaps.
    resample = f"aresample={wav_files.RATE}:async=1:min_hard_comp={GAP}{begin}"
    command = (
        _input(ffmpeg)[str(index)]
        .output(
            "pipe:1",
            af=f"asetpts=PTS-{media['start_time']}/TB,{resample}",
            ac=1,
            acodec="pcm_s16le",
            format="nut",
        )
        .global_args(*KEEP_TIMES)
    )
    arguments = _named(command.compile(cmd=binary), source)
    with _started(arguments, stdout=subprocess.PIPE) as (process, errors):
        assert process.stdout is not None
        packets = films.raw_sound(process.stdout, wav_files.RATE)
        try:
            is_whole = wav_files.write(target, packets, strict=bool(begin))
        except OSError as error:
            raise StageError(f"{source}: {(said := explain(error))[0]}", said[1]) from None
        if is_whole:
            process.stdout.close()  # should the reader have stopped early, ffmpeg must not wait
            _finish(process, errors, source)
    return is_whole


@contextlib.contextmanager
def small_frames(
    source: Path, media: dict[str, Any], width: int, binary: str, threads: int = 0
) -> Iterator[IO[bytes]]:
    """A pipe with every frame of the main video as NUT, raw bgr24, at most `width` pixels wide.

    Timestamps count from film time zero and are exact, in ticks of the source's stream; frames
    are as coded: a phone's may lie on the side. media.raw_frames reads it. threads: for
    decoding; 0 is one a core.
    ffmpeg is killed when the block ends before the pipe does; StageError when ffmpeg fails.
    """
    import ffmpeg

    stream = streams.video(media)
    # A fixed size, because a broadcast recording may change its own on the way.
    width = min(width, stream["width"])
    height = max(1, round(stream["height"] * width / stream["width"]))
    shift = f"setpts=PTS-round({media['start_time']}/TB)"
    command = (
        _input(ffmpeg, noautorotate=None, threads=threads)[str(stream["index"])]
        .output(
            "pipe:1",
            vf=f"{shift},scale={width}:{height}:flags={SCALER}",
            format="nut",
            vcodec="rawvideo",
            pix_fmt="bgr24",
            fps_mode="passthrough",
            enc_time_base=stream["time_base"].replace("/", ":"),  # or they are rounded to frames
        )
        .global_args(*KEEP_TIMES)
    )
    arguments = _named(command.compile(cmd=binary), source)
    with _started(arguments, stdout=subprocess.PIPE) as (process, errors):
        assert process.stdout is not None
        yield process.stdout
        if not process.stdout.read(1):  # else the reader has seen enough
            _finish(process, errors, source)


def address(path: Path) -> str:
    """How an ffmpeg's arguments name a file, so that no name means anything else."""
    return f"file:{os.path.abspath(path)}"


def reading(path: Path) -> list[str]:
    """An ffmpeg's arguments for an input."""
    return ["-protocol_whitelist", WHITELIST, "-i", address(path)]


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
    with _started([*command, *arguments], stdout, folder) as (process, errors):
        for line in process.stdout or ():
            name, _, value = line.strip().partition(b"=")
            is_time = name == b"out_time_us" and value.lstrip(b"-").isdigit()  # or N/A, at first
            if is_time and progress is not None:
                progress(max(0, int(value)) / 1_000_000)
        _finish(process, errors, source)
        errors.seek(0)
        return errors.read().decode(errors="replace")


def _input(ffmpeg: Any, **options: Any) -> Any:
    return ffmpeg.input(SOURCE, protocol_whitelist=WHITELIST, **options)


def _named(arguments: list[str], source: Path) -> list[str]:
    """The arguments with the file's address in place of SOURCE."""
    return [address(source) if argument == SOURCE else argument for argument in arguments]


@contextlib.contextmanager
def _started(
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


def _finish(process: Process, errors: IO[bytes], source: Path | str) -> None:
    """Wait for the end; StageError with the last words on stderr if it is not a good one."""
    code = process.wait()
    if code == 0:
        return
    errors.seek(0)
    said = errors.read().decode(errors="replace")
    if lacks := LACKS.search(said):
        what = " ".join(filter(None, lacks.groups()))
        program = next(iter(process.args)) if isinstance(process.args, list) else ""
        raise LackError(f"this ffmpeg ({program}) was built without the {what}")
    lines = [ORIGIN.sub("", line) for line in said.splitlines()]
    causes = [line.strip() for line in lines if line.strip() and not CONSEQUENCE.match(line)]
    words = "; ".join(causes[-2:])[-400:] or f"exit status {code}"
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
    raise StageError(f"{source}: ffmpeg can't decode it, get an intact file. It said: {words}")
