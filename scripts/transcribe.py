"""What is said: results/V/transcript.json."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake import artifact, transcription
from reelmake.chunks import WavFile
from reelmake.job import Job, job

if TYPE_CHECKING:
    from snakemake.script import snakemake


def transcribe(this: Job, audio: Path, output: Path, model: str, device: str, threads: int) -> None:
    """Transcribe the sound with the settings of the fingerprint, chunk by chunk."""
    with this.journal() as journal:
        transcript = transcription.transcribe(
            WavFile(audio), this.settings, model, device, threads, this.progress, journal
        )
        artifact.write_json(output, transcript, "transcript")


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0]) as this:
        transcribe(
            this,
            audio=Path(snakemake.input.audio),
            output=Path(snakemake.output.transcript),
            model=snakemake.params.model,
            device=snakemake.params.device,
            threads=snakemake.threads,
        )
