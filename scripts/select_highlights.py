"""Which candidates become highlights: results/V/highlights.json."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.foundation import artifact_files
from reelmake.jobs import memoized_job
from reelmake.jobs.job import Job
from reelmake.jobs.runner import job
from reelmake.library import integrity

if TYPE_CHECKING:
    from snakemake.script import snakemake


def select_highlights(this: Job, segments: Path, scores: Path, output: Path) -> None:
    """Write the chosen candidates with their scores."""
    from reelmake.editing import highlights  # numpy, which a restored artifact does without

    found = highlights.select(
        integrity.read_json(segments), integrity.read_json(scores), this.settings
    )
    artifact_files.write_json(output, found, "highlights")


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0], snakemake.params.run) as this:
        memoized_job.make(
            this,
            select_highlights,
            segments=Path(snakemake.input.segments),
            scores=Path(snakemake.input.scores),
            output=Path(snakemake.output.highlights),
        )
