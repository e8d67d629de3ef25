"""What ffmpeg decodes for other engines: the sound as WAV, every frame small, on a pipe.

The only module that imports ffmpeg-python.
"""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from reelmake.editing import picture_geometry, streams
from reelmake.foundation.errors import StageError, explain
from reelmake.media import ffmpeg as program
from reelmake.media import orientation, wav_files

# What stands for the file until the command is made: ffmpeg-python encodes names as UTF-8,
# which not every name on a disk is.
SOURCE = "source"

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


class SoundError(StageError):
    """The sound of a film can't be decoded; its pictures may be."""


def extract_audio(
    source: Path,
    media: dict[str, Any],
    track: streams.Wanted,
    target: Path,
    binary: str,
    mix: str = "mono",
) -> dict[str, Any] | None:
    """Write one audio track to `target`: WAV, 16 kHz, mono, 16 bits; sample 0 is film time 0.

    What starts late is padded with silence, gaps are filled, so sample n is heard at n / 16000 s.
    track: as `streams.track` has it. mix: mono (all channels), left, right, loudest (the one of
    these two), or each (both, as two channels). Returns the track's entry in media.json; None, and
    a WAV with no sample, for a source without audio. Where two channels cancel each other out, as
    of a microphone that is wired wrong, the louder one is written, and the entry has its name as
    `channel`: left or right.
    Raises StageError: `input` for an unknown track, SoundError for sound that can't be decoded,
    `resources` for a full disk.
    """
    stream = streams.track(source, media, track)
    if stream is None:
        wav_files.write(target, [])
        return None
    try:
        if mix == "each" and stream["channels"] > 1:
            with _two_channels(source, media, stream, target, binary) as files:
                wav_files.interleave(files, target)
        elif mix == "loudest" and stream["channels"] > 1:
            stream = _louder(source, media, stream, target, binary, mixed=None)
        else:
            alone = {"left": 0, "right": 1}.get(mix) if stream["channels"] > 1 else None
            _write_channels(source, media, stream, alone, target, binary)
        wav_files.check(source, media, stream, target)
    except program.UndecodableError as error:
        raise SoundError(
            f"{source}: its sound (stream {stream['index']}, {stream['codec']}) can't be decoded: "
            "get an intact file, choose another audio.track, or set audio.undecodable to "
            f"leave_out.{error.said}"
        ) from None
    except StageError as error:
        raise (SoundError(str(error)) if error.kind == "input" else error) from None
    if mix == "mono" and stream["channels"] == 2:
        mixed = wav_files.loudness(target)
        if mixed < wav_files.QUIET:
            return _louder(source, media, stream, target, binary, mixed)
    return stream


def _louder(
    source: Path,
    media: dict[str, Any],
    stream: dict[str, Any],
    target: Path,
    binary: str,
    mixed: float | None,
) -> dict[str, Any]:
    """Write the louder of the first two channels, if it is far louder than the mix of both.

    mixed: how loud that is, dBFS; None: however loud it is.
    """
    with _two_channels(source, media, stream, target, binary) as files:
        levels = [wav_files.loudness(path) for path in files]
        loudest = max(range(2), key=lambda number: levels[number])
        if mixed is None or levels[loudest] > mixed + wav_files.CANCELLED:
            files[loudest].replace(target)
            stream = {**stream, "channel": ("left", "right")[loudest]}
    return stream


@contextlib.contextmanager
def _two_channels(
    source: Path, media: dict[str, Any], stream: dict[str, Any], target: Path, binary: str
) -> Iterator[list[Path]]:
    """The first two channels as a file each, beside `target` while the block lasts."""
    files = [target.with_name(f"{target.name}.{name}") for name in ("left", "right")]
    try:
        for number, path in enumerate(files):
            _write_channels(source, media, stream, number, path, binary)
        yield files
    finally:
        for path in files:
            path.unlink(missing_ok=True)


