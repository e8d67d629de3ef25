"""How good each segment is: results/V/scores.json."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake import artifact, descriptions, form, gguf, reuse, scoring
from reelmake.asking import Engine
from reelmake.job import Job, job

if TYPE_CHECKING:
    from snakemake.script import snakemake


def score_segments(
    this: Job, segments: Path, described: Path, output: Path, engine: Engine
) -> None:
    """Score each segment by what is said and seen in it. One that the model fails on has no
    score; if it fails on all, the stage fails."""
    scores = scoring.score(
        this, engine, form.read_json(segments)["segments"], descriptions.by_scene(described)
    )
    found = {
        "model": gguf.name(this.settings["model"]),
        "failed": sum(each["score"] is None for each in scores),
        "scores": scores,
    }
    artifact.write_json(output, found, "scores")


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0]) as this:
        reuse.make(
            this,
            snakemake.params.cache,
            score_segments,
            segments=Path(snakemake.input.segments),
            described=Path(snakemake.input.descriptions),
            output=Path(snakemake.output.scores),
            engine=Engine.given(snakemake.params, snakemake.threads),
        )
