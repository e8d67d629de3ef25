"""The transcript for players and people: results/V/transcript.srt, .vtt, .txt and .md."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.editing import cues, streams, transcript_page
from reelmake.foundation import artifact_files
from reelmake.jobs import memoized_job
from reelmake.jobs.job import Job
from reelmake.jobs.runner import job
from reelmake.library import integrity
from reelmake.media import subtitles

if TYPE_CHECKING:
    from snakemake.script import snakemake


def write_subtitles(this: Job, media: Path, transcript: Path, outputs: list[Path]) -> None:
    """Write the transcript in the format of each output's suffix."""
    content = integrity.read_json(transcript)
    rules = cues.Rules.of(this.settings, streams.frame_rate(integrity.read_json(media)))
    found = cues.of_transcript(content, rules)
    this.made["broken_cues"] = sum(cues.is_broken(cue, rules) for cue in found)
    for output in outputs:
        match output.suffix[1:]:
            case "txt":
                text = transcript_page.text(content["segments"])
            case "md":
                text = transcript_page.page(content["segments"])
            case format:
                text = subtitles.render(found, format)
        artifact_files.write_bytes(output, text.encode())


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0], snakemake.params.run) as this:
        memoized_job.make(
            this,
            write_subtitles,
            media=Path(snakemake.input.media),
            transcript=Path(snakemake.input.transcript),
            outputs=[Path(path) for path in snakemake.output],
        )
