"""What the source is: results/V/media.json."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake import artifact, media, source
from reelmake.job import Job, job

if TYPE_CHECKING:
    from snakemake.script import snakemake


def probe_media(this: Job, output: Path) -> None:
    """Probe the source that the fingerprint names and write its facts with its digest."""
    path = this.source()
    facts = media.probe(path)
    content = source.digest(path, full=this.settings["digest"] == "full")
    this.source()
    identity = this.fingerprint["source"]
    artifact.write_json(output, {"source": identity, "content": content} | facts, "media")


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0]) as this:
        probe_media(this, output=Path(snakemake.output.media))
