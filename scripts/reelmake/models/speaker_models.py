"""The two ONNX models that tell who speaks: where they are, and whether sherpa-onnx can read them.

sherpa-onnx ends the process where a model's file lacks what it wants to know, and writes where it
must not where a model contradicts its file. So both are looked at before it gets them.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reelmake.foundation.errors import StageError
from reelmake.library import config
from reelmake.models import model_files
from reelmake.models.onnx_session import OnnxModel

SEGMENTATION, EMBEDDING = "speakers.segmentation_model", "speakers.embedding_model"
"""The settings that name them."""
RATE = 16_000
WEIGHTS = "model.onnx"
"""The file of a folder, or of a repository, that names none."""
_FRAMEWORKS = {"wespeaker": ("", "global-mean"), "3d-speaker": ("", "global-mean"), "nemo": None}
"""Those whose models sherpa-onnx can read, and the kinds of normalized features that it knows."""
_COUNTS = (
    *("sample_rate", "window_size", "receptive_field_size", "receptive_field_shift"),
    *("num_speakers", "powerset_max_classes", "num_classes"),
)
_SHIFT = np.float32(0.1)
"""Of a window, to the next one: as sherpa-onnx has it."""


@dataclass(frozen=True)
class Windows:
    """The windows in which a segmentation model hears. size, shift: samples."""

    size: int
    shift: int


def file(model: str, setting: str) -> Path:
    """The file of a model on this machine. Nothing is downloaded.

    model: a file, a folder with `model.onnx`, or a file on the hub, as `owner/name/file.onnx`.
    setting: that names it. Raises StageError that says what to do.
    """
    here = known(model, setting)
    if here is None:
        raise StageError(
            f"the model {model} is not on this machine: `reel models` downloads it, once; or copy "
            f"its ONNX file here and name that in {setting}",
            kind="engine",
        )
    return here


def known(model: str, setting: str) -> Path | None:
    """The file of a model on this machine; None where it is one of the hub that was not
    downloaded. Raises StageError for what is neither."""
    path = config.expand(model)
    if path.is_file():
        return path
    if path.is_dir() and (path / WEIGHTS).is_file():
        return path / WEIGHTS
    on_hub = hub_file(model)
    if on_hub is None or path.exists():
        raise StageError(
            f"{path} is no ONNX file, and no folder with {WEIGHTS}; check {setting}", kind="engine"
        )
    return model_files.cached(*on_hub)


def hub_file(model: str) -> tuple[str, str] | None:
    """The repository on the hub and the file in it that a name stands for; None: it is a path."""
    parts = model.split("/")
    if len(parts) < 2 or not all(parts) or {"~", ".", ".."} & {*parts} or "\\" in model:
        return None
    if len(parts) > 2 and not model.endswith(".onnx"):
        return None
    return "/".join(parts[:2]), "/".join(parts[2:]) or WEIGHTS


def require_segmentation(path: Path) -> Windows:
    """Raise StageError for a file that is no segmentation model of pyannote's kind; the windows
    in which one that is hears. Raises MemoryError."""
    model = OnnxModel(path, SEGMENTATION, threads=1)
    said = {name: _count(model, name) for name in _COUNTS}
    speakers, most = said["num_speakers"], said["powerset_max_classes"]
    classes = sum(math.comb(speakers, together) for together in range(min(most, 2) + 1))
    size, step = said["window_size"], said["receptive_field_shift"]
    fits = said["sample_rate"] == RATE and RATE <= size <= 60 * RATE and step < size
    if not fits or most > 2 or classes != said["num_classes"]:
        raise _unlike(path, SEGMENTATION, f"it hears otherwise: {said}")
    if len(model.inputs) != 1:
        raise _unlike(path, SEGMENTATION, f"it has {len(model.inputs)} inputs")
    (name,) = model.inputs
    shape = model.run({name: np.zeros((1, 1, size), np.float32)}).shape
    if len(shape) != 3 or shape[2] != classes or not 0 < shape[1] <= size // step:
        raise _unlike(path, SEGMENTATION, f"it says {shape} of a window, for {classes} classes")
    return Windows(size, int(float(_SHIFT) * size))


def require_embedding(path: Path) -> None:
    """Raise StageError for a file that is no model of voice prints. Raises MemoryError."""
    model = OnnxModel(path, EMBEDDING, threads=1)
    framework = model.metadata.get("framework", "")
    if framework not in _FRAMEWORKS:
        raise _unlike(path, EMBEDDING, "its file names none of " + ", ".join(_FRAMEWORKS))
    is_nemo = framework == "nemo"
    dims, rate = _count(model, "output_dim"), _count(model, "sample_rate")
    normalized = model.metadata.get("feature_normalize_type", "")
    if normalized not in (_FRAMEWORKS[framework] or ("", "per_feature")) or rate != RATE:
        raise _unlike(path, EMBEDDING, f"it wants {normalized} features of {rate} Hz")
    for needed in ("language", *(() if is_nemo else ("normalize_samples",))):
        if not model.metadata.get(needed):
            raise _unlike(path, EMBEDDING, f"its file does not say '{needed}'")
    names = list(model.inputs)
    if len(names) != (2 if is_nemo else 1) or len(model.outputs) < (2 if is_nemo else 1):
        raise _unlike(path, EMBEDDING, f"it has {len(names)} inputs")
    if is_nemo:
        _count(model, "window_size_ms"), _count(model, "window_stride_ms")
        sound = np.zeros((1, _count(model, "feat_dim"), 192), np.float32)
        shape = model.run({names[0]: sound, names[1]: np.array([192])}, output=1).shape
    else:
        shape = model.run({names[0]: np.zeros((1, 200, 80), np.float32)}).shape
    if shape != (1, dims):
        raise _unlike(path, EMBEDDING, f"it gives {shape}, not a vector of {dims}")


def _count(model: OnnxModel, name: str) -> int:
    """A whole number above 0 in the metadata."""
    try:
        found = int(model.metadata[name])
    except (KeyError, ValueError):
        raise _unlike(model.path, model.setting, f"its file does not say '{name}'") from None
    if not 0 < found < 1 << 31:
        raise _unlike(model.path, model.setting, f"its file says '{name}' {found}")
    return found


def _unlike(path: Path, setting: str, why: str) -> StageError:
    if setting == SEGMENTATION:
        return StageError(
            f"{path} is no segmentation model that sherpa-onnx can read: {why}; check {setting}: "
            "pyannote's segmentation 3.0 as an ONNX file",
            kind="engine",
        )
    return StageError(
        f"{path} is no model of voice prints that sherpa-onnx can read: {why}; check {setting}: "
        "a WeSpeaker, 3D-Speaker or NeMo model with sherpa-onnx's metadata",
        kind="engine",
    )
