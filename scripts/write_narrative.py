"""The film as an ordered list of beats: results/V/narrative.json."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.editing import narrative
from reelmake.foundation import artifact_files
from reelmake.jobs import memoized_job
from reelmake.jobs.job import Job, job
from reelmake.jobs.resumable_items import Engine
from reelmake.library import integrity, scene_descriptions
from reelmake.models import gguf

if TYPE_CHECKING:
    from snakemake.script import snakemake


def write_narrative(
    this: Job, segments: Path, scores: Path, described: Path, output: Path, engine: Engine
) -> None:
    """Choose the beats by their scores, and have the text model find a title for each and say
    why. A beat that it fails on has neither."""
    beats = narrative.tell(
        this,
        engine,
        integrity.read_json(segments),
        integrity.read_json(scores),
        scene_descriptions.by_scene(described),
    )
    found = {
        "model": gguf.name(this.settings["model"]),
        "failed": sum(each["title"] is None for each in beats),
        "beats": beats,
    }
    artifact_files.write_json(output, found, "narrative")


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0]) as this:
        memoized_job.make(
            this,
            snakemake.params.cache,
            write_narrative,
            segments=Path(snakemake.input.segments),
            scores=Path(snakemake.input.scores),
            described=Path(snakemake.input.descriptions),
            output=Path(snakemake.output.narrative),
            engine=Engine.given(snakemake.params, snakemake.threads),
        )
