"""The transcript for players and people: results/V/transcript.srt, .vtt, .txt and .md."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.editing import cues, speakers, streams, transcript_page
from reelmake.foundation import artifact_files
from reelmake.jobs import memoized_job
from reelmake.jobs.job import Job
from reelmake.jobs.runner import job
from reelmake.library import integrity
from reelmake.media import subtitles

if TYPE_CHECKING:
    from snakemake.script import snakemake


def write_subtitles(
    this: Job, media: Path, transcript: Path, turns: Path | None, outputs: list[Path]
) -> None:
    """Write the transcript in the format of each output's suffix.

    turns: speakers.json; None: nobody asked who speaks. Where several do, the files say who.
    """
    content = integrity.read_json(transcript)
    voices, known = False, set[str]()
    if turns is not None:
        names = this.settings.get("names", {})
        found = speakers.Turns.of(integrity.read_json(turns))
        content, known = speakers.with_names(speakers.with_speakers(content, found), names)
        voices = speakers.are_several(content)
    rules = cues.Rules.of(this.settings, streams.frame_rate(integrity.read_json(media)))
    made = shown = cues.of_transcript(content, rules)
    if voices:  # in a format without voices the text says who speaks
        words = speakers.introduced(cues.words(content), known)
        shown = cues.cues(words, content.get("language"), rules)
    this.made["broken_cues"] = sum(cues.is_broken(cue, rules) for cue in shown)
    for output in outputs:
        match output.suffix[1:]:
            case "txt":
                text = transcript_page.text(content["segments"], voices)
            case "md":
                text = transcript_page.page(content["segments"])
            case "vtt":
                text = subtitles.render(made, "vtt", voices)
            case format:
                text = subtitles.render(shown, format)
        artifact_files.write_bytes(output, text.encode())


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0], snakemake.params.run) as this:
        memoized_job.make(
            this,
            write_subtitles,
            media=Path(snakemake.input.media),
            transcript=Path(snakemake.input.transcript),
            # Where it is not asked for, Snakemake has an empty list of it.
            turns=Path(str(snakemake.input.speakers)) if snakemake.input.speakers else None,
            outputs=[Path(path) for path in snakemake.output],
        )
