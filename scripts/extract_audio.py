"""The sound that is transcribed: results/V/audio.wav."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.jobs import memoized_job, temporary_audio
from reelmake.jobs.job import Job
from reelmake.jobs.runner import job

if TYPE_CHECKING:
    from snakemake.script import snakemake


def extract_audio(this: Job, media: Path, output: Path) -> None:
    """Write the sound of the source; only a placeholder where nothing is going to read it, or
    where as many videos as may have theirs on disk."""
    run, reason = this.run, None
    if not run.keep_audio and memoized_job.is_kept(this, "transcript"):
        reason = "the artifact cache has the transcript"
    elif not run.keep_audio and not temporary_audio.may_be_on_disk(this, run.audio_limit):
        reason = f"the sound of {run.audio_limit} videos waits already; transcribe extracts it"
    if reason is None:
        temporary_audio.extract(this, media, output, temporary_audio.wanted(this))
    else:
        print(f"left out: {reason}")
        temporary_audio.leave_out(output)


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0], snakemake.params.run) as this:
        extract_audio(
            this,
            media=Path(snakemake.input.media),
            output=Path(snakemake.output.audio),
        )
