"""The trailer and its cuts for an editor: results/V/trailer.mp4, .otio and .edl."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelmake import artifact, assembly, cadence, ffmpeg, form, reuse, trailer
from reelmake.job import Job, job

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
    program: str | None,
    threads: int,
) -> None:
    """Choose a shot of each beat of the source, and publish them joined, and as a list."""
    from reelmake import timeline  # OpenTimelineIO, which nothing else needs

    path = this.source()
    binary = ffmpeg.binary(program)
    this.record["engines"]["ffmpeg"] = ffmpeg.version(binary)
    found, cuts = form.read_json(media), form.read_json(scenes)
    plan = plan_trailer(found, cuts, form.read_json(narrative)["beats"], this.settings)
    total = round(plan.length / plan.film.rate)

    def progress(seconds: float) -> None:
        this.progress(min(total, int(seconds)), total)

    with artifact.writing(film) as temporary:
        assembly.assemble(path, found, plan, this.settings, temporary, binary, threads, progress)
        this.source()
    this.progress(total, total)
    made = timeline.timeline(this.video, path, found, plan, this.settings["handles_seconds"])
    artifact.write_bytes(otio, timeline.to_otio(made))
    artifact.write_bytes(edl, timeline.to_edl(this.video, path, found, plan))


def plan_trailer(
    media: Mapping[str, Any],
    scenes: Mapping[str, Any],
    beats: Sequence[Mapping[str, Any]],
    settings: Mapping[str, Any],
) -> trailer.Plan:
    """The shots, from the content of media.json and scenes.json and the beats of narrative.json."""
    seconds = settings["seconds"]
    borders = [time for scene in scenes["scenes"] for time in (scene["start"], scene["end"])]
    film = cadence.cadence(media, scenes, otherwise=seconds)
    return trailer.plan(beats, borders, film, seconds, settings["crossfade_seconds"])


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0]) as this:
        reuse.make(
            this,
            snakemake.params.cache,
            assemble_trailer,
            media=Path(snakemake.input.media),
            scenes=Path(snakemake.input.scenes),
            narrative=Path(snakemake.input.narrative),
            film=Path(snakemake.output.film),
            otio=Path(snakemake.output.otio),
            edl=Path(snakemake.output.edl),
            program=snakemake.params.ffmpeg,
            threads=snakemake.threads,
        )
