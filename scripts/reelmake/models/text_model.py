"""Questions about segments to a language model."""

from pathlib import Path
from typing import Any

from reelmake.editing.prompts import Question
from reelmake.foundation.errors import StageError
from reelmake.models import chat_templates, llama

_SLACK = 8
"""Tokens that the ends of a message may differ by when the template stands around them."""


class TextModel:
    """A language model, loaded.

    path: a GGUF file. settings: the config section `text_model`. gpu_layers: as llama.cpp
    counts them, 0 for none. Use it as a context manager: it frees the memory.
    Raises StageError where the file is not a model that can chat.
    """

    def __init__(self, path: Path, settings: dict[str, Any], gpu_layers: int = 0, threads: int = 4):
        self._model = llama.Model(path, "text_model.model", settings, gpu_layers, threads)
        self._too_long = (
            f"text_model.context ({settings['context']} tokens) has no room for the prompt and "
            f"an answer of text_model.max_tokens ({settings['max_tokens']}); make it larger"
        )
        if not self._model.has_template:
            raise StageError(
                f"{path} has no chat template: it is no model that follows instructions; "
                "choose one (text_model.model)",
                kind="engine",
            )
        fault = chat_templates.fault(self._model.render, chat_templates.PROBE)
        if fault:
            raise StageError(
                f"{path} cannot be asked: {fault}; choose another model (text_model.model)",
                kind="engine",
            )
        try:
            around = self._model.chat_tokens()
        except ValueError as error:
            raise StageError(
                f"{path} cannot be asked: {error}; choose another model (text_model.model)",
                kind="engine",
            ) from error
        self._room = settings["context"] - settings["max_tokens"] - around - _SLACK

    def __enter__(self) -> "TextModel":
        return self

    def __exit__(self, *_: object) -> None:
        self._model.close()

    def ask(self, question: Question, schema: dict[str, Any]) -> dict[str, Any]:
        """The answer about one segment, which is shortened where it is too long for the context.

        schema: of the answer. Raises ValueError for a question that the model fails on, and
        StageError for what would fail every question.
        """
        if self._model.has_control_token("\n".join(question.sentences + question.scenes)):
            raise ValueError("one of the model's control tokens stands in the data")
        try:
            message = question.fitting(lambda text: self._model.tokens(text) < self._room)
        except ValueError as error:
            raise StageError(self._too_long, kind="engine") from error
        return self._model.chat(message, schema)
