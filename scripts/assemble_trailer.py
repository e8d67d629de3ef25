"""The trailer and its cuts for an editor: results/V/trailer.mp4, .otio and .edl."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelmake.editing import frame_rate, trailer_plan
from reelmake.foundation import artifact_files
from reelmake.jobs import memoized_job
from reelmake.jobs.job import Job
from reelmake.jobs.runner import job
from reelmake.library import integrity
from reelmake.media import clip_audio, ffmpeg, start_timecode, trailer_film

if TYPE_CHECKING:
    from snakemake.script import snakemake


def assemble_trailer(
    this: Job,
    media: Path,
    scenes: Path,
    narrative: Path,
    film: Path,
    otio: Path,
    edl: Path,
) -> None:
    """Choose a shot of each beat of the source, and publish them joined, and as a list."""
    from reelmake.media import edit_lists  # OpenTimelineIO, which nothing else needs

    path = this.source()
    binary = ffmpeg.binary(this.run.ffmpeg)
    this.record["engines"]["ffmpeg"] = ffmpeg.version(binary)
    found = clip_audio.chosen(path, integrity.read_json(media), this.settings, binary)
    cuts = integrity.read_json(scenes)
    plan = plan_trailer(found, cuts, integrity.read_json(narrative)["beats"], this.settings)
    total = round(plan.length / plan.film.rate)

    def progress(seconds: float) -> None:
        this.progress(min(total, int(seconds)), total)

    with artifact_files.writing(film) as temporary:
        trailer_film.assemble(
            path, found, plan, this.settings, temporary, binary, this.run.threads, progress
        )
        this.source()
    this.progress(total, total)
    start = start_timecode.read(path, found)
    handles = this.settings["handles_seconds"]
    made = edit_lists.timeline(this.video, path, found, plan, handles, start)
    artifact_files.write_bytes(otio, edit_lists.to_otio(made))
    artifact_files.write_bytes(edl, edit_lists.to_edl(this.video, path, found, plan, start))


def plan_trailer(
    media: Mapping[str, Any],
    scenes: Mapping[str, Any],
    beats: Sequence[Mapping[str, Any]],
    settings: Mapping[str, Any],
) -> trailer_plan.Plan:
    """The shots, from the content of media.json and scenes.json and the beats of narrative.json."""
    seconds = settings["seconds"]
    borders = [time for scene in scenes["scenes"] for time in (scene["start"], scene["end"])]
    film = frame_rate.cadence(media, scenes, otherwise=seconds)
    return trailer_plan.plan(beats, borders, film, seconds, settings["crossfade_seconds"])


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0], snakemake.params.run) as this:
        memoized_job.make(
            this,
            assemble_trailer,
            media=Path(snakemake.input.media),
            scenes=Path(snakemake.input.scenes),
            narrative=Path(snakemake.input.narrative),
            film=Path(snakemake.output.film),
            otio=Path(snakemake.output.otio),
            edl=Path(snakemake.output.edl),
        )
