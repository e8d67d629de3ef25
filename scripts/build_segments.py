"""Candidates for highlights, from whole sentences: results/V/segments.json."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.foundation import artifact_files
from reelmake.jobs import memoized_job
from reelmake.jobs.job import Job
from reelmake.jobs.runner import job
from reelmake.library import integrity

if TYPE_CHECKING:
    from snakemake.script import snakemake


def build_segments(this: Job, media: Path, transcript: Path, scenes: Path, output: Path) -> None:
    """Write where each candidate begins and ends, and what is said and shown in it."""
    from reelmake.editing import segments  # numpy, which a restored artifact does without

    found = segments.build(
        integrity.read_json(media),
        integrity.read_json(transcript),
        integrity.read_json(scenes),
        this.settings,
    )
    artifact_files.write_json(output, found, "segments")


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0], snakemake.params.run) as this:
        memoized_job.make(
            this,
            build_segments,
            media=Path(snakemake.input.media),
            transcript=Path(snakemake.input.transcript),
            scenes=Path(snakemake.input.scenes),
            output=Path(snakemake.output.segments),
        )
