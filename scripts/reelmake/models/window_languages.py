"""What language each window of a film is taken for."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Window(NamedTuple):
    """What a window of 30 s is taken for: the language, and how likely the model alone finds it;
    None where it was given."""

    language: str
    probability: float | None


Languages = Mapping[str, float]
"""How likely each language is, by its code."""

UNEXPECTED = 0.02
"""How likely a language is in a window of a film in which it was nowhere else."""


class Windows:
    """CTranslate2's model, but what language a window is in is told by the film as well.

    A model takes a greeting for Czech; where the film is English elsewhere, it has to be surer.
    """

    def __init__(self, model: Any):
        self.model = model
        self._expected: Languages | None = None
        self._found: list[Window] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def begin(self, expected: Languages | None) -> None:
        """Forget the windows before. expected: how likely each language is in this film."""
        self._expected, self._found = expected, []

    def last(self, given: str | None) -> Window:
        """What the window is taken for that was heard last. given: the language, if it is."""
        return self.of(-1, given)

    def of(self, number: int, given: str | None) -> Window:
        """The same of the n-th window."""
        return self._found[number] if self._found else Window(given or "en", None)

    def detect_language(self, encoded: Any) -> list[list[tuple[str, float]]]:
        """As the model's own, the one that a window is taken for first."""
        made = []
        for languages in self.model.detect_language(encoded):
            token, probability = languages[0]
            if self._expected is not None:
                token, probability = max(languages, key=lambda each: self._likely(*each))
            self._found.append(Window(token[2:-2], round(float(probability), 4)))
            made.append([(token, probability)])
        return made

    def _likely(self, token: str, probability: float) -> float:
        """Up to a factor. token: `<|en|>`."""
        expected = self._expected or {}
        return probability * (expected.get(token[2:-2], 0.0) + UNEXPECTED)
