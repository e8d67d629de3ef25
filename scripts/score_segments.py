"""How good each segment is: results/V/scores.json."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.editing import languages, onscreen_texts, scoring
from reelmake.foundation import artifact_files
from reelmake.jobs import memoized_job, model_answers
from reelmake.jobs.job import Job
from reelmake.jobs.runner import job
from reelmake.library import integrity, onscreen_artifact, scene_descriptions

if TYPE_CHECKING:
    from snakemake.script import snakemake


def score_segments(
    this: Job, segments: Path, described: Path, onscreen: Path | None, output: Path
) -> None:
    """Score each segment by what is said and seen in it and, where the prompt asks for that, what
    is written. One that the model fails on has no score; a model that fails on all of many fails
    the stage."""
    film = integrity.read_json(segments)
    listed = film["segments"]
    language = languages.to_answer_in(this.settings["language"], film.get("language"))
    seen = scene_descriptions.by_scene(described)
    written = onscreen_texts.by_segment(
        onscreen_artifact.lines(onscreen), listed, scene_descriptions.times(described)
    )
    questions = scoring.questions(listed, seen, this.settings["prompt"], language, written)
    scores = scoring.scores(listed, model_answers.ask(this, questions, scoring.FORM, needed=True))
    found = model_answers.named(this) | {
        "failed": sum(each["score"] is None for each in scores),
        "scores": scores,
    }
    artifact_files.write_json(output, found, "scores")


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0], snakemake.params.run) as this:
        memoized_job.make(
            this,
            score_segments,
            segments=Path(snakemake.input.segments),
            described=Path(snakemake.input.descriptions),
            onscreen=next(map(Path, snakemake.input.onscreen), None),
            output=Path(snakemake.output.scores),
        )
