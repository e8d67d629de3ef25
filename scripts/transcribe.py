"""What is said: results/V/transcript.json."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.foundation import artifact_files
from reelmake.jobs import gpus, memoized_job, temporary_audio
from reelmake.jobs.job import Job
from reelmake.jobs.runner import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

UNSURE = 0.5
"""How likely a language has to be, for people not to be told that it may be another."""


def transcribe(this: Job, audio: Path, output: Path) -> None:
    """Transcribe the sound with the settings of the fingerprint, chunk by chunk."""
    from reelmake.models import transcription  # what a restored artifact does without
    from reelmake.models.audio_chunks import WavFile
    from reelmake.models.endpoint import Address

    run, batch = this.run, this.settings["batch_size"]
    if batch:  # after memory was short, windows that are heard at once are fewer, not none
        batch = max(1, batch >> this.shortages)
    server = None
    if run.endpoint:
        at_once, timeout = run.requests_at_once, run.request_timeout
        server = Address("transcription", run.endpoint, at_once, timeout)
    gpu = gpus.one(this, run.device, run.gpus_at_once) if not server else contextlib.nullcontext()
    with temporary_audio.at_hand(this, audio), gpu, this.journal() as journal:
        transcript = transcription.transcribe(
            WavFile(audio),
            this.settings | {"batch_size": batch},
            run.models["transcription.model"],
            run.device,
            run.threads,
            this.progress,
            journal,
            this.item,
            server,
            lambda model: this.record["engines"].update(endpoint=model),
        )
        artifact_files.write_json(output, transcript, "transcript")
    sure = transcript["language_probability"]
    if sure is not None and sure < UNSURE:
        this.say(
            f"the language of a film is not sure: {this.results.name}: "
            f"{transcript['language']}, {sure:.0%} likely; transcription.language says it"
        )


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0], snakemake.params.run) as this:
        memoized_job.make(
            this,
            transcribe,
            audio=Path(snakemake.input.audio),
            output=Path(snakemake.output.transcript),
        )
