"""Questions to a model in groups, whose answers are decoded together."""

import base64
import json
from collections.abc import Callable
from typing import Any

from reelmake.models import picture_prompts, text_prompts, together
from reelmake.models.broken_off import Asked
from reelmake.models.one_by_one import Said

Written = Callable[[Any, dict[str, Any] | None], tuple[list[int], Any]]


class Groups:
    """engine: the module llama_cpp. llama: a loaded model. at_once: questions in a group.
    context: tokens that a question and its answer may have. written: see `OneByOne.written`.
    handler: llama-cpp-python's `MTMDChatHandler`, for pictures. render: writes a message's
    parts down as the handler does. on_gpu: whether layers of the model lie on a GPU.
    """

    def __init__(
        self,
        engine: Any,
        llama: Any,
        at_once: int,
        context: int,
        written: Written,
        handler: Any,
        render: Callable[[Any], str],
        on_gpu: bool,
    ):
        self._engine, self._llama, self._context = engine, llama, context
        self._written, self._handler, self._render = written, handler, render
        self._decoder = together.Decoder(engine, llama, on_gpu)
        self._openings = text_prompts.Openings(engine, lambda text: written(text, None)[0])
        self.at_once = at_once

    def close(self) -> None:
        """Free what the decoder holds; call it before the model is closed."""
        self._decoder.close()

    def say(self, asked: list[Asked]) -> list[Said | ValueError]:
        """What the model says to each message; ValueError where it can't take one.

        Where memory is short, half as many are asked at once from then on. Raises MemoryError
        where it is too little for one.
        """
        said: list[Said | ValueError] = []
        while len(said) < len(asked):
            some = asked[len(said) : len(said) + self.at_once]
            try:
                said += self._say(some)
            except MemoryError:
                if self.at_once == 1:
                    raise
                self._decoder.close()
                self.at_once = (self.at_once + 1) // 2
                print(f"too little memory: now {self.at_once} answers at once", flush=True)
        return said

    def _say(self, asked: list[Asked]) -> list[Said | ValueError]:
        said: dict[int, Said | ValueError] = {}
        group: dict[int, together.Question] = {}
        for number, each in enumerate(asked):
            try:
                group[number] = self._question(each)
            except ValueError as error:
                said[number] = error
        if group:
            answers = self._decoder.answers(list(group.values()))
            said |= dict(zip(group, answers, strict=True))
        return [said[number] for number in range(len(asked))]

    def _question(self, asked: Asked) -> together.Question:
        prompt, grammar = self._prompt(asked)
        room = min(asked.room, self._context - prompt.tokens)
        if room < 1:
            raise ValueError(
                f"Requested tokens ({prompt.tokens}) exceed context window of {self._context}"
            )
        return together.Question(prompt, grammar, room)

    def _prompt(self, asked: Asked) -> tuple[together.Prompt, Any]:
        if self._handler is None:
            tokens, grammar = self._written(asked.content, asked.schema)
            opening = self._openings.of(asked.opening)
            return text_prompts.TextPrompt(self._engine, tokens, opening), grammar
        self._handler._init_mtmd_context(self._llama)
        pictures, shown = [], []
        for part in asked.content:
            if part["type"] == "image_url":
                pictures.append(base64.b64decode(part["image_url"]["url"].partition(",")[2]))
                part = {"type": "text", "text": picture_prompts.marker(self._handler)}
            shown.append(part)
        grammar = self._engine.LlamaGrammar.from_json_schema(
            json.dumps(asked.schema), verbose=False
        )
        text = self._render(shown)
        return picture_prompts.PicturePrompt(self._handler, text, pictures), grammar
