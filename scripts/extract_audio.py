"""The sound that is transcribed: results/V/audio.wav."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.jobs import memoized_job, temporary_audio
from reelmake.jobs.job import Job, job

if TYPE_CHECKING:
    from snakemake.script import snakemake


def extract_audio(
    this: Job,
    media: Path,
    output: Path,
    program: str | None,
    keep: bool,
    limit: int,
    cache: memoized_job.Given | None,
) -> None:
    """Write the sound of the source; only a placeholder where nothing is going to read it, or
    where `limit` videos have theirs on disk. keep: do it in any case."""
    reason = None
    if not keep and memoized_job.is_kept(this, "transcript", cache):
        reason = "the artifact cache has the transcript"
    elif not keep and temporary_audio.is_plenty(this, limit):
        reason = f"the sound of {limit} videos waits already; transcribe extracts it"
    if reason is None:
        temporary_audio.extract(this, media, output, program)
    else:
        print(f"left out: {reason}")
        temporary_audio.leave_out(output)


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0]) as this:
        extract_audio(
            this,
            media=Path(snakemake.input.media),
            output=Path(snakemake.output.audio),
            program=snakemake.params.ffmpeg,
            keep=snakemake.params.keep,
            limit=snakemake.params.limit,
            cache=snakemake.params.cache,
        )
