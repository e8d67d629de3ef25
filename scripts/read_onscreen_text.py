"""The text in the pictures: results/V/onscreen.json."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.foundation import artifact_files
from reelmake.jobs import memoized_job
from reelmake.jobs.job import Job
from reelmake.jobs.runner import job
from reelmake.library import integrity

if TYPE_CHECKING:
    from snakemake.script import snakemake


def read_onscreen_text(this: Job, media: Path, keyframes: Path, output: Path) -> None:
    """Read what keyframes show, and frames between them where that is asked for."""
    from reelmake.jobs import onscreen_frames  # the engines, which a restored artifact does without

    path = this.source()
    records = integrity.read_json(keyframes)["keyframes"]
    found = onscreen_frames.read(this, path, integrity.read_json(media), records)
    this.source()
    artifact_files.write_json(output, found, "onscreen")


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0], snakemake.params.run) as this:
        memoized_job.make(
            this,
            read_onscreen_text,
            media=Path(snakemake.input.media),
            keyframes=Path(snakemake.input.keyframes),
            output=Path(snakemake.output.onscreen),
        )
