"""Questions to a model by llama-cpp-python's own way, one after the other."""

from typing import Any

from reelmake.models.broken_off import Asked

Said = tuple[str, bool]
"""What a model said, and whether it came to an end."""


class OneByOne:
    """llama: llama-cpp-python's `Llama`; seed: of its choices, which are none."""

    def __init__(self, llama: Any, seed: int):
        self._llama, self._seed = llama, seed

    def close(self) -> None:
        """Nothing but the model is held."""

    def say(self, asked: list[Asked]) -> list[Said | ValueError]:
        """What the model says to each message; ValueError where it can't take one."""
        return [self._say(each) for each in asked]

    def _say(self, asked: Asked) -> Said | ValueError:
        try:
            answer = self._complete(asked.content, asked.room, asked.schema)
        except ValueError as error:
            return error
        choice = answer["choices"][0]
        return choice["message"]["content"], choice["finish_reason"] != "length"

    def written(self, content: Any, schema: dict[str, Any] | None = None) -> tuple[list[int], Any]:
        """The tokens of a message, and the grammar of an answer in JSON; nothing is asked.

        Raises what a chat template does.
        """

        def complete(**given: Any) -> Any:
            raise _Written(given["prompt"], given["grammar"])

        self._llama.create_completion = complete
        try:
            self._complete(content, 1, schema)
        except _Written as found:
            tokens, grammar = found.args
            return tokens, grammar
        finally:
            del self._llama.create_completion
        raise AssertionError("the chat handler completes nothing")

    def _complete(self, content: Any, room: int, schema: dict[str, Any] | None) -> Any:
        # Otherwise the state of what this message and the last begin with is kept. It came of
        # batches of other sizes, for which a backend may have other kernels: the last bits of
        # its numbers, and then the answer, would depend on what was asked before.
        self._llama.reset()
        # Any other type is silently ignored in-process.
        form = {"response_format": {"type": "json_object", "schema": schema}} if schema else {}
        try:
            return self._llama.create_chat_completion(
                messages=[{"role": "user", "content": content}],
                temperature=0.0,
                repeat_penalty=1.0,  # the default forbids what a schema repeats
                seed=self._seed,
                max_tokens=room,
                **form,
            )
        except RuntimeError as error:
            raise ValueError(str(error)) from error


class _Written(Exception):
    """The tokens of a prompt, and a grammar, on their way out of a chat handler."""
