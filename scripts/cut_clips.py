"""A film of each highlight: results/V/clips/ and clips.json."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.foundation import artifact_files
from reelmake.jobs import memoized_job
from reelmake.jobs.job import Job
from reelmake.jobs.runner import job
from reelmake.library import integrity
from reelmake.media import clip_audio, ffmpeg

if TYPE_CHECKING:
    from snakemake.script import snakemake


def cut_clips(
    this: Job,
    media: Path,
    transcript: Path,
    keyframes: Path,
    highlights: Path,
    output: Path,
    folder: Path,
) -> None:
    """Cut every highlight out of the film, and write the list of them.

    A stop ends it at once: the folder appears as a whole, so a clip that was finished first
    would be lost, too.
    """
    from reelmake.media import clips  # the engine, which nothing else here needs

    path = this.source()
    binary = ffmpeg.binary(this.run.ffmpeg)
    this.record["engines"]["ffmpeg"] = ffmpeg.version(binary)
    film = clip_audio.chosen(path, integrity.read_json(media), this.settings, binary)
    chosen = integrity.read_json(highlights)["highlights"]
    integrity.check_within(highlights, chosen, film["duration"])
    with artifact_files.writing(folder) as temporary:
        temporary.mkdir()
        found = clips.cut_all(
            path,
            film,
            chosen,
            integrity.read_json(transcript),
            integrity.read_json(keyframes)["keyframes"],
            this.settings,
            temporary,
            binary,
            this.run.threads,
            this.progress,
        )
        this.source()
    artifact_files.write_json(output, found, "clips")


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0], snakemake.params.run) as this:
        memoized_job.make(
            this,
            cut_clips,
            media=Path(snakemake.input.media),
            transcript=Path(snakemake.input.transcript),
            keyframes=Path(snakemake.input.keyframes),
            highlights=Path(snakemake.input.highlights),
            output=Path(snakemake.output.clips),
            folder=Path(snakemake.output.folder),
        )
