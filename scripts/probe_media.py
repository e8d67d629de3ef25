"""What the source is: results/V/media.json."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.foundation import artifact_files
from reelmake.jobs import memoized_job
from reelmake.jobs.job import Job
from reelmake.jobs.runner import job

if TYPE_CHECKING:
    from snakemake.script import snakemake


def probe_media(this: Job, output: Path) -> None:
    """Probe the source that the fingerprint names and write its facts with its digest."""
    from reelmake.media import probing  # the engine, which a restored artifact does without

    found = {"content": this.content} | probing.probe(this.source())
    this.source()
    artifact_files.write_json(output, found, "media")


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0], snakemake.params.run) as this:
        memoized_job.make(this, probe_media, output=Path(snakemake.output.media))
