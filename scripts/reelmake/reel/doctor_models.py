"""`reel doctor`: whether the engines start and see a GPU, and whether their models are here."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reelmake.foundation import units
from reelmake.foundation.errors import StageError
from reelmake.foundation.units import show_bytes
from reelmake.jobs.gpus import uses_gpu
from reelmake.library import config as configuration
from reelmake.library.config import Config
from reelmake.library.stages import STAGES, chosen
from reelmake.models import needed_models
from reelmake.reel.finding import Finding, State

ANSWER = 30.0
"""Seconds that a server has to say which models it has."""
_SPEECH = "from reelmake.models import whisper; print(json.dumps([whisper.gpus() > 0, ['CUDA']]))"
_LLAMA = "from reelmake.models import llama; print(json.dumps(llama.gpus()))"


def gpus(config: Config) -> Iterator[Finding]:
    """Whether each engine starts, and sees the GPU."""
    device = config["hardware"]["device"]
    for name, code in (("CTranslate2", _SPEECH), ("llama.cpp", _LLAMA)):
        check = f"GPU, {name}"
        try:
            seen, kinds = asked(code)
        except OSError as error:
            yield Finding(check, "fail", f"it does not start: {error}", "make setup")
            continue
        if seen:
            yield Finding(check, "ok", "sees one")
        elif device == "cpu":
            yield Finding(check, "ok", "not asked for (hardware.device: cpu)")
        else:
            here = uses_gpu("auto")
            says, fix = _why_not(name, kinds, here)
            state: State = "fail" if device == "cuda" else "warn" if here else "ok"
            yield Finding(check, state, says, fix if state != "ok" else "")


def models(config: Config) -> Iterator[Finding]:
    """Whether each model is on this machine, or what is to be downloaded."""
    for model in needed_models.needed(config):
        try:
            here = model.here()
        except StageError as error:
            yield Finding(model.what, "fail", str(error))
            continue
        if here is not None:
            name = model.name if here.is_dir() else here.name
            says = f"{name}, {show_bytes(needed_models.weight(here))}"
            yield Finding(model.what, "ok", says)
        else:
            yield _to_download(model)


def servers(config: Config) -> Iterator[Finding]:
    """Whether each server that is to be asked answers, and has the model."""
    from reelmake.models import endpoint

    made, timeout = chosen(config["stages"]), units.seconds(config["hardware"]["request_timeout"])
    named = dict.fromkeys(STAGES[stage].models[:1] for stage in STAGES if stage in made)
    for setting in (names[0] for names in named if names):
        url = configuration.endpoint(config, setting)
        if url is None:
            continue
        check = f"{needed_models.NAMES[setting]}, server"
        at = endpoint.Address(setting.partition(".")[0], url, timeout=min(timeout, ANSWER))
        try:
            name = endpoint.check(at, configuration.get(config, setting))
        except StageError as error:
            yield Finding(check, "fail", str(error))
        else:
            yield Finding(check, "ok", f"{name} at {url}")


def _to_download(model: needed_models.NeededModel) -> Finding:
    says = f"{model.name} is not on this machine"
    try:
        size = show_bytes(model.size())
    except OSError as error:
        fix = "connect once and run `reel models`, or name a local model"
        return Finding(model.what, "fail", f"{says}, of unknown size ({error})", fix)
    return Finding(model.what, "fail", f"{says}: {size} to download, once", "reel models")


def asked(code: str, *arguments: str) -> Any:
    """What Python code prints last, as JSON, in a process of its own: an engine that is compiled
    for another processor ends it. Raises OSError."""
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", f"import json; {code}", *arguments],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
        check=False,
        env=os.environ | {"PYTHONPATH": path.rstrip(os.pathsep)},
    )
    if done.returncode < 0:
        raise OSError(f"it is ended by signal {-done.returncode}")
    if done.returncode:
        raise OSError((done.stderr.strip().splitlines() or ["no reason given"])[-1])
    return json.loads(done.stdout.strip().splitlines()[-1])


def _why_not(name: str, kinds: list[str], here: bool) -> tuple[str, str]:
    """Why an engine sees no GPU, and what to do. here: whether the machine has one."""
    if not here:
        says = "none in this machine (no /dev/nvidia0): the CPU is used"
        return says, "set hardware.device: auto, or run where there is one"
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return "CUDA_VISIBLE_DEVICES hides it", "unset CUDA_VISIBLE_DEVICES"
    if not kinds:
        fix = 'remove .venv, then `CMAKE_ARGS="-DGGML_CUDA=on" make setup`'
        return f"{name} was compiled for the CPU alone", fix
    return (
        f"{name} finds no driver, or not its CUDA libraries",
        "look at `nvidia-smi`; it needs CUDA 12 (and CTranslate2 cuDNN 9)",
    )
