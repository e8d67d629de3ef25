"""Subtitles in other languages: results/V/translations/transcript.<language>.srt, .vtt and .txt."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.editing import cues, streams, transcript_page, translating
from reelmake.foundation import artifact_files
from reelmake.foundation.errors import StageError
from reelmake.jobs import memoized_job
from reelmake.jobs.job import Job
from reelmake.jobs.runner import job
from reelmake.library import integrity
from reelmake.media import subtitles

if TYPE_CHECKING:
    from snakemake.script import snakemake


def write_translations(
    this: Job, media: Path, transcript: Path, translations: Path, folder: Path
) -> None:
    """Write what is said in each language, wrapped by the rules that the film's own subtitles
    have."""
    content = integrity.read_json(transcript)
    rules = cues.Rules.of(this.settings, streams.frame_rate(integrity.read_json(media)))
    made = integrity.read_json(translations)["languages"]
    for translation in made:
        count, wanted = len(translation["lines"]), len(content["segments"])
        if count != wanted:  # somebody has edited one of them
            raise StageError(
                f"{translations} has {count} lines in '{translation['language']}', and "
                f"{transcript} has {wanted} segments; correct it, or delete it and run again",
                "engine",
            )
    broken = 0
    with artifact_files.writing(folder) as temporary:
        temporary.mkdir()
        for translation in made:
            retold = translating.retold(content, translation)
            found = cues.of_transcript(retold, rules)
            broken += sum(cues.is_broken(cue, rules) for cue in found)
            for suffix in ("srt", "vtt", "txt"):
                if suffix == "txt":
                    text = transcript_page.text(retold["segments"])
                else:
                    text = subtitles.render(found, suffix)
                name = f"transcript.{translation['language']}.{suffix}"
                (temporary / name).write_bytes(text.encode())
    this.made["broken_cues"] = broken


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0], snakemake.params.run) as this:
        memoized_job.make(
            this,
            write_translations,
            media=Path(snakemake.input.media),
            transcript=Path(snakemake.input.transcript),
            translations=Path(snakemake.input.translations),
            folder=Path(snakemake.output.folder),
        )
