"""Chapter marks: results/V/chapters.ffmetadata and chapters.txt."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.editing import chapters
from reelmake.foundation import artifact_files
from reelmake.jobs import memoized_job
from reelmake.jobs.job import Job
from reelmake.jobs.runner import job
from reelmake.library import integrity, scene_descriptions

if TYPE_CHECKING:
    from snakemake.script import snakemake


def write_chapters(
    this: Job,
    media: Path,
    scenes: Path,
    described: Path,
    narrative: Path,
    ffmetadata: Path,
    txt: Path,
) -> None:
    """Write the chapters for ffmpeg, and for people."""
    # Descriptions that can't be read are as good as none.
    seen = scene_descriptions.read(described) or {"results": []}
    found = chapters.build(
        integrity.read_json(media),
        integrity.read_json(scenes),
        seen["results"],
        integrity.read_json(narrative),
        this.settings,
    )
    artifact_files.write_bytes(ffmetadata, chapters.ffmetadata(found).encode())
    artifact_files.write_bytes(txt, chapters.plain(found).encode())


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0], snakemake.params.run) as this:
        memoized_job.make(
            this,
            write_chapters,
            media=Path(snakemake.input.media),
            scenes=Path(snakemake.input.scenes),
            described=Path(snakemake.input.descriptions),
            narrative=Path(snakemake.input.narrative),
            ffmetadata=Path(snakemake.output.ffmetadata),
            txt=Path(snakemake.output.txt),
        )
