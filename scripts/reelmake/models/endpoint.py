"""A server that has a model and speaks as OpenAI's does: the only module that imports openai."""

import asyncio
import json
import os
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, NoReturn, Self, TypeVar

from reelmake.foundation.artifact_files import is_valid
from reelmake.foundation.errors import Kind, StageError
from reelmake.models import broken_off
from reelmake.models.broken_off import Asked

KEY = "OPENAI_API_KEY"
"""The environment variable that holds the key, if the server wants one."""
RETRIES = 2
"""How often one request is tried again, after half a second and more. What lasts longer, the job
itself tries again."""
CONNECT = 10.0
"""Seconds that a server has to take a connection."""
IN_A_ROW = 3
"""Requests that a server refuses one after the other: then it is not the questions."""
TOKEN = 3
"""Bytes of text that are taken for a token; real ones are rather longer."""
SHOWN = 300
"""Characters of what a server says that are shown."""

_SCHEMA, _OBJECT, _PLAIN = "json_schema", "json_object with a schema", "json_object"
_CHAT = {
    "type": "object",
    "required": ["choices"],
    "properties": {
        "choices": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["message"],
                "properties": {
                    "finish_reason": {"type": ["string", "null"]},
                    "message": {
                        "type": "object",
                        "required": ["content"],
                        "properties": {"content": {"type": ["string", "null"]}},
                    },
                },
            },
        }
    },
}
_MODELS = {
    "type": "object",
    "required": ["data"],
    "properties": {
        "data": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id"],
                "properties": {"id": {"type": "string"}},
            },
        }
    },
}
_LENGTH = re.compile(r"context.?(length|size|window)|n_ctx|too (long|many tokens)", re.I)
_NO_PICTURES = re.compile(
    r"support.*(image|vision)|(image|vision).*support|multimodal|mmproj|missing data.*image", re.I
)

Result = TypeVar("Result")


@dataclass(frozen=True)
class Address:
    """Where a server is, and how it is asked.

    section: the config section that names it (`description`). url: its base, which ends in /v1
    mostly. at_once: requests in work at a time. timeout: seconds that it has for each.
    """

    section: str
    url: str
    at_once: int = 4
    timeout: float = 600.0

    def __str__(self) -> str:
        return f"the server at {self.url}"


class Refused(ValueError):
    """A request that the server did not answer, which may be the request's own fault.

    status: of HTTP; 200 where it answered with something else than it should.
    """

    def __init__(self, status: int, said: str):
        super().__init__(said if status == 200 else f"the server refuses it ({status}: {said})")
        self.status, self.said = status, said

    @property
    def is_for_length(self) -> bool:
        """Whether it has no room for the question."""
        return bool(_LENGTH.search(self.said))

    @property
    def is_for_pictures(self) -> bool:
        """Whether the model takes no pictures at all."""
        return bool(_NO_PICTURES.search(self.said))


