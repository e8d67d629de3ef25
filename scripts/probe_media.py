"""What the source is: results/V/media.json."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake import artifact, reuse
from reelmake.job import Job, job

if TYPE_CHECKING:
    from snakemake.script import snakemake


def probe_media(this: Job, output: Path) -> None:
    """Probe the source that the fingerprint names and write its facts with its digest."""
    from reelmake import media  # the engine, which a restored artifact does without

    found = {"content": this.content} | media.probe(this.source())
    this.source()
    artifact.write_json(output, found, "media")


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0]) as this:
        reuse.make(this, snakemake.params.cache, probe_media, output=Path(snakemake.output.media))
