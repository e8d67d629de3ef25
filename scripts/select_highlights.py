"""Which candidates become highlights: results/V/highlights.json."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake import artifact, form, reuse
from reelmake.job import Job, job

if TYPE_CHECKING:
    from snakemake.script import snakemake


def select_highlights(this: Job, segments: Path, scores: Path, output: Path) -> None:
    """Write the chosen candidates with their scores."""
    from reelmake import highlights  # numpy, which a restored artifact does without

    found = highlights.select(form.read_json(segments), form.read_json(scores), this.settings)
    artifact.write_json(output, found, "highlights")


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0]) as this:
        reuse.make(
            this,
            snakemake.params.cache,
            select_highlights,
            segments=Path(snakemake.input.segments),
            scores=Path(snakemake.input.scores),
            output=Path(snakemake.output.highlights),
        )
