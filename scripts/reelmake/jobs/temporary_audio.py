"""The sound of a film as a file, for the stages that listen to it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from reelmake.foundation import artifact_files
from reelmake.jobs.job import Job, read_record
from reelmake.library import integrity
from reelmake.media import ffmpeg


def extract(this: Job, media: Path, output: Path, program: str | None) -> None:
    """Write the chosen track as 16 kHz mono PCM whose first sample is the film's time zero.

    A film without sound gets a file without samples. media: its `media.json`. program: ffmpeg,
    as configured.
    """
    path = this.source()
    binary = ffmpeg.binary(program)
    this.record["engines"]["ffmpeg"] = ffmpeg.version(binary)
    wanted = artifact_files.read_json(this.results / "fingerprints" / "audio.json")
    track = wanted["settings"]["audio.track"]
    with artifact_files.writing(output) as temporary:
        ffmpeg.extract_audio(path, integrity.read_json(media), track, temporary, binary)
        this.source()


def is_plenty(this: Job, limit: int) -> bool:
    """Whether `limit` other videos of the library have sound on disk, or get it at the moment.

    A film's sound is extracted in seconds and listened to in minutes: 115 MB an hour of film
    would pile up for hundreds of them. Jobs that decide at the same time count each other, since
    their records say "running" by now.
    """
    count = 0
    for results in this.results.parent.iterdir():
        # The record first: sound that is published in between is seen below.
        extracting = _is_running(results, "audio")
        try:
            left_out = is_left_out(results / "audio.wav")
        except OSError:
            has = extracting
        else:
            has = not left_out or extracting or _is_running(results, "transcript")
        count += has and results != this.results
        if count >= limit:
            return True
    return False


def _is_running(results: Path, stage: str) -> bool:
    return read_record(results, stage).get("state") == "running"


def leave_out(output: Path) -> None:
    """Write an empty file, no WAV at all: a stage that has to listen extracts the sound itself."""
    artifact_files.write_bytes(output, b"")


@contextlib.contextmanager
def at_hand(this: Job, audio: Path, program: str | None) -> Iterator[None]:
    """Extract the sound for the block where it was left out: there was plenty, or the cache has
    lost the transcript since. If the block fails it is left out again: the sound of hundreds of
    films that a model fails on must not pile up either."""
    left_out = is_left_out(audio)
    if left_out:
        extract(this, this.results / "media.json", audio, program)
    try:
        yield
    except Exception:
        if left_out:
            leave_out(audio)
        raise


def is_left_out(audio: Path) -> bool:
    """Whether the sound has yet to be extracted."""
    return audio.stat().st_size == 0
