"""Texts and pictures as vectors, by ONNX models: what means the same lies close together.

The only module that imports tokenizers. A model is a folder, as exports for
fastembed, Optimum and sentence-transformers have it: `model.onnx` with `tokenizer.json` and
`tokenizer_config.json`, or with `preprocessor_config.json`. (fastembed itself needs a
huggingface_hub before 2.0.)
"""

import contextlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmake.foundation.errors import StageError
from reelmake.library import config
from reelmake.models import kept, model_files
from reelmake.models.onnx_session import OnnxModel, first_line
from reelmake.models.picture_pixels import Preprocessor

Vector = NDArray[np.float32]
"""Of unit length, so that the dot product of two is the cosine of their angle."""

WEIGHTS = ("model.onnx", "model_optimized.onnx", "onnx/model.onnx")
"""The first of these that a folder has."""
FILES = (
    *WEIGHTS,
    *("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"),
    *("preprocessor_config.json", "1_Pooling/config.json"),
)
"""What may be needed of a repository on the hub."""
BESIDE = {
    "embeddings.text_model": ("tokenizer.json", "tokenizer_config.json"),
    "embeddings.image_model": ("preprocessor_config.json",),
    "embeddings.image_text_model": ("tokenizer.json", "tokenizer_config.json"),
}
"""By the setting that names a model: what its folder has beside the weights."""
LONGEST = 512
"""Tokens of a text, where a model names no limit."""


def text_model(
    folder: Path, setting: str, threads: int
) -> contextlib.AbstractContextManager["TextModel"]:
    """The text model in a folder for the block, which a process that does several jobs loads once.

    setting: that names it. threads: of the CPU. Raises StageError where it can't be loaded.
    """
    return kept.model(
        ("embedding", setting, threads), [folder], lambda: TextModel(folder, setting, threads)
    )


def image_model(
    folder: Path, setting: str, threads: int
) -> contextlib.AbstractContextManager["ImageModel"]:
    """The same of an image model."""
    return kept.model(
        ("embedding", setting, threads), [folder], lambda: ImageModel(folder, setting, threads)
    )


class TextModel:
    """A model of texts, loaded; as `text_model` has it."""

    def __init__(self, folder: Path, setting: str, threads: int):
        self._model = _Model(folder, setting, threads)
        unknown = self._model.inputs - {"input_ids", "attention_mask", "token_type_ids"}
        if "input_ids" not in self._model.inputs or unknown:
            raise StageError(f"{folder} is no model of texts; check {setting}", kind="engine")
        self._tokenizer = _read(folder, setting, lambda: _tokenizer(folder))
        self._of_first = _read(folder, setting, lambda: _pools_first(folder))

    def embed(self, texts: Sequence[str], at_once: int = 32) -> list[Vector | None]:
        """The vector of each text; None for one in which the model knows no word.

        at_once: how many the model is given together. Raises StageError where the model fails, and
        MemoryError.
        """
        found: list[Vector | None] = []
        for start in range(0, len(texts), at_once):
            found += self._together(texts[start : start + at_once])
        return found

    def _together(self, texts: Sequence[str]) -> list[Vector | None]:
        # A half of a surrogate pair can't be encoded.
        whole = [text.encode(errors="replace").decode() for text in texts]
        encoded = self._tokenizer.encode_batch(whole)
        mask = np.array([each.attention_mask for each in encoded], np.int64)
        if not mask.any():
            return [None] * len(texts)
        ids = np.array([each.ids for each in encoded], np.int64)
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        states = self._model.run({name: given[name] for name in self._model.inputs})
        if states.ndim == 3:  # a vector for each token
            if self._of_first:
                states = states[:, 0]
            else:
                summed = (states * mask[:, :, None].astype(np.float32)).sum(axis=1)
                states = summed / np.maximum(mask.sum(axis=1, keepdims=True), 1).astype(np.float32)
        unit = self._model.units(states, len(texts))
        has_words = [any(each.attention_mask) for each in encoded]
        return [vector if has else None for vector, has in zip(unit, has_words, strict=True)]


class ImageModel:
    """A model of pictures, loaded; as `image_model` has it."""

    def __init__(self, folder: Path, setting: str, threads: int):
        self._model = _Model(folder, setting, threads)
        if len(self._model.inputs) != 1:
            raise StageError(f"{folder} is no model of pictures; check {setting}", kind="engine")
        self._preprocessor = _read(
            folder, setting, lambda: Preprocessor(_json(folder / "preprocessor_config.json"))
        )

    def embed(self, pictures: Sequence[bytes], at_once: int = 32) -> list[Vector | None]:
        """The vector of each picture (the bytes of a JPEG or PNG file); None for one that can't be
        decoded. at_once: as `TextModel.embed` has it. Raises StageError where the model fails, and
        MemoryError."""
        found: list[Vector | None] = []
        for start in range(0, len(pictures), at_once):
            found += self._together(pictures[start : start + at_once])
        return found

    def _together(self, pictures: Sequence[bytes]) -> list[Vector | None]:
        decoded = []
        for picture in pictures:
            try:
                decoded.append(self._preprocessor.pixels(picture))
            except ValueError:
                decoded.append(None)
        shown = [pixels for pixels in decoded if pixels is not None]
        if not shown:
            return [None] * len(pictures)
        if len({pixels.shape for pixels in shown}) > 1:  # resized to the shorter edge, not cropped
            return [vector for picture in pictures for vector in self._together([picture])]
        (name,) = self._model.inputs
        vectors = iter(self._model.units(self._model.run({name: np.stack(shown)}), len(shown)))
        return [None if pixels is None else next(vectors) for pixels in decoded]


