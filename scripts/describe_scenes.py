"""What is seen: results/V/V.scenedesc.msgpack."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.jobs import memoized_job, model_answers
from reelmake.jobs.job import Job
from reelmake.jobs.runner import job
from reelmake.library import fingerprints, integrity, onscreen_artifact, scene_descriptions

if TYPE_CHECKING:
    from snakemake.script import snakemake


def describe_scenes(
    this: Job, keyframes: Path, folder: Path, onscreen: Path | None, output: Path
) -> None:
    """Describe each keyframe. A frame that fails is null; if every frame does, the stage fails."""
    records = integrity.read_json(keyframes)["keyframes"]
    lines = onscreen_artifact.lines(onscreen)
    results = model_answers.describe(this, records, folder, lines)
    model = model_answers.named(this)
    if "endpoint" not in model:
        model["mmproj"] = fingerprints.model_name(this.settings["mmproj"])
    metadata = scene_descriptions.source_facts(this.fingerprint, this.results) | model
    metadata |= {
        "prompt": this.settings["prompt"],
        "frames": len(results),
        "failed": sum(result["description"] is None for result in results),
    }
    scene_descriptions.write(output, metadata, results)


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0], snakemake.params.run) as this:
        memoized_job.make(
            this,
            describe_scenes,
            keyframes=Path(snakemake.input.keyframes),
            folder=Path(snakemake.input.folder),
            onscreen=next(map(Path, snakemake.input.onscreen), None),
            output=Path(snakemake.output.descriptions),
        )
