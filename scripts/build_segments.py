"""Candidates for highlights, from whole sentences: results/V/segments.json."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake import artifact, form, reuse
from reelmake.job import Job, job

if TYPE_CHECKING:
    from snakemake.script import snakemake


def build_segments(this: Job, media: Path, transcript: Path, scenes: Path, output: Path) -> None:
    """Write where each candidate begins and ends, and what is said and shown in it."""
    from reelmake import segments  # numpy, which a restored artifact does without

    found = segments.build(
        form.read_json(media), form.read_json(transcript), form.read_json(scenes), this.settings
    )
    artifact.write_json(output, found, "segments")


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0]) as this:
        reuse.make(
            this,
            snakemake.params.cache,
            build_segments,
            media=Path(snakemake.input.media),
            transcript=Path(snakemake.input.transcript),
            scenes=Path(snakemake.input.scenes),
            output=Path(snakemake.output.segments),
        )