class _Model:
    """The weights in a folder, loaded. inputs: their names."""

    def __init__(self, folder: Path, setting: str, threads: int):
        require(folder, setting)
        path = next(folder / name for name in WEIGHTS if (folder / name).is_file())
        self._path, self._setting = path, setting
        self._model = OnnxModel(path, setting, threads)
        self.inputs = set(self._model.inputs)

    def run(self, given: dict[str, Any]) -> NDArray[np.float32]:
        """Its first output."""
        return self._model.run(given)

    def units(self, vectors: NDArray[np.float32], count: int) -> list[Vector | None]:
        """The vectors at unit length; None for one that has none. Raises StageError where they are
        no vectors."""
        if vectors.ndim != 2 or len(vectors) != count or not np.isfinite(vectors).all():
            raise StageError(
                f"{self._path} gives no vectors (an output of the shape {vectors.shape}); check "
                f"{self._setting}",
                kind="engine",
            )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit = vectors / np.maximum(lengths, 1e-12)
        return [row if length > 1e-6 else None for row, length in zip(unit, lengths, strict=True)]


def folder(model: str, setting: str) -> Path:
    """The folder of a model on this machine. Nothing is downloaded.

    model: a folder, or a repository on the hub. setting: that names it. Raises StageError that says
    what to do.
    """
    here = known(model, setting)
    if here is None:
        raise StageError(
            f"the model {model} is not on this machine: `reel models` downloads it, once; or copy "
            f"its folder here and name that in {setting}; null does without",
            kind="engine",
        )
    return here


def known(model: str, setting: str) -> Path | None:
    """The folder of a model on this machine; None where it is one of the hub that was not
    downloaded. Raises StageError for what is neither."""
    path = config.expand(model)
    if path.is_dir():
        require(path, setting)
        return path
    if path.exists() or model.startswith((".", "/", "~")) or model.count("/") != 1:
        raise StageError(f"the model folder {path} does not exist; check {setting}", kind="engine")
    for name in WEIGHTS:
        found = model_files.cached(model, name)
        if found is not None:
            here = found.parents[name.count("/")]
            return here if not _lacking(here, setting) else None
    return None


def require(folder: Path, setting: str) -> None:
    """Raise StageError for a folder that has not the files of a model."""
    lacking = _lacking(folder, setting)
    if lacking:
        raise StageError(
            f"{folder} is no embedding model (it has no {lacking}); check {setting}", kind="engine"
        )


def _lacking(folder: Path, setting: str) -> str:
    """What a folder has not, and must have."""
    if not any((folder / name).is_file() for name in WEIGHTS):
        return WEIGHTS[0]
    return next((name for name in BESIDE[setting] if not (folder / name).is_file()), "")


def _read(folder: Path, setting: str, read: Callable[[], Any]) -> Any:
    """What `read` makes of a file in the folder; raises StageError where it is damaged."""
    try:
        return read()
    except Exception as error:  # tokenizers raises a bare Exception
        raise StageError(
            f"{folder} is no embedding model: {first_line(error)}; check {setting}", kind="engine"
        ) from error


def _tokenizer(folder: Path) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    given = _json(folder / "tokenizer_config.json")
    limits = [given.get("model_max_length"), given.get("max_length")]
    # Where it does not know, transformers writes 1e30.
    longest = min([limit for limit in limits if isinstance(limit, int) and limit > 0] + [LONGEST])
    tokenizer.enable_truncation(longest)
    padding = tokenizer.padding or {}
    token = padding.get("pad_token") or given.get("pad_token") or "[PAD]"
    token = token["content"] if isinstance(token, dict) else token
    number = padding.get("pad_id", tokenizer.token_to_id(token))
    tokenizer.enable_padding(pad_id=number or 0, pad_token=token)
    return tokenizer


def _pools_first(folder: Path) -> bool:
    """Whether the vector of a text is that of its first token; else it is the mean of all."""
    path = folder / "1_Pooling" / "config.json"
    return path.is_file() and bool(_json(path).get("pooling_mode_cls_token"))


def _json(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_bytes())
    if not isinstance(found, dict):
        raise ValueError(f"{path.name} is no JSON object")
    return found
