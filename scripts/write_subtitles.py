"""The transcript for players and people: results/V/transcript.srt, .vtt, .txt and .md."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.foundation import artifact_files
from reelmake.jobs import memoized_job
from reelmake.jobs.job import Job
from reelmake.jobs.runner import job
from reelmake.library import integrity
from reelmake.media import subtitles

if TYPE_CHECKING:
    from snakemake.script import snakemake


def write_subtitles(this: Job, transcript: Path, outputs: list[Path]) -> None:
    """Write the transcript in the format of each output's suffix."""
    content = integrity.read_json(transcript)
    for output in outputs:
        artifact_files.write_bytes(output, subtitles.render(content, output.suffix[1:]).encode())


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0], snakemake.params.run) as this:
        memoized_job.make(
            this,
            write_subtitles,
            transcript=Path(snakemake.input.transcript),
            outputs=[Path(path) for path in snakemake.output],
        )
