"""How good each segment is: results/V/scores.json."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.editing import scoring
from reelmake.foundation import artifact_files
from reelmake.jobs import memoized_job
from reelmake.jobs.job import Job, job
from reelmake.jobs.resumable_items import Engine
from reelmake.library import integrity, scene_descriptions
from reelmake.models import gguf

if TYPE_CHECKING:
    from snakemake.script import snakemake


def score_segments(
    this: Job, segments: Path, described: Path, output: Path, engine: Engine
) -> None:
    """Score each segment by what is said and seen in it. One that the model fails on has no
    score; if it fails on all, the stage fails."""
    scores = scoring.score(
        this,
        engine,
        integrity.read_json(segments)["segments"],
        scene_descriptions.by_scene(described),
    )
    found = {
        "model": gguf.name(this.settings["model"]),
        "failed": sum(each["score"] is None for each in scores),
        "scores": scores,
    }
    artifact_files.write_json(output, found, "scores")


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0]) as this:
        memoized_job.make(
            this,
            snakemake.params.cache,
            score_segments,
            segments=Path(snakemake.input.segments),
            described=Path(snakemake.input.descriptions),
            output=Path(snakemake.output.scores),
            engine=Engine.given(snakemake.params, snakemake.threads),
        )
