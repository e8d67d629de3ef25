"""The film as an ordered list of beats: results/V/narrative.json."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake import artifact, descriptions, form, gguf, narrative, reuse
from reelmake.asking import Engine
from reelmake.job import Job, job

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
        form.read_json(segments),
        form.read_json(scores),
        descriptions.by_scene(described),
    )
    found = {
        "model": gguf.name(this.settings["model"]),
        "failed": sum(each["title"] is None for each in beats),
        "beats": beats,
    }
    artifact.write_json(output, found, "narrative")


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0]) as this:
        reuse.make(
            this,
            snakemake.params.cache,
            write_narrative,
            segments=Path(snakemake.input.segments),
            scores=Path(snakemake.input.scores),
            described=Path(snakemake.input.descriptions),
            output=Path(snakemake.output.narrative),
            engine=Engine.given(snakemake.params, snakemake.threads),
        )
