"""audio.wav: 16 kHz, mono, 16 bits; sample n is heard at n / 16000 s of film time."""

import math
import os
import wave
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from reelmake.foundation.errors import StageError

RATE = 16_000
QUIET, CANCELLED = -45.0, 12.0
"""The loudness (dBFS) below which a mix of two channels is doubted, and by how much (dB) one of
them is louder that the other cancels out. Speech is at -15 to -35."""
_HEADER, _MOMENT = 44, RATE // 10
"""Bytes before the samples, and samples of a tenth of a second."""
_FORMAT = (1, 2, RATE)
"""Channels, bytes a sample, rate."""


def write(target: Path, packets: Iterable[tuple[int, bytes]], strict: bool = True) -> bool:
    """Write samples at their places; silence between them. What comes late is left out.

    packets: the number of the first sample, and the samples. strict: stop at the first that does
    not follow on the one before, and return False. Raises OSError.
    """
    with wave.open(os.fspath(target), "wb") as file:
        file.setparams((*_FORMAT, 0, "NONE", ""))
        written = 0
        for at, samples in packets:
            if strict and at != written:
                return False
            while written < at:  # in steps: timestamps may jump by a day
                silence = min(RATE, at - written)
                file.writeframesraw(bytes(2 * silence))
                written += silence
            file.writeframesraw(samples[2 * (written - at) :])
            written = max(written, at + len(samples) // 2)
    return True


def loudness(target: Path) -> float:
    """How loud the louder moments are, dBFS: the level that one in twenty tenths of a second is
    above. -inf for silence."""
    import numpy as np

    if target.stat().st_size < _HEADER + 2 * _MOMENT:
        return -math.inf
    samples = np.memmap(target, np.int16, "r", offset=_HEADER)
    count = len(samples) // _MOMENT
    moments = samples[: count * _MOMENT].reshape(count, _MOMENT)
    # In parts: a film may be long.
    levels = np.concatenate(
        [
            np.sqrt((moments[at : at + 1000].astype(np.float32) ** 2).mean(axis=1))
            for at in range(0, count, 1000)
        ]
    )
    loud = float(np.quantile(levels, 0.95))
    return 20 * math.log10(loud / 32768) if loud else -math.inf


def interleave(channels: Sequence[Path], target: Path) -> None:
    """Write files of one channel each as one file with all of them; what is shorter ends in
    silence. Raises OSError."""
    import numpy as np

    files = [np.memmap(path, np.int16, "r", offset=_HEADER) for path in channels]
    length = max(map(len, files))
    with wave.open(os.fspath(target), "wb") as file:
        file.setparams((len(files), *_FORMAT[1:], 0, "NONE", ""))
        for at in range(0, length, RATE):
            part = np.zeros((min(RATE, length - at), len(files)), np.int16)
            for number, samples in enumerate(files):
                some = samples[at : at + RATE]
                part[: len(some), number] = some
            file.writeframesraw(part.tobytes())


def check(source: Path, media: dict[str, Any], stream: dict[str, Any], target: Path) -> None:
    """Raise StageError where `target` can't be all the sound of that stream of the film."""
    with wave.open(os.fspath(target), "rb") as file:
        if (file.getsampwidth(), file.getframerate()) != _FORMAT[1:]:
            raise StageError(f"{source}: ffmpeg wrote no 16 kHz mono audio.", kind="engine")
        length = file.getnframes() / RATE
    # Only MP4 says exactly how long a track is; of MP3 without a header it is a guess.
    exact = media["container"].startswith("mov,") and stream["duration"] is not None
    if exact and length < ((stream["start_time"] or 0.0) + stream["duration"]) / 2:
        raise StageError(
            f"{source}: its audio (track of stream {stream['index']}) can be decoded up to "
            f"{length:.1f} s only: get an intact file, or choose another audio.track."
        )


def within(
    source: Path, media: dict[str, Any], packets: Iterable[tuple[int, bytes]]
) -> Iterator[tuple[int, bytes]]:
    """The packets, as `write` takes them. Raises StageError at the first that is far behind the
    film's end: by a time stamp of next week, silence would fill the disk until there."""
    longest = media["duration"]
    for at, samples in packets:
        if longest is not None and at / RATE > 1.5 * longest + 60:
            raise StageError(
                f"{source}: its audio goes on after {at / RATE:.0f} s where the film has "
                f"{longest:.0f} s, its timestamps jump: remux it (ffmpeg -i in -c copy out.mkv) "
                "and use that file."
            )
        yield at, samples
