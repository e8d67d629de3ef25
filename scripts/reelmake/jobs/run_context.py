"""Where a job's tools are and how much it may take: all that a job knows besides its fingerprint.

None of it changes what the job makes, so none of it is in a fingerprint. A rule hands it over as
its only parameter, `run=run_context("<stage>")`; the script finds it as `this.run`.
"""

import json
import os
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from reelmake.foundation import units
from reelmake.library import config as configuration
from reelmake.library.config import Config
from reelmake.library.stages import STAGES

_FORCED = "REELMAKE_FORCED"
"""The environment variable that tells the Snakemakes which a run starts for its jobs."""


@dataclass(frozen=True)
class RunContext:
    """What the run tells a job.

    ffmpeg: the program, as configured; None: whichever is found.
    models: the settings of the stage that name a model, with their values; without those that
    are null.
    repo_id: the repository on the hub that they are files of; None: they are files here, or names
    that the engine knows.
    endpoint: the address of a server that has the model; None: it runs in the job.
    requests_at_once, request_timeout: requests to it in work, and seconds that each may take.
    device: the setting `hardware.device`. gpu_layers: as llama.cpp counts them; 0: none.
    threads: CPU threads that the job may use. answers_at_once: how many answers of a model are
    decoded together, or "auto". keep_warm: how many seconds a model stays loaded for the next job.
    gpus_at_once: jobs with a GPU that the run has at a time.
    batch: moments that are embedded together.
    reading_models: the folder with further models that read text (`onscreen.models`); None: there
    are none.
    keep_audio: whether temporary sound is kept. audio_limit: how many videos may have temporary
    sound on disk.
    cache: the config section `cache`. forced: the stages that are computed although the cache may
    have their artifacts.
    retries, retry_wait: how often what may pass is tried again, and after how many seconds.
    min_free: bytes that must be free on the disk.
    """

    ffmpeg: str | None = None
    models: dict[str, str] = field(default_factory=dict)
    repo_id: str | None = None
    endpoint: str | None = None
    requests_at_once: int = 4
    request_timeout: float = 600.0
    device: str = "cpu"
    gpu_layers: int = 0
    threads: int = 1
    answers_at_once: int | str = 1
    keep_warm: float = 0.0
    gpus_at_once: int = 1
    batch: int = 32
    reading_models: str | None = None
    keep_audio: bool = False
    audio_limit: int = 1
    cache: dict[str, Any] = field(default_factory=lambda: {"enabled": False})
    forced: Collection[str] = ()
    retries: int = 0
    retry_wait: float = 0.0
    min_free: float = 0.0


def of_job(
    config: Config,
    stage: str,
    threads: int,
    gpus_at_once: int,
    audio_limit: int,
    forced: Collection[str],
) -> dict[str, Any]:
    """The fields of the `RunContext` of a job, as Snakemake hands them to its script.

    config: the configuration of the job's video. The others: as `RunContext` has them.
    """
    named = {name: configuration.get(config, name) for name in STAGES[stage].models}
    models = {name: model for name, model in named.items() if model is not None}
    repositories = [configuration.repository(config, name) for name in models]
    endpoints = [configuration.endpoint(config, name) for name in models]
    hardware = config["hardware"]
    return {
        "ffmpeg": config["ffmpeg"],
        "models": models,
        "repo_id": repositories[0] if repositories else None,
        "endpoint": endpoints[0] if endpoints else None,
        "requests_at_once": hardware["requests_at_once"],
        "request_timeout": units.seconds(hardware["request_timeout"]),
        "device": hardware["device"],
        "gpu_layers": 0 if hardware["device"] == "cpu" else hardware["gpu_layers"],
        "threads": threads,
        "answers_at_once": hardware["answers_at_once"],
        "keep_warm": units.seconds(hardware["keep_warm"]),
        "gpus_at_once": gpus_at_once,
        "batch": config["embeddings"]["batch"],
        "reading_models": config["onscreen"]["models"],
        "keep_audio": config["keep_audio"],
        "audio_limit": audio_limit,
        "cache": config["cache"],
        "forced": sorted(forced),
        "retries": config["retries"],
        "retry_wait": units.seconds(config["retry_wait"]),
        "min_free": units.size_bytes(config["min_free"]),
    }


def tell_forced(stages: Collection[str]) -> None:
    """Let every Snakemake that this one starts know which stages are forced.

    Snakemake starts each job of a cluster with a Snakemake that forces just that job: which ones
    the user forced, it can't know.
    """
    os.environ[_FORCED] = json.dumps(sorted(stages))


def told_forced() -> set[str]:
    """The stages that the run which started this Snakemake forces."""
    return set(json.loads(os.environ.get(_FORCED, "[]")))