def _write_channels(
    source: Path,
    media: dict[str, Any],
    stream: dict[str, Any],
    channel: int | None,
    target: Path,
    binary: str,
) -> None:
    """Write the sound of a stream; channel: one of it, counted from 0; None: all, mixed."""
    # Silence or a cut at the beginning, up to film time zero. Where the layout changes on the way
    # (films of 5.1 in a broadcast) ffmpeg begins the filters again, and would fill in as much
    # once more: such a film is read again without.
    for begin in (":first_pts=0", ""):
        if _write_wav(source, media, stream["index"], begin, target, binary, channel):
            break


def _write_wav(
    source: Path,
    media: dict[str, Any],
    index: int,
    begin: str,
    target: Path,
    binary: str,
    channel: int | None,
) -> bool:
    """Write the sound of a stream; False where ffmpeg began its filters again.

    begin: an option for the beginning; without it, what ffmpeg leaves out is filled in here.
    """
    import ffmpeg

    from reelmake.media import pyav

    if media["container"] == "avi":  # has no times, but a rate, which may be wrong: no gaps
        start = streams.stream(media, index)["start_time"] or 0.0
        resample = f"aresample={wav_files.RATE},asetpts=(N/SR+{start})/TB"
    else:  # async fills gaps
        resample = f"aresample={wav_files.RATE}:async=1:min_hard_comp={GAP}{begin}"
    alone = "" if channel is None else f"pan=mono|c0=c{channel},"
    command = (
        _input(ffmpeg, media)[str(index)]
        .output(
            "pipe:1",
            af=f"asetpts=PTS-{media['start_time']}/TB,{alone}{resample}",
            ac=1,
            acodec="pcm_s16le",
            format="nut",
        )
        .global_args(*KEEP_TIMES)
    )
    arguments = _named(command.compile(cmd=binary), source, media)
    with program.started(arguments, stdout=subprocess.PIPE) as (process, errors):
        assert process.stdout is not None
        packets = wav_files.within(source, media, pyav.raw_sound(process.stdout, wav_files.RATE))
        try:
            is_whole = wav_files.write(target, packets, strict=bool(begin))
        except OSError as error:
            raise StageError(f"{source}: {(said := explain(error))[0]}", said[1]) from None
        if is_whole:
            process.stdout.close()  # should the reader have stopped early, ffmpeg must not wait
            program.finish(process, errors, source)
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
    wide, high = picture_geometry.visible(stream)
    width = min(width, wide)
    height = max(1, round(high * width / wide))
    shift = f"setpts=PTS-round({media['start_time']}/TB)"
    cropped = "".join(f"{each}," for each in orientation.crop(stream))
    command = (
        _input(ffmpeg, media, noautorotate=None, threads=threads)[str(stream["index"])]
        .output(
            "pipe:1",
            vf=f"{shift},{cropped}scale={width}:{height}:flags={SCALER}",
            format="nut",
            vcodec="rawvideo",
            pix_fmt="bgr24",
            fps_mode="passthrough",
            enc_time_base=stream["time_base"].replace("/", ":"),  # or they are rounded to frames
        )
        .global_args(*KEEP_TIMES)
    )
    arguments = _named(command.compile(cmd=binary), source, media)
    with program.started(arguments, stdout=subprocess.PIPE) as (process, errors):
        assert process.stdout is not None
        yield process.stdout
        if not process.stdout.read(1):  # else the reader has seen enough
            program.finish(process, errors, source)


def _input(ffmpeg: Any, media: dict[str, Any], **options: Any) -> Any:
    return ffmpeg.input(SOURCE, **program.input_options(media), **options)


def _named(arguments: list[str], source: Path, media: dict[str, Any]) -> list[str]:
    """The arguments with the film's address in place of SOURCE."""
    address = program.input_address(source, media)
    return [address if argument == SOURCE else argument for argument in arguments]