class Endpoint:
    """A server, connected.

    name: the model's, as the config has it. Use it as a context manager: it ends what is still in
    work. Raises StageError, of kind `transient` where the server is not there or overloaded.

    model: the model's name as the server lists it.
    """

    def __init__(self, at: Address, name: str):
        import openai

        self._at, self._failed, self._form = at, 0, ""
        self._loop = asyncio.new_event_loop()
        self._slots, self._first = asyncio.Semaphore(at.at_once), asyncio.Lock()
        self._key = os.environ.get(KEY, "")
        try:
            self._client = openai.AsyncOpenAI(
                base_url=at.url,
                api_key=self._key or "none",  # it must be something; local servers look at none
                max_retries=RETRIES,
                timeout=openai.Timeout(at.timeout, connect=min(CONNECT, at.timeout)),
            )
        except Exception as error:
            self._loop.close()
            self._fail(f"can't be one ({error}); check {at.section}.endpoint", "engine", error)
        try:
            self.model = self.finish(self.begin(self._identified(name)))
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> "Endpoint":
        return self

    def __exit__(self, *_: object) -> None:
        async def end() -> None:
            rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)
            await self._client.close()

        self._loop.run_until_complete(end())
        self._loop.close()

    def begin(self, work: Coroutine[Any, Any, Result]) -> "asyncio.Task[Result]":
        """Begin with something; it goes on while any of what was begun is waited for."""
        task = self._loop.create_task(work)
        # Else it is logged where one before it ended the job.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    def finish(self, task: "asyncio.Task[Result]") -> Result:
        """Wait for what was begun. Raises what it raises."""
        return self._loop.run_until_complete(task)

    async def chat(self, asked: Asked, seed: int, thinking: bool = True) -> dict[str, Any]:
        """The JSON that answers a message, which satisfies the schema.

        thinking: whether a model that can think may. Raises StageError for what would fail
        every message, and ValueError where there is no whole answer: Refused where the server
        takes the message not at all.
        """
        text, ended = await self._say(asked, seed, thinking)
        try:
            if ended:
                answer = json.loads(text)
            else:
                answer, rest = broken_off.take_up(asked, text, tokens)
                if rest:
                    answer |= await self.chat(rest, seed, thinking)
        except (RecursionError, TypeError) as error:
            raise ValueError("it is no JSON that anybody asked for") from error
        if not is_valid(answer, asked.schema):
            raise ValueError("it is not what was asked for")
        return dict(answer)

    async def hear(
        self, wav: Callable[[], bytes], options: dict[str, Any], schema: dict[str, Any]
    ) -> Any:
        """What a server that transcribes says of a WAV file, as `verbose_json`.

        wav: makes it, when it is its turn. options: of the request, as openai's client has them.
        schema: of what it has to say. Raises StageError, and Refused.
        """
        return await self._request(
            lambda: self._client.audio.transcriptions.with_raw_response.create(
                file=("piece.wav", wav(), "audio/wav"),
                model=self.model,
                response_format="verbose_json",
                **options,
            ),
            schema,
            counts=False,  # one that is refused ends the stage
        )

    async def _say(self, asked: Asked, seed: int, thinking: bool) -> tuple[str, bool]:
        """What the model says, and whether it came to an end."""
        async with self._first:
            if not self._form:  # the others wait until it is known what the server takes
                found = await self._settled(asked, seed, thinking)
            else:
                found = None
        if found is None:
            found = await self._complete(self._form, asked, seed, thinking)
        choice = found["choices"][0]
        if choice["message"]["content"] is None:
            raise ValueError("the model says nothing")
        return choice["message"]["content"], choice.get("finish_reason") != "length"

    async def _settled(self, asked: Asked, seed: int, thinking: bool) -> Any:
        """The answer to a message, in the first form of request that the server takes; the ones
        after it have the same form."""
        refusals: list[Refused] = []
        for form in (_SCHEMA, _OBJECT, _PLAIN):
            try:
                found = await self._complete(form, asked, seed, thinking)
            except Refused as error:
                if error.is_for_length:
                    raise
                refusals.append(error)
                continue
            if refusals:
                print(f"{self._at} takes no {_SCHEMA} ({refusals[0].said}): {form}", flush=True)
            self._form = form
            return found
        self._count(refusals[-1])
        raise refusals[-1]

    async def _complete(self, form: str, asked: Asked, seed: int, thinking: bool) -> Any:
        if form == _SCHEMA:
            named = {"name": "answer", "schema": asked.schema, "strict": True}
            wanted: dict[str, Any] = {"type": "json_schema", "json_schema": named}
        else:  # the schema as the llama.cpp family knows it
            wanted = {"type": "json_object"} | ({"schema": asked.schema} if form == _OBJECT else {})
        # What not all servers know; those that mind get the plain form.
        more: dict[str, Any] = {} if form == _PLAIN else {"repeat_penalty": 1.0}
        if form != _PLAIN and not thinking:
            more["chat_template_kwargs"] = {"enable_thinking": False}
        return await self._request(
            lambda: self._client.chat.completions.with_raw_response.create(
                model=self.model,
                messages=[{"role": "user", "content": asked.content}],
                temperature=0.0,
                seed=seed,
                max_tokens=asked.room,
                response_format=wanted,
                extra_body=more,
            ),
            _CHAT,
            counts=bool(self._form),
        )

    async def _identified(self, name: str) -> str:
        """The name of a model as the server lists it. Raises StageError where it has none such.

        llama.cpp's servers list a file with its folder, Ollama a name with its tag.
        """
        try:
            listed = await self._request(self._client.models.with_raw_response.list, _MODELS)
        except Refused as error:
            print(f"{self._at} does not say which models it has ({error.said})", flush=True)
            return name
        ids: list[str] = [each["id"] for each in listed["data"]]
        found = [each for each in ids if each == name] or [
            each for each in ids if PurePosixPath(each).name == name or each == f"{name}:latest"
        ]
        if len(found) != 1:
            has = ", ".join(ids[:8]) + (", …" if ids[8:] else "") if ids else "none"
            self._fail(
                f"has no model {name}; it has {has}: name one of them in {self._at.section}.model",
                "engine",
            )
        return found[0]

    async def _request(
        self,
        send: Callable[[], Awaitable[Any]],
        schema: dict[str, Any],
        counts: bool = True,
    ) -> Any:
        """The JSON that the server answers with, which satisfies the schema.

        counts: whether a refusal is one of those IN_A_ROW.
        """
        async with self._slots:
            try:
                found = await self._sent(send)
                if not is_valid(found, schema):
                    raise Refused(200, f"it answers with something else: {_short(str(found))}")
            except Refused as error:
                if counts and not error.is_for_length:
                    self._count(error)
                raise
            self._failed = 0
            return found

    def _count(self, error: Refused) -> None:
        """Raise a StageError where it is the last of IN_A_ROW."""
        self._failed += 1
        if self._failed >= IN_A_ROW:
            self._fail(
                f"fails on one request after the other ({error.status}: {error.said}); "
                f"look at what it logs, and check {self._at.section}.endpoint and model",
                "transient" if error.status >= 500 else "engine",
                error,
            )

    async def _sent(self, send: Callable[[], Awaitable[Any]]) -> Any:
        import openai

        section = self._at.section
        try:
            # Over all tries: a server that is slow gets no more of the same.
            async with asyncio.timeout(self._at.timeout):
                response = await send()
            return json.loads(response.text)
        except TimeoutError as error:
            self._fail(
                f"gives no answer within {self._at.timeout:g} s; hardware.request_timeout gives it "
                "longer, a smaller hardware.requests_at_once less to do at a time",
                "transient",
                error,
            )
        except openai.APIConnectionError as error:
            cause = error.__cause__ or error
            self._fail(
                f"can't be reached ({_short(str(cause)) or type(cause).__name__}); start it, or "
                f"check {section}.endpoint",
                "transient",
                error,
            )
        except openai.APIStatusError as error:
            self._raise_refusal(error, error.status_code, self._without_key(error.message))
        except (ValueError, RecursionError) as error:
            raise Refused(200, "it answers with something else than JSON") from error

    def _raise_refusal(self, error: Exception, status: int, said: str) -> NoReturn:
        """Raise a Refused for what may be the request's fault, and else a StageError."""
        section, told = self._at.section, f"({status}: {said})"
        if status in (401, 403):
            self._fail(
                f"wants another key {told}; set it in the environment variable {KEY}",
                "engine",
                error,
            )
        if status == 404:
            self._fail(
                f"has no such page or model {told}; check {section}.endpoint, which ends in /v1 "
                f"mostly, and {section}.model",
                "engine",
                error,
            )
        if status in (429, 502, 503, 504):
            self._fail(
                f"is overloaded or not ready {told}; run again later, or with a smaller "
                "hardware.requests_at_once",
                "transient",
                error,
            )
        raise Refused(status, said) from error

    def _without_key(self, said: str) -> str:
        """What a server says, on one line, without the key, which some repeat."""
        said = said.replace(self._key, "…") if self._key else said
        return _short(said.partition(" - ")[2] if said.startswith("Error code: ") else said)

    def _fail(self, why: str, kind: Kind, cause: Exception | None = None) -> NoReturn:
        raise StageError(f"{self._at} {why}", kind=kind) from cause


class Served:
    """A model of a server, connected. Use it as a context manager.

    name: the model's. settings: its config section. model: its name as the server lists it.
    Raises StageError.
    """

    def __init__(self, at: Address, name: str, settings: Mapping[str, Any]):
        self._at, self._settings = at, settings
        self._server = Endpoint(at, name)
        self.model = self._server.model

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()


def tokens(text: str) -> int:
    """About how many tokens a text is: only the server knows."""
    return len(text.encode(errors="replace")) // TOKEN


def check(at: Address, name: str) -> str:
    """Ask a server whether it has a model; its name as the server lists it. Raises StageError."""
    with Endpoint(at, name) as server:
        return server.model


def _short(said: str) -> str:
    line = " ".join(said.split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"
