"""The film as an ordered list of beats: results/V/narrative.json."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.editing import beats, languages, narrative, onscreen_texts
from reelmake.foundation import artifact_files
from reelmake.jobs import memoized_job, model_answers
from reelmake.jobs.job import Job
from reelmake.jobs.runner import job
from reelmake.library import integrity, onscreen_artifact, scene_descriptions

if TYPE_CHECKING:
    from snakemake.script import snakemake


def write_narrative(
    this: Job, segments: Path, scores: Path, described: Path, onscreen: Path | None, output: Path
) -> None:
    """Choose the beats by their scores, and have the text model find a title for each and say
    why. A beat that it fails on has neither."""
    film = integrity.read_json(segments)
    by_id = {each["id"]: each["score"] for each in integrity.read_json(scores)["scores"]}
    chosen = beats.choose(film["segments"], by_id, film["duration"], this.settings["rising"])
    seen = scene_descriptions.by_scene(described)
    language = languages.to_answer_in(this.settings["language"], film.get("language"))
    written = onscreen_texts.by_segment(
        onscreen_artifact.lines(onscreen), film["segments"], scene_descriptions.times(described)
    )
    questions = narrative.questions(chosen, seen, this.settings["prompt"], language, written)
    answers = model_answers.ask(this, questions, narrative.FORM, needed=False)
    told = narrative.beats(chosen, by_id, answers)
    found = model_answers.named(this) | {
        "failed": sum(each["title"] is None for each in told),
        "beats": told,
    }
    artifact_files.write_json(output, found, "narrative")


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0], snakemake.params.run) as this:
        memoized_job.make(
            this,
            write_narrative,
            segments=Path(snakemake.input.segments),
            scores=Path(snakemake.input.scores),
            described=Path(snakemake.input.descriptions),
            onscreen=next(map(Path, snakemake.input.onscreen), None),
            output=Path(snakemake.output.narrative),
        )
