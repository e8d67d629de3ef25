"""The sound that is transcribed: results/V/audio.wav."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake import reuse, sound
from reelmake.job import Job, job

if TYPE_CHECKING:
    from snakemake.script import snakemake


def extract_audio(this: Job, media: Path, output: Path, program: str | None, needed: bool) -> None:
    """Write the sound of the source; only its placeholder where nothing is going to read it."""
    if needed:
        sound.extract(this, media, output, program)
    else:
        print("left out: the artifact cache has the transcript")
        sound.leave_out(output)


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0]) as this:
        extract_audio(
            this,
            media=Path(snakemake.input.media),
            output=Path(snakemake.output.audio),
            program=snakemake.params.ffmpeg,
            needed=snakemake.params.keep
            or not reuse.is_kept(this, "transcript", snakemake.params.cache),
        )
