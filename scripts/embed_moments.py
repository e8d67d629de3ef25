"""What is said and seen, as vectors: results/V/embeddings.msgpack."""

from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from reelmake.jobs import memoized_job
from reelmake.jobs.job import Job
from reelmake.jobs.runner import job
from reelmake.library import integrity, scene_descriptions

if TYPE_CHECKING:
    from snakemake.script import snakemake

    from reelmake.jobs.moment_vectors import Moment


def embed_moments(
    this: Job, transcript: Path, descriptions: Path, keyframes: Path, folder: Path, output: Path
) -> None:
    """Embed each segment of speech and each description with the text model, each keyframe with
    the image model; where a setting names none, not these."""
    from reelmake.jobs import moment_vectors  # what a restored artifact does without
    from reelmake.library import film_vectors

    moments: list[Moment] = []
    if this.settings["text_model"]:
        moments += [*said(transcript), *described(descriptions)]
    if this.settings["image_model"]:
        moments += shown(keyframes, folder)
    film_vectors.write(output, moment_vectors.embed(this, moments))


def said(transcript: Path) -> "Iterator[Moment]":
    """The segments of a transcript.json. Raises StageError where it is damaged."""
    from reelmake.jobs.moment_vectors import Moment

    for segment in integrity.read_json(transcript)["segments"]:
        text = segment["text"].strip()
        if text:
            start, end = segment["start"], segment["end"]
            yield Moment("said", segment["id"], start, max(start, end), text)


def described(descriptions: Path) -> "Iterator[Moment]":
    """The descriptions of a scenedesc.msgpack. Raises StageError where it is damaged."""
    from reelmake.jobs.moment_vectors import Moment

    for result in scene_descriptions.results(descriptions):
        record, description = result["record"], result["description"] or {}
        fields = [str(description.get(field, "")).strip() for field in scene_descriptions.FIELDS]
        text = "; ".join(field for field in fields if field)
        if text:
            time = record.get("timestamp", 0.0)
            yield Moment("described", record.get("scene_id", -1), time, time, text)


def shown(keyframes: Path, folder: Path) -> "Iterator[Moment]":
    """The pictures of a keyframes.json, which lie in `folder`. Raises StageError where it is
    damaged."""
    from reelmake.jobs.moment_vectors import Moment

    for record in integrity.read_json(keyframes)["keyframes"]:
        time, file = record["timestamp"], folder / PurePath(record["file"]).name
        yield Moment("shown", record["scene_id"], time, time, file)


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0], snakemake.params.run) as this:
        memoized_job.make(
            this,
            embed_moments,
            transcript=Path(snakemake.input.transcript),
            descriptions=Path(snakemake.input.descriptions),
            keyframes=Path(snakemake.input.keyframes),
            folder=Path(snakemake.input.folder),
            output=Path(snakemake.output.embeddings),
        )
