"""What is seen: results/V/V.scenedesc.msgpack."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelmake.foundation.errors import StageError
from reelmake.foundation.journal import Journal
from reelmake.jobs import gpus, memoized_job
from reelmake.jobs.job import Job, job
from reelmake.library import integrity, scene_descriptions
from reelmake.models import gguf, vision_model

if TYPE_CHECKING:
    from snakemake.script import snakemake


def describe_scenes(
    this: Job,
    keyframes: Path,
    folder: Path,
    output: Path,
    repo_id: str | None,
    model: str,
    mmproj: str,
    device: str,
    gpus_at_once: int,
    gpu_layers: int,
    threads: int,
) -> None:
    """Describe each keyframe. A frame that fails is null; if every frame does, the stage fails.

    Each result is journaled: what an earlier job described is not described again.
    """
    records = integrity.read_json(keyframes)["keyframes"]
    with this.journal() as journal:
        results = _resume(journal, records)
        this.progress(len(results), len(records))
        if len(results) < len(records):  # else no model is needed
            language_model = gguf.local_file("description.model", model, repo_id)
            encoder = gguf.local_file("description.mmproj", mmproj, repo_id)
            with (
                gpus.one(this, device, gpus_at_once),
                vision_model.Vision(
                    language_model, encoder, this.settings, gpu_layers, threads
                ) as seeing,
            ):
                for record in records[len(results) :]:
                    with this.item():
                        description = _describe(seeing, folder, record)
                        results.append({"record": record, "description": description})
                        journal.append(results[-1])
                        this.progress(len(results), len(records))
        failed = sum(result["description"] is None for result in results)
        this.record["items_failed"] = failed
        if results and failed == len(results):
            journal.close(done=True)  # the next run asks the model again
            raise StageError(
                f"the model {model} failed on all {failed} frames; the log says how: "
                f"{this.record['log']}",
                kind="engine",
            )
        scene_descriptions.write(output, _metadata(this, len(results), failed), results)


def _resume(journal: Journal, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The journaled results of the first keyframes, up to one that has none."""
    known = {json.dumps(result["record"]): result for result in journal.records}
    results = []
    for record in records:
        result = known.get(json.dumps(record))
        if result is None:
            break
        results.append(result)
    return results


def _describe(
    seeing: vision_model.Vision, folder: Path, record: dict[str, Any]
) -> dict[str, str] | None:
    try:
        description = seeing.describe((folder / record["file"]).read_bytes())
        "".join(description.values()).encode()  # half of a surrogate pair can't be written
        return description
    except ValueError as error:
        print(f"{record['file']}: no description: {error}")
        return None


def _metadata(this: Job, frames: int, failed: int) -> dict[str, Any]:
    settings = this.settings
    return scene_descriptions.source_facts(this.fingerprint, this.results) | {
        "model": gguf.name(settings["model"]),
        "mmproj": gguf.name(settings["mmproj"]),
        "prompt": settings["prompt"],
        "frames": frames,
        "failed": failed,
    }


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0]) as this:
        memoized_job.make(
            this,
            snakemake.params.cache,
            describe_scenes,
            keyframes=Path(snakemake.input.keyframes),
            folder=Path(snakemake.input.folder),
            output=Path(snakemake.output.descriptions),
            repo_id=snakemake.params.repo_id,
            model=snakemake.params.model,
            mmproj=snakemake.params.mmproj,
            device=snakemake.params.device,
            gpus_at_once=snakemake.params.gpus_at_once,
            gpu_layers=0 if snakemake.params.device == "cpu" else snakemake.params.gpu_layers,
            threads=snakemake.threads,
        )
