"""Where the cuts are: results/V/scenes.json."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.foundation import artifact_files
from reelmake.jobs import memoized_job
from reelmake.jobs.job import Job, job
from reelmake.library import integrity
from reelmake.media import ffmpeg

if TYPE_CHECKING:
    from snakemake.script import snakemake


def detect_scenes(this: Job, media: Path, output: Path, program: str | None, threads: int) -> None:
    """Detect the scenes of the source that the fingerprint names."""
    from reelmake.media import scenes  # the engine, which a restored artifact does without

    path = this.source()
    binary = ffmpeg.binary(program)
    this.record["engines"]["ffmpeg"] = ffmpeg.version(binary)
    found = scenes.detect(
        path,
        integrity.read_json(media),
        this.settings,
        binary,
        threads=threads,
        progress=this.progress,
    )
    this.source()
    artifact_files.write_json(output, found, "scenes")


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0]) as this:
        memoized_job.make(
            this,
            snakemake.params.cache,
            detect_scenes,
            media=Path(snakemake.input.media),
            output=Path(snakemake.output.scenes),
            program=snakemake.params.ffmpeg,
            threads=snakemake.threads,
        )
