"""Where the cuts are: results/V/scenes.json."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.foundation import artifact_files
from reelmake.jobs import memoized_job
from reelmake.jobs.job import Job
from reelmake.jobs.runner import job
from reelmake.library import integrity
from reelmake.media import ffmpeg

if TYPE_CHECKING:
    from snakemake.script import snakemake


def detect_scenes(this: Job, media: Path, output: Path) -> None:
    """Detect the scenes of the source that the fingerprint names."""
    from reelmake.media import scenes  # the engine, which a restored artifact does without

    path = this.source()
    binary = ffmpeg.binary(this.run.ffmpeg)
    this.record["engines"]["ffmpeg"] = ffmpeg.version(binary)
    found = scenes.detect(
        path,
        integrity.read_json(media),
        this.settings,
        binary,
        threads=this.run.threads,
        progress=this.progress,
    )
    this.source()
    artifact_files.write_json(output, found, "scenes")


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0], snakemake.params.run) as this:
        memoized_job.make(
            this,
            detect_scenes,
            media=Path(snakemake.input.media),
            output=Path(snakemake.output.scenes),
        )
