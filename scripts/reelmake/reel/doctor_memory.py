"""`reel doctor`: whether the models fit into the video memory that is free, and which would."""

from collections.abc import Iterator

from reelmake.foundation.errors import StageError, UserError
from reelmake.foundation.units import show_bytes
from reelmake.jobs import gpus
from reelmake.library import model_profiles
from reelmake.library.config import Config
from reelmake.models import needed_models
from reelmake.reel.finding import Finding

BESIDE = 2e9
"""Bytes that a model takes beside its weights, about: of eight answers, and to compute in."""


def video_memory(config: Config) -> Iterator[Finding]:
    """Nothing where no GPU is used, or nobody knows what is free on it."""
    free = min(gpus.free_memory(), default=0) if gpus.uses_gpu(config["hardware"]["device"]) else 0
    if not free:
        return
    needs = _needs(config)
    largest = max(needs, key=lambda section: needs[section], default=None)
    fits = model_profiles.fitting(free)
    named = f"hardware.profile: {fits}" if fits else None
    if largest is None:
        says = f"{show_bytes(free)} free; how much the models take, nobody knows"
        yield Finding("video memory", "ok", says)
    elif needs[largest] > free:
        says = f"{show_bytes(free)} free, {largest} takes about {show_bytes(needs[largest])}"
        smaller = f"smaller models ({named} fits)" if named else "a smaller hardware.gpu_layers"
        yield Finding("video memory", "warn", says, f"free some, or set {smaller}")
    else:
        says = f"{show_bytes(free)} free, {largest} takes most, about {show_bytes(needs[largest])}"
        also = f"; {named} fits" if named else ""
        yield Finding("video memory", "ok", says + also)


def _needs(config: Config) -> dict[str, float]:
    """The video memory that each model takes, by its section of the configuration, as far as it
    can be known: from the table of profiles, or the sizes of files that are here."""
    found: dict[str, float] = {}
    weights: dict[str, float] = {}
    for model in needed_models.needed(config):
        section = model.setting.partition(".")[0]
        known = model_profiles.pick(config, section)
        if known:
            found[section] = known.memory
            continue
        try:
            here = model.here()
        except (StageError, UserError, OSError):  # the line of the model says it
            continue
        if here is not None:
            weights[section] = weights.get(section, BESIDE) + needed_models.weight(here)
    return found | weights
