"""`reel doctor`: whether the engines start and see a GPU, and whether their models are here."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reelmake.foundation.errors import StageError
from reelmake.foundation.units import show_bytes
from reelmake.jobs.gpus import uses_gpu
from reelmake.library.config import Config, get, repository
from reelmake.library.stages import STAGES, chosen
from reelmake.models import model_files, whisper
from reelmake.reel.finding import Finding, State

_SPEECH = "from reelmake.models import whisper; print(json.dumps([whisper.gpus() > 0, ['CUDA']]))"
_LLAMA = "from reelmake.models import llama; print(json.dumps(llama.gpus()))"


def gpus(config: Config) -> Iterator[Finding]:
    """Whether each engine starts, and sees the GPU."""
    device = config["hardware"]["device"]
    for name, code in (("CTranslate2", _SPEECH), ("llama.cpp", _LLAMA)):
        check = f"GPU, {name}"
        try:
            seen, kinds = _asked(code)
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
    """Whether each model is on this machine, or what a run would download."""
    stages = chosen(config["stages"])
    if "transcript" in stages:
        yield _speech(config["transcription"]["model"])
    settings = {setting for name in stages for setting in STAGES[name].models}
    for setting, check in (
        ("description.model", "vision model"),
        ("description.mmproj", "vision encoder"),
        ("text_model.model", "text model"),
    ):
        if setting in settings:
            yield _gguf(check, setting, get(config, setting), repository(config, setting))


def _speech(name: str) -> Finding:
    try:
        here = whisper.known(name)
        if here is not None:
            return Finding("speech model", "ok", f"{name}, {_size(Path(here))}")
        needed = ("config.json", "preprocessor_config.json", "model.bin", "tokenizer.json")
        return _download(
            "speech model",
            name,
            whisper.repository(name),
            lambda file: file in needed or file.startswith("vocabulary."),
        )
    except StageError as error:
        return Finding("speech model", "fail", str(error))


def _gguf(check: str, setting: str, name: str, repo_id: str | None) -> Finding:
    here = Path(name).expanduser() if repo_id is None else model_files.cached(repo_id, name)
    if here is None:
        return _download(check, name, repo_id, lambda file: file == name)
    try:
        model_files.require(here, setting)
    except StageError as error:
        return Finding(check, "fail", str(error))
    return Finding(check, "ok", f"{here.name}, {_size(here)}")


def _download(check: str, name: str, repo_id: str | None, wanted: Any) -> Finding:
    try:
        if repo_id is None:
            raise OSError("nobody knows its repository")
        size = model_files.size(repo_id, wanted)
    except OSError as error:
        says = f"{name} is not on this machine, of unknown size ({error})"
        return Finding(check, "fail", says, "connect once to download it, or name a local model")
    return Finding(check, "ok", f"{name}: the first run downloads {show_bytes(size)}, once")


def _asked(code: str) -> tuple[bool, list[str]]:
    """What the engine says in a process of its own: one that is compiled for another processor
    ends it. Raises OSError."""
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", f"import json; {code}"],
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
    seen, kinds = json.loads(done.stdout.strip().splitlines()[-1])
    return seen, kinds


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


def _size(path: Path) -> str:
    files = path.iterdir() if path.is_dir() else [path]
    return show_bytes(sum(file.stat().st_size for file in files if file.is_file()))
