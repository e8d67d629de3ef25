"""The transcript for players and people: results/V/transcript.srt, .vtt, .txt and .md."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake import artifact, form, reuse, subtitles
from reelmake.job import Job, job

if TYPE_CHECKING:
    from snakemake.script import snakemake


def write_subtitles(this: Job, transcript: Path, outputs: list[Path]) -> None:
    """Write the transcript in the format of each output's suffix."""
    content = form.read_json(transcript)
    for output in outputs:
        artifact.write_bytes(output, subtitles.render(content, output.suffix[1:]).encode())


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0]) as this:
        reuse.make(
            this,
            snakemake.params.cache,
            write_subtitles,
            transcript=Path(snakemake.input.transcript),
            outputs=[Path(path) for path in snakemake.output],
        )
