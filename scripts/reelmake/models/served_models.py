"""A text model and a vision model that a server has: several questions are asked at a time, and
each answer is had by itself."""

import asyncio
import base64
from typing import Any

from reelmake.editing.prompts import Asking, TooLong
from reelmake.foundation.errors import StageError
from reelmake.library.scene_descriptions import ANSWER_SCHEMA
from reelmake.models.broken_off import Asked
from reelmake.models.endpoint import TOKEN, Refused, Served

SHORTER = 1 / 2
"""How much of a question is left where the server has no room for it."""
TRIES = 6
"""How often it is made shorter."""


class _Answering(Served):
    """A model that answers, one question or picture by itself."""

    def finish(self, task: "asyncio.Task[dict[str, Any]]") -> dict[str, Any] | ValueError:
        """Wait for an answer that was begun; a ValueError where there is none. Raises
        StageError."""
        try:
            return self._server.finish(task)
        except ValueError as error:
            return error

    async def _answer(
        self, content: Any, schema: dict[str, Any], whole: bool = False
    ) -> dict[str, Any]:
        asked = Asked(content, schema, self._settings["max_tokens"], whole=whole)
        thinking = self._settings.get("thinking", True)
        return await self._server.chat(asked, self._settings["seed"], thinking)


class ServedTextModel(_Answering):
    """settings: the config section `text_model`."""

    def begin(
        self, question: Asking, schema: dict[str, Any], whole: bool = False
    ) -> "asyncio.Task[dict[str, Any]]":
        """Begin to ask, in a question that is shortened where the server has no room for it;
        `finish` gives the answer. schema: of an answer. whole: one whose text runs on is none."""
        return self._server.begin(self._ask(question, schema, whole))

    async def _ask(self, question: Asking, schema: dict[str, Any], whole: bool) -> dict[str, Any]:
        # Tokens can't be counted from here: where the guess is wrong, the server says so.
        room = TOKEN * (self._settings["context"] - self._settings["max_tokens"])
        for _ in range(TRIES):
            message = _fitting(question, room)
            if message is None:
                break
            try:
                return await self._answer(message, schema, whole)
            except Refused as error:
                if not error.is_for_length:
                    raise
            room = int(_size(message) * SHORTER)
        raise StageError(
            f"{self._at} has no room for the prompt and an answer of text_model.max_tokens "
            f"({self._settings['max_tokens']}); start it with a larger context, or make "
            "text_model.context as large as it is",
            kind="engine",
        )


class ServedVisionModel(_Answering):
    """settings: the config section `description`."""

    def begin(self, picture: bytes, prompt: str | None = None) -> "asyncio.Task[dict[str, Any]]":
        """Begin to ask about a picture (the bytes of a JPEG file); `finish` gives the answer.

        prompt: what is asked; None: the setting `description.prompt`.
        """
        return self._server.begin(self._ask(picture, prompt or self._settings["prompt"]))

    async def _ask(self, picture: bytes, prompt: str) -> dict[str, Any]:
        url = "data:image/jpeg;base64," + base64.b64encode(picture).decode()
        content = [
            {"type": "image_url", "image_url": {"url": url}},
            {"type": "text", "text": prompt},
        ]
        try:
            return await self._answer(content, ANSWER_SCHEMA)
        except Refused as error:
            told = f"({error.status}: {error.said})"
            if error.is_for_length:  # all pictures of a film are of one size: none fits
                raise StageError(
                    f"{self._at} has no room for a picture of this film, the prompt and an answer "
                    f"{told}; start it with a larger context, or make keyframes.max_resolution "
                    "smaller",
                    kind="engine",
                ) from error
            if error.is_for_pictures:
                raise StageError(
                    f"{self._at} takes no pictures for {self.model} {told}; start it with a model "
                    "that sees (and with llama.cpp its mmproj), or name another in "
                    "description.model",
                    kind="engine",
                ) from error
            raise


def _fitting(question: Asking, room: int) -> str | None:
    """The message of at most so many bytes; None where not even the prompt fits. Raises TooLong."""
    try:
        return question.fitting(lambda text: _size(text) <= room)
    except TooLong:
        raise
    except ValueError:
        return None


def _size(text: str) -> int:
    return len(text.encode(errors="replace"))
