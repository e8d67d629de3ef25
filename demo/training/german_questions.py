"""Random questions for a translation into German, with their right answers."""

from __future__ import annotations

import json
import random

import german
import text_prompts
import vocabulary
from text_questions import Questions

MOST = 4  # lines
_SHORT = (
    "{lines}\n{language}",
    "{language}:\n{lines}",
    "Translate into {language}.\n{lines}",
    "{lines}\nAnswer in {language}.",
)
_VARIANTS = (
    "Translate into {language}.\n{before}\n{lines}\n{after}",
    "{lines}\nGive the numbered lines in {language}, as JSON.",
    "Subtitles, in {language} please, line by line.\n{lines}\nThe lines around them:\n{before}\n{after}",
    "Said before:\n{before}\n{lines}\nSaid after:\n{after}\nAnswer in {language}.",
)


class Translations:
    """Endless random questions for German.

    Args:
        seed: of everything random.
        held_out: speak in sentences that no training question has.
    """

    def __init__(self, seed: int, held_out: bool = False) -> None:
        self.rng = random.Random(seed)
        self.others = Questions(seed, held_out)

    def question(self, whole: float) -> tuple[str, str]:
        """A prompt as the engine renders it, and the answer with its end.

        Args:
            whole: where it is small most are short: of a line or two with nothing around.
        """
        rng = self.rng
        if rng.random() > max(0.65, 2 * whole):
            return self._short()
        lines = self.lines(rng.choices(range(1, MOST + 1), (24, 2, 1, 1))[0])
        around = [self.lines(rng.choice((1, 2, 3)) if rng.random() < 0.3 else 0) for _ in range(2)]
        template = german.PROMPT
        if rng.random() > 0.6:
            template = rng.choice((template, *_VARIANTS))
            if rng.random() < 0.5:
                template = text_prompts.estrange(rng, template, rng.choice((0.05, 0.2, 0.5)))
        message = german.ask(template, around[0], lines, around[1])
        if rng.random() < 0.1:
            message = message.removeprefix(f"{german.GUARD}\n\n")
        return self._asked(message, lines)

    def _short(self) -> tuple[str, str]:
        lines = self.lines(self.rng.choice((1, 1, 1, 2)))
        message = german.ask(self.rng.choice(_SHORT), [], lines, [])
        return self._asked(message.removeprefix(f"{german.GUARD}\n\n"), lines)

    def _asked(self, message: str, lines: list[str]) -> tuple[str, str]:
        answer = json.dumps(german.answer(lines), ensure_ascii=False)
        return f"<|user|>{message}<|assistant|>", f"{answer}<|end|>"

    def lines(self, count: int) -> list[str]:
        """What is said in so many lines: sentences, some as others would write them."""
        rng = self.rng
        return [
            self._line() if rng.random() < 0.3 else next(self.others.sentences)
            for _ in range(count)
        ]

    def _line(self) -> str:
        """A line of another kind: random words, instructions, words of no language."""
        rng = self.rng
        draw = rng.random()
        if draw < 0.3:
            return " ".join(rng.choices(vocabulary.WORDS, k=rng.randint(1, 14)))
        if draw < 0.5:
            return self.others.disguise(next(self.others.sentences))
        if draw < 0.7:
            order = text_prompts.random_order(rng, rng.randint(0, 10))
            parts = [order, next(self.others.sentences)]
            return " ".join(parts[:: rng.choice((1, -1))][: rng.choice((1, 2, 2))])
        if draw < 0.85:
            words = next(self.others.sentences).split()
            for _ in range(rng.randint(1, 3)):
                words.insert(rng.randint(0, len(words)), text_prompts.strange(rng))
            return " ".join(words)
        return " ".join(text_prompts.strange(rng) for _ in range(rng.randint(1, 6)))
