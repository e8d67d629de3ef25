"""Who speaks when: results/V/speakers.json."""

import functools
import importlib.metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelmake.foundation import artifact_files
from reelmake.foundation.errors import Kind
from reelmake.jobs import child_process, memoized_job, temporary_audio
from reelmake.jobs.job import Job
from reelmake.jobs.runner import job
from reelmake.library import integrity, voice_prints
from reelmake.library.stages import STAGES

if TYPE_CHECKING:
    from snakemake.script import snakemake

ENGINE = "sherpa-onnx"


def find_speakers(this: Job, media: Path, output: Path) -> None:
    """Find who speaks when in the film's sound, with the settings of the fingerprint.

    The engine runs in a child of this process: what ends it does not end the job. media: the
    film's `media.json`.
    """
    if integrity.read_json(media)["audio"] is not None:
        models(this)  # before the sound is extracted for nothing
    with temporary_audio.own(this, media) as audio:
        found = child_process.run(this, functools.partial(diarize, this, audio), ENGINE)
    artifact_files.write_json(output, as_document(this, found), "speakers")


def models(this: Job) -> list[Path]:
    """The files of both models. Raises StageError where one is not on this machine."""
    from reelmake.models import speaker_models

    return [
        speaker_models.file(this.run.models[setting], setting)
        for setting in STAGES[this.stage].models
    ]


def diarize(this: Job, audio: Path) -> list[Any]:
    """[turns, voice prints], as msgpack can hold them. audio: 16 kHz WAV."""
    from reelmake.models import diarization  # what a restored artifact does without
    from reelmake.models.audio_chunks import WavFile

    sound, run, settings = WavFile(audio), this.run, this.settings
    if not len(sound):
        return [[], []]
    segmentation, embedding = models(this)
    with this.journal() as journal:
        turns, prints = diarization.diarize(
            sound,
            segmentation,
            embedding,
            settings["count"],
            settings["threshold"],
            settings["min_seconds"],
            run.device,
            run.threads,
            this.progress,
            journal,
            this.item,
        )
    return [[list(turn) for turn in turns], prints]


def as_document(this: Job, found: list[Any]) -> dict[str, Any]:
    """speakers.json of what `diarize` has found: labels go by who speaks first."""
    prints = found[1]
    turns = sorted((round(start, 3), round(end, 3), who) for start, end, who in found[0])
    turns = [turn for turn in turns if turn[0] < turn[1]]
    labels = {who: f"S{number}" for number, who in enumerate(dict.fromkeys(t[2] for t in turns), 1)}
    speakers = []
    for who, label in labels.items():
        own = [(start, end) for start, end, each in turns if each == who]
        speakers.append(
            {
                "label": label,
                "seconds": round(sum(end - start for start, end in own), 3),
                "turns": len(own),
                "print": voice_prints.encode(prints[who]) if prints[who] else None,
            }
        )
    listed = [{"start": start, "end": end, "speaker": labels[who]} for start, end, who in turns]
    return document(this) | {"speakers": speakers, "turns": listed}


def document(this: Job) -> dict[str, Any]:
    """speakers.json of a film in which nobody speaks."""
    try:
        version = importlib.metadata.version(ENGINE)
    except importlib.metadata.PackageNotFoundError:
        version = None
    models = {
        name: this.fingerprint["settings"][f"speakers.{name}_model"]
        for name in ("segmentation", "embedding")
    }
    engine = {"name": ENGINE, "version": version}
    return {"failure": None, "engine": engine, "models": models, "speakers": [], "turns": []}


def give_up(this: Job, error: str, kind: Kind, output: Path) -> None:
    """Publish why nobody knows who speaks."""
    content = document(this) | {"failure": {"class": kind, "error": error}}
    artifact_files.write_json(output, content, "speakers")


if __name__ == "__main__":
    speakers = Path(snakemake.output.speakers)
    with job(
        snakemake.input.fingerprint,
        snakemake.log[0],
        snakemake.params.run,
        instead=functools.partial(give_up, output=speakers),
    ) as this:
        temporary_audio.remove_own(this)  # also where the artifact comes from the cache
        memoized_job.make(
            this,
            find_speakers,
            media=Path(snakemake.input.media),
            output=speakers,
        )
