"""The pictures that stand for the scenes: results/V/keyframes/ and keyframes.json."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.foundation import artifact_files
from reelmake.jobs import memoized_job
from reelmake.jobs.job import Job
from reelmake.jobs.runner import job
from reelmake.library import integrity

if TYPE_CHECKING:
    from snakemake.script import snakemake


def extract_keyframes(this: Job, media: Path, scenes: Path, output: Path, folder: Path) -> None:
    """Choose and write the keyframes of every scene, and the list of them."""
    from reelmake.media import keyframes  # the engine, which a restored artifact does without

    path = this.source()
    with artifact_files.writing(folder) as temporary:
        temporary.mkdir()
        found = keyframes.extract(
            path,
            integrity.read_json(media),
            integrity.read_json(scenes),
            this.settings,
            temporary,
            this.progress,
        )
        this.source()
    artifact_files.write_json(output, found, "keyframes")


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0], snakemake.params.run) as this:
        memoized_job.make(
            this,
            extract_keyframes,
            media=Path(snakemake.input.media),
            scenes=Path(snakemake.input.scenes),
            output=Path(snakemake.output.keyframes),
            folder=Path(snakemake.output.folder),
        )
