"""A message of text, and what all of its kind begin with, for any sequence of a context."""

from collections.abc import Callable
from typing import Any

from reelmake.foundation.text import shared_beginning
from reelmake.models import together

_DIFFERENT = ("a", "0")
"""Two ways in which a message may go on."""


class TextPrompt:
    """A `together.Prompt` of text.

    engine: the module llama_cpp. tokens: of the text, with all that the model wants around it.
    opening: what it begins with; it is left out where the tokens say that it does not.
    """

    batch = together.BATCH

    def __init__(self, engine: Any, tokens: list[int], opening: "TextPrompt | None" = None):
        self._engine, self._tokens, self.tokens = engine, tokens, len(tokens)
        self.opening: TextPrompt | None = None
        # Its last token may be another one where the end of the text is one with what follows.
        if opening is not None and tokens[: opening.tokens] == opening._tokens != tokens:
            self.opening = opening

    def evaluate(self, context: Any, sequence: int, batch: int) -> int:
        """See `together.Prompt`."""
        after = self.opening.tokens if self.opening is not None else 0
        for start in range(after, self.tokens, batch):
            piece = self._tokens[start : start + batch]
            last = start + len(piece) == self.tokens
            together.decode(
                self._engine,
                context,
                [
                    (token, start + place, sequence, last and place == len(piece) - 1)
                    for place, token in enumerate(piece)
                ],
            )
        return self.tokens


class Openings:
    """What messages begin with, as prompts; the last one is remembered.

    engine: the module llama_cpp. written: the tokens of a message, as the model's chat template
    writes it down.
    """

    def __init__(self, engine: Any, written: Callable[[str], list[int]]):
        self._engine, self._written = engine, written
        self._last: tuple[str, TextPrompt | None] = ("", None)

    def of(self, text: str) -> TextPrompt | None:
        """The opening of the messages that begin with a text; None where there is none.

        By the text alone, and by no message: a prompt is evaluated in the same pieces, whichever
        others are asked with it, and whether or not one of them can be.
        """
        if text != self._last[0]:
            one, other = (self._written(text + more) for more in _DIFFERENT)
            common = shared_beginning(one, other)
            self._last = text, TextPrompt(self._engine, common) if common else None
        return self._last[1]
