"""Questions about what is said and seen to a language model."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reelmake.editing.prompts import Asking, TooLong
from reelmake.foundation.errors import StageError
from reelmake.models import chat_templates, kept, llama

SETTINGS = ("context", "max_tokens", "seed", "thinking")
"""Those of the config section `text_model` that a model is loaded with."""
_SLACK = 8
"""Tokens that the ends of a message may differ by when the template stands around them."""


def loaded(
    path: Path, settings: dict[str, Any], gpu_layers: int, threads: int, at_once: int
) -> contextlib.AbstractContextManager["TextModel"]:
    """The model for the block, which a process that does several jobs loads once: as `TextModel`
    has it."""
    needed = {name: settings[name] for name in SETTINGS if name in settings}
    key = ("text", tuple(needed.items()), gpu_layers, threads, at_once)
    return kept.model(
        key,
        [path],
        lambda: TextModel(path, needed, gpu_layers, threads, at_once),
        close=TextModel.close,
        is_as_loaded=lambda model: model.at_once == at_once,
    )


class TextModel:
    """A language model, loaded.

    path: a GGUF file. settings: the config section `text_model`. gpu_layers: as llama.cpp
    counts them, 0 for none. at_once: how many answers are decoded together. Use it as a context
    manager: it frees the memory.
    Raises StageError where the file is not a model that can chat.
    """

    def __init__(
        self,
        path: Path,
        settings: dict[str, Any],
        gpu_layers: int = 0,
        threads: int = 4,
        at_once: int = 1,
    ):
        self._model = llama.Model(
            path, "text_model.model", settings, gpu_layers, threads, at_once=at_once
        )
        self._too_long = (
            f"text_model.context ({settings['context']} tokens) has no room for the prompt and "
            f"an answer of text_model.max_tokens ({settings['max_tokens']}); make it larger"
        )
        if not self._model.template.text:
            raise StageError(
                f"{path} has no chat template: it is no model that follows instructions; "
                "choose one (text_model.model)",
                kind="engine",
            )
        fault = chat_templates.fault(self._model.template.render, chat_templates.PROBE)
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
        self.close()

    def close(self) -> None:
        """Free the memory."""
        self._model.close()

    @property
    def at_once(self) -> int:
        """How many answers are decoded together; fewer, once memory has been short."""
        return self._model.at_once

    def answers(
        self, questions: Sequence[Asking], schema: dict[str, Any], whole: bool = False
    ) -> list[dict[str, Any] | ValueError]:
        """The answer to each question, which is shortened where it is too long for the context;
        a ValueError where the model fails on one.

        schema: of an answer. whole: one whose text runs on is none. Raises StageError for what
        would fail every question, and MemoryError.
        """
        found: dict[int, dict[str, Any] | ValueError] = {}
        messages: dict[int, str] = {}
        for number, question in enumerate(questions):
            if self._model.has_control_token("\n".join(question.data)):
                found[number] = ValueError("one of the model's control tokens stands in the data")
                continue
            try:
                messages[number] = question.fitting(
                    lambda text: self._model.tokens(text) < self._room
                )
            except TooLong as error:
                found[number] = error
            except ValueError as error:
                raise StageError(self._too_long, kind="engine") from error
        # By all questions, those that can't be asked, too: what the others share stays the same.
        openings = {question.opening() for question in questions}
        opening = openings.pop() if len(openings) == 1 else ""
        answers = self._model.answers(list(messages.values()), schema, opening, whole)
        found |= dict(zip(messages, answers, strict=True))
        return [found[number] for number in range(len(questions))]
