"""The sound that is transcribed: results/V/audio.wav."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake import artifact, ffmpeg
from reelmake.job import Job, job

if TYPE_CHECKING:
    from snakemake.script import snakemake


def extract_audio(this: Job, media: Path, output: Path, program: str | None) -> None:
    """Write the chosen track as 16 kHz mono PCM whose first sample is the film's time zero.

    A film without sound gets a file without samples. program: ffmpeg, as configured.
    """
    path = this.source()
    binary = ffmpeg.binary(program)
    this.record["engines"]["ffmpeg"] = ffmpeg.version(binary)
    with artifact.writing(output) as temporary:
        ffmpeg.extract_audio(
            path,
            artifact.read_json(media),
            this.settings["track"],
            temporary,
            binary,
        )
        this.source()


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0]) as this:
        extract_audio(
            this,
            media=Path(snakemake.input.media),
            output=Path(snakemake.output.audio),
            program=snakemake.params.ffmpeg,
        )
