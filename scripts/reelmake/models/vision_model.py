"""Pictures to text with a vision-language model."""

import base64
import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reelmake.foundation.errors import StageError
from reelmake.library.scene_descriptions import ANSWER_SCHEMA, FIELDS
from reelmake.models import chat_templates, kept, llama, model_files


def loaded(
    model: Path,
    mmproj: Path,
    settings: dict[str, Any],
    gpu_layers: int,
    threads: int,
    at_once: int,
) -> contextlib.AbstractContextManager["VisionModel"]:
    """The model for the block, which a process that does several jobs loads once: as
    `VisionModel` has it."""
    key = ("vision", json.dumps(settings, sort_keys=True), gpu_layers, threads, at_once)
    return kept.model(
        key,
        [model, mmproj],
        lambda: VisionModel(model, mmproj, settings, gpu_layers, threads, at_once),
        close=VisionModel.close,
        is_as_loaded=lambda loaded: loaded.at_once == at_once,
    )


class VisionModel:
    """A vision-language model, loaded.

    model, mmproj: GGUF files. settings: the config section `description`. gpu_layers: as
    llama.cpp counts them, 0 for none. at_once: how many answers are decoded together. Use it as a
    context manager: it frees the memory.
    Raises StageError where the two files are not a model that can see.
    """

    def __init__(
        self,
        model: Path,
        mmproj: Path,
        settings: dict[str, Any],
        gpu_layers: int = 0,
        threads: int = 4,
        at_once: int = 1,
    ):
        self._prompt = settings["prompt"]
        for setting, path in (("model", model), ("mmproj", mmproj)):
            model_files.require(path, f"description.{setting}")
        self._handler = llama.picture_handler(settings["handler"], mmproj, gpu_layers != 0)
        self._mismatch = (
            f"{mmproj} is not the vision encoder of {model}, or damaged; "
            "take both from the same model's page (description.model, description.mmproj)"
        )
        self._too_long = (
            f"description.context ({settings['context']} tokens) has no room for a picture of this "
            "film, the prompt{needed} and an answer; make it larger, or keyframes.max_resolution "
            "smaller"
        )
        self._model = llama.Model(
            model, "description.model", settings, gpu_layers, threads, self._handler, at_once
        )
        if settings["handler"] == "auto":
            self._require_template(model)

    def __enter__(self) -> "VisionModel":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the memory."""
        self._model.close()

    @property
    def at_once(self) -> int:
        """How many answers are decoded together; fewer, once memory has been short."""
        return self._model.at_once

    def describe(
        self, pictures: Sequence[bytes], prompts: Sequence[str] | None = None
    ) -> list[dict[str, str] | ValueError]:
        """The answer about each picture (the bytes of a JPEG or PNG file).

        prompts: what is asked about each; None: the setting `description.prompt`.
        Greedy decoding, so the same pictures get the same answers. A ValueError for a frame that
        the model fails on (no whole answer, a picture that can't be decoded). Raises StageError
        for what would fail every frame, and MemoryError.
        """
        prompts = prompts or [self._prompt] * len(pictures)
        messages = [self._message(*each) for each in zip(pictures, prompts, strict=True)]
        answers = self._model.answers(messages, ANSWER_SCHEMA)
        found: list[dict[str, str] | ValueError] = []
        for answer in answers:
            if isinstance(answer, ValueError):
                self._raise_if_for_all(answer)
                found.append(answer)
            else:
                found.append({field: str(answer[field]) for field in FIELDS})
        return found

    def _message(self, picture: bytes, prompt: str) -> list[dict[str, Any]]:
        url = "data:image/jpeg;base64," + base64.b64encode(picture).decode()
        return [
            {"type": "image_url", "image_url": {"url": url}},
            {"type": "text", "text": prompt},
        ]

    def _raise_if_for_all(self, error: ValueError) -> None:
        """Raise StageError where an error is one of every frame."""
        if self._handler.mtmd_ctx is None:  # loaded with the first picture
            raise StageError(self._mismatch, kind="engine") from error
        needed = llama.tokens_needed(error)
        if needed is not None:
            # All pictures of a film are of one size: none fits.
            told = f" ({needed} tokens)" if needed else ""
            raise StageError(self._too_long.format(needed=told), kind="engine") from error

    def _require_template(self, model: Path) -> None:
        """Raise StageError where the file's own chat template can't show the model a picture."""
        if not self._model.template.text:
            fault = "it has no chat template"
        else:
            fault = chat_templates.fault(self._model.template.render, chat_templates.PARTS) or ""
        if fault:
            named = chat_templates.handler(f"{model.name} {self._model.name}")
            others = ", ".join(name for name in llama.HANDLERS if name != "auto")
            choice = f"'{named}', probably" if named else f"one of {others}"
            raise StageError(
                f"{model} cannot be shown a picture: {fault}; "
                f"set description.handler to the one of its kind: {choice}",
                kind="engine",
            )
