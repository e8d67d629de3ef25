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
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from reelmake.config import expand
from reelmake.errors import StageError, UserError

Process = subprocess.Popen[bytes]

# What stands for the files until the command is made: ffmpeg-python encodes names as UTF-8,
# which not every name on a disk is.
SOURCE, TARGET = "source", "target"

SAMPLE_RATE = 16_000

# Silence is filled in, and overlaps are cut, where the timestamps are off by more than this
# (seconds): well over the jitter of containers (1 ms in Matroska, some 10 ms in old ASF and
# FLV recordings), which must not tear the sound.
GAP = 0.05

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
    track: `default`, the number of the track among the audio tracks (0 is the first), or its
    language as it stands in the file. Returns the track's entry in media.json; None, and a
    WAV with no sample, for a source without audio.
    Raises StageError: `input` for an unknown track or sound that can't be decoded,
    `resources` for a full disk.
    """
    import ffmpeg

    stream = _track(source, media, track)
    if stream is None:
        _write_empty(target)
        return None
    # first_pts pads or cuts at the beginning, async fills gaps later on.
    resample = f"aresample={SAMPLE_RATE}:async=1:first_pts=0:min_hard_comp={GAP}"
    shift = f"asetpts=PTS-{media['start_time']}/TB"
    command = (
        _input(ffmpeg)[str(stream["index"])]
        .output(
            TARGET,
            af=f"{shift},{resample}",
            ac=1,
            acodec="pcm_s16le",
            format="wav",
            map_metadata=-1,
            **{"flags:a": "+bitexact", "fflags": "+bitexact"},
        )
        .global_args(*KEEP_TIMES)
        .overwrite_output()
    )
    arguments = _named(command.compile(cmd=binary), source, target)
    with _started(arguments, stdout=subprocess.DEVNULL) as (process, errors):
        _finish(process, errors, source)
    _check_wav(source, media, stream, target)
    return stream


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

    stream = next(s for s in media["streams"] if s["index"] == media["video"])
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


def _input(ffmpeg: Any, **options: Any) -> Any:
    # Only local files: what is named .mp4 may be a playlist that names addresses.
    return ffmpeg.input(SOURCE, protocol_whitelist="file", **options)


def _named(arguments: list[str], source: Path, target: Path | None = None) -> list[str]:
    """The arguments with the files' addresses in place of SOURCE and TARGET."""
    names = {SOURCE: address(source)}
    if target is not None:
        names[TARGET] = address(target)
    return [names.get(argument, argument) for argument in arguments]


@contextlib.contextmanager
def _started(command: list[str], stdout: int) -> Iterator[tuple[Process, IO[bytes]]]:
    """ffmpeg, and the file that takes its stderr; it does not outlive the block."""
    command = [command[0], "-nostdin", "-hide_banner", "-loglevel", "error", *command[1:]]
    with (
        tempfile.TemporaryFile() as errors,  # a pipe that nobody reads would block ffmpeg
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=errors
        ) as process,
    ):
        try:
            yield process, errors
        finally:
            process.kill()


def _finish(process: Process, errors: IO[bytes], source: Path) -> None:
    """Wait for the end; StageError with the last words on stderr if it is not a good one."""
    code = process.wait()
    if code == 0:
        return
    errors.seek(0)
    lines = [ORIGIN.sub("", line) for line in errors.read().decode(errors="replace").splitlines()]
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


def encode(
    binary: str,
    arguments: list[str],
    source: Path,
    target: Path,
    progress: Callable[[float], None],
) -> None:
    """Run ffmpeg on arguments in which SOURCE and TARGET stand for the files.

    progress: is told how many seconds of the target are done.
    Raises StageError: `input` where ffmpeg fails, `resources` for a full disk.
    """
    command = [binary, "-progress", "pipe:1", *_named(arguments, source, target)]
    with _started(command, stdout=subprocess.PIPE) as (process, errors):
        assert process.stdout is not None
        for line in process.stdout:
            name, _, value = line.strip().partition(b"=")
            if name == b"out_time_us" and value.lstrip(b"-").isdigit():  # or N/A, at first
                progress(max(0, int(value)) / 1_000_000)
        _finish(process, errors, source)


def _track(source: Path, media: dict[str, Any], track: str | int) -> dict[str, Any] | None:
    tracks: list[dict[str, Any]] = [
        stream for stream in media["streams"] if stream["type"] == "audio"
    ]
    if not tracks:
        return None
    if track == "default":
        tracks.sort(key=lambda stream: stream["index"] != media["audio"])
        return tracks[0]
    if isinstance(track, str):
        wanted = track.lower()
        found = [s for s in tracks if (s["language"] or "").lower().split("-")[0] == wanted]
        found.sort(key=lambda stream: not stream["default"])
    else:
        found = tracks[track : track + 1] if track >= 0 else []
    if not found:
        choices = ", ".join(
            f"{number} ({stream['language'] or 'no language'}, {stream['codec']}, "
            f"{stream['channels']} channels)"
            for number, stream in enumerate(tracks)
        )
        raise StageError(
            f"{source} has no audio track {track!r}; it has {choices}: set audio.track to a number "
            "or a language of these, or to default."
        )
    return found[0]


def _write_empty(target: Path) -> None:
    with wave.open(os.fspath(target), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)


def _check_wav(source: Path, media: dict[str, Any], stream: dict[str, Any], target: Path) -> None:
    with wave.open(os.fspath(target), "rb") as file:
        if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (SAMPLE_RATE, 1, 2):
            raise StageError(f"{source}: ffmpeg wrote no 16 kHz mono audio.", kind="engine")
        length = file.getnframes() / SAMPLE_RATE
    # Only MP4 says exactly how long a track is; of MP3 without a header it is a guess.
    exact = media["container"].startswith("mov,") and stream["duration"] is not None
    if exact and length < ((stream["start_time"] or 0.0) + stream["duration"]) / 2:
        raise StageError(
            f"{source}: its audio (track of stream {stream['index']}) can be decoded up to "
            f"{length:.1f} s only: get an intact file, or choose another audio.track."
        )
    longest = media["duration"]
    if longest is not None and length > 1.5 * longest + 60:
        raise StageError(
            f"{source}: its audio has {length:.0f} s where the film has {longest:.0f} s, its "
            "timestamps jump: remux it (ffmpeg -i in -c copy out.mkv) and use that file."
        )
