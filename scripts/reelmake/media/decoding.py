"""What ffmpeg decodes for other engines: the sound as WAV, every frame small, on a pipe.

The only module that imports ffmpeg-python.
"""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from reelmake.editing import streams
from reelmake.foundation.errors import StageError, explain
from reelmake.media import ffmpeg as program
from reelmake.media import wav_files
from reelmake.media.ffmpeg import WHITELIST, address

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

    from reelmake.media import pyav

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
    with program.started(arguments, stdout=subprocess.PIPE) as (process, errors):
        assert process.stdout is not None
        packets = pyav.raw_sound(process.stdout, wav_files.RATE)
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
    with program.started(arguments, stdout=subprocess.PIPE) as (process, errors):
        assert process.stdout is not None
        yield process.stdout
        if not process.stdout.read(1):  # else the reader has seen enough
            program.finish(process, errors, source)


def _input(ffmpeg: Any, **options: Any) -> Any:
    return ffmpeg.input(SOURCE, protocol_whitelist=WHITELIST, **options)


def _named(arguments: list[str], source: Path) -> list[str]:
    """The arguments with the file's address in place of SOURCE."""
    return [address(source) if argument == SOURCE else argument for argument in arguments]
