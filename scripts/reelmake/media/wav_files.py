"""audio.wav: 16 kHz, mono, 16 bits; sample n is heard at n / 16000 s of film time."""

import os
import wave
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from reelmake.foundation.errors import StageError

RATE = 16_000
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


def check(source: Path, media: dict[str, Any], stream: dict[str, Any], target: Path) -> None:
    """Raise StageError where `target` can't be all the sound of that stream of the film."""
    with wave.open(os.fspath(target), "rb") as file:
        if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != _FORMAT:
            raise StageError(f"{source}: ffmpeg wrote no 16 kHz mono audio.", kind="engine")
        length = file.getnframes() / RATE
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
