"""The sound of a film as a file, for the stages that listen to it."""

from pathlib import Path

from reelmake import artifact, ffmpeg
from reelmake.job import Job


def extract(this: Job, media: Path, output: Path, program: str | None) -> None:
    """Write the chosen track as 16 kHz mono PCM whose first sample is the film's time zero.

    A film without sound gets a file without samples. media: its `media.json`. program: ffmpeg,
    as configured.
    """
    path = this.source()
    binary = ffmpeg.binary(program)
    this.record["engines"]["ffmpeg"] = ffmpeg.version(binary)
    wanted = artifact.read_json(this.results / "fingerprints" / "audio.json")
    track = wanted["settings"]["audio.track"]
    with artifact.writing(output) as temporary:
        ffmpeg.extract_audio(path, artifact.read_json(media), track, temporary, binary)
        this.source()


def leave_out(output: Path) -> None:
    """Write an empty file, no WAV at all, where every stage that listens can be restored."""
    artifact.write_bytes(output, b"")


def is_left_out(audio: Path) -> bool:
    """Whether the sound has yet to be extracted."""
    return audio.stat().st_size == 0
