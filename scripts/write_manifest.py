"""The record of a finished video: results/V/manifest.json."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.foundation import artifact_files
from reelmake.jobs.runner import job
from reelmake.library import manifest, measures

if TYPE_CHECKING:
    from snakemake.script import snakemake


def write_manifest(output: Path) -> None:
    """Write down every artifact beside `output`, with what it was made from."""
    before = manifest.stages(output.parent)
    made = manifest.build(output.parent)
    manifest.keep_times(output.parent, before, made)
    artifact_files.write_json(output, made, "manifest")


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0], snakemake.params.run) as this:
        write_manifest(output=Path(snakemake.output.manifest))
        this.record["totals"] = measures.collect(this.results)
