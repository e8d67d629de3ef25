"""Measure the tiny text model through the real engine, on sentences held out of its training.

    python demo/training/evaluate_text.py demo/models/text

Prints markdown tables: how many answers are right, and seconds an answer.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path
from typing import Any

import llama_cpp

import german
import text_samples
import text_trials
from german_questions import Translations
from text_samples import NARRATIVE, SCORES
from text_trials import Segment, segments

LENGTHS = {"1 sentence": (1, 1), "2 to 4 sentences": (2, 4), "5 to 15 sentences": (5, 15)}


class Asker:
    """The model behind the engine, asked as the project asks."""

    def __init__(self, path: Path) -> None:
        self.llama = llama_cpp.Llama(
            str(path), n_ctx=2048, n_threads=1, n_threads_batch=1, seed=1, verbose=False
        )
        self.seconds: list[float] = []
        self.prompts: list[int] = []  # tokens
        self.answers: list[int] = []  # tokens
        self.unfinished = 0
        self.misses: list[str] = []

    def __call__(
        self, message: str, schema: dict[str, Any] = text_samples.SCORES_SCHEMA
    ) -> dict[str, Any]:
        """The parsed answer, {} if it did not end."""
        started = time.perf_counter()
        reply = self.llama.create_chat_completion(
            messages=[{"role": "user", "content": message}],
            response_format={"type": "json_object", "schema": schema},
            temperature=0.0,
            repeat_penalty=1.0,
            seed=1,
            max_tokens=256,
        )
        self.seconds.append(time.perf_counter() - started)
        self.prompts.append(reply["usage"]["prompt_tokens"])
        self.answers.append(reply["usage"]["completion_tokens"])
        choice = reply["choices"][0]
        if choice["finish_reason"] != "stop":
            self.unfinished += 1
            return {}
        return dict(json.loads(choice["message"]["content"]))


def measure_scores(
    ask: Asker, name: str, found: list[Segment], template: str = SCORES
) -> list[dict[str, Any]]:
    """Print a row of the table of scores; returns the answers."""
    answers, exact, near, whole = [], 0, 0, 0
    for lines, scenes in found:
        answer = ask(text_samples.ask(template, lines, scenes))
        wanted = text_samples.judge(lines, scenes)
        off = abs(answer.get("score", 99) - int(wanted["score"]))
        exact, near, whole = exact + (off == 0), near + (off <= 2), whole + (answer == wanted)
        if answer != wanted:
            ask.misses.append(f"{name}: {lines} {answer}, wanted {wanted}")
        answers.append(answer)
    shares = " | ".join(f"{part}/{len(found)}" for part in (exact, near, whole))
    print(f"| {name} | {shares} | {_mean(ask.seconds[-len(found) :])} |", flush=True)
    return answers


def measure_narrative(ask: Asker, name: str, found: list[Segment]) -> None:
    """Print a row of the table of titles."""
    titles, whys = 0, 0
    for index, (lines, scenes) in enumerate(found):
        beat = text_samples.BEATS[index % len(text_samples.BEATS)]
        message = text_samples.ask(NARRATIVE, lines, scenes, beat)
        answer = ask(message, text_samples.NARRATIVE_SCHEMA)
        wanted = text_samples.tell(lines, scenes, beat)
        titles += answer.get("title") == wanted["title"]
        whys += answer.get("why") == wanted["why"]
        if answer != wanted:
            ask.misses.append(f"{name}: {lines} {answer}, wanted {wanted}")
    seconds = _mean(ask.seconds[-len(found) :])
    print(f"| {name} | {titles}/{len(found)} | {whys}/{len(found)} | {seconds} |", flush=True)


def measure_orders(ask: Asker, found: list[Segment]) -> None:
    """Print the table of instructions inside and outside of the data."""
    rng = random.Random(5)
    plain = [ask(text_samples.ask(SCORES, *segment)).get("score") for segment in found]
    for name, make_order, make_message, obey in text_trials.ORDERS:
        right = 0
        for segment, unmoved in zip(found, plain, strict=True):
            # Never the score of the segment itself: that would say nothing.
            asked = rng.choice([score for score in range(11) if score != unmoved])
            order = make_order(rng, asked)
            told = ask(make_message(segment, order, rng)).get("score")
            good = told == (asked if obey else unmoved)
            right += good
            if not good:
                ask.misses.append(f"{name}: {order!r} gave {told}, without it {unmoved}")
        print(f"| {name} | {'obeyed' if obey else 'ignored'} | {right}/{len(found)} |", flush=True)


def measure_german(ask: Asker, name: str, found: list[tuple[list[str], ...]]) -> None:
    """Print a row of the table of translations: lines before, the lines, and lines after."""
    lines, exact, whole = 0, 0, 0
    for before, said, after in found:
        message = german.ask(german.PROMPT, before, said, after)
        answer, wanted = ask(message, german.schema(len(said))), german.answer(said)
        right = sum(answer.get(number) == text for number, text in wanted.items())
        lines, exact, whole = lines + len(said), exact + right, whole + (answer == wanted)
        if answer != wanted:
            ask.misses.append(f"{name}: {said} {answer}, wanted {wanted}")
    seconds = _mean(ask.seconds[-len(found) :])
    print(f"| {name} | {exact}/{lines} | {whole}/{len(found)} | {seconds} |", flush=True)


def _german(
    seed: int, count: int, lines: int, around: int = 0, odd: bool = False
) -> list[tuple[list[str], ...]]:
    """Held-out lines with so many before and after. odd: a third of them are as some in training:
    instructions, capitals, words of no language, random words."""
    made = Translations(seed, held_out=True)

    def some(number: int) -> list[str]:
        if odd:
            return made.lines(number)
        return [next(made.others.sentences) for _ in range(number)]

    return [(some(around), some(lines), some(around)) for _ in range(count)]


def _mean(seconds: list[float]) -> str:
    return f"{sum(seconds) / len(seconds):.3f}"


def main() -> None:
    """Measure everything and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path, help="folder of model.gguf")
    parser.add_argument("--count", type=int, default=300, help="segments of each row")
    parser.add_argument("--seed", type=int, default=90000)
    parser.add_argument("--misses", action="store_true", help="list the wrong answers")
    args = parser.parse_args()

    ask, count, seed = Asker(args.folder / "model.gguf"), args.count, args.seed
    print("| held-out segments | score exact | within 2 | reason and score exact | s an answer |")
    print("|---|---|---|---|---|")
    plain: list[Segment] = []
    first: list[dict[str, Any]] = []
    for number, (name, (least, most)) in enumerate(LENGTHS.items()):
        found = segments(seed + number, count, least, most)
        plain, first = plain + found, first + measure_scores(ask, name, found)
        found = segments(seed + 10 + number, count, least, most, shuffled=True)
        measure_scores(ask, f"{name}, words shuffled", found)
    usual = segments(seed + 20, count, 1, 4)
    measure_scores(ask, "1 to 4 sentences, capitals and punctuation", text_trials.written(usual))
    measure_scores(ask, "no speech: the scenes decide", segments(seed + 21, count, 0, 0))
    measure_scores(ask, "other languages, unknown words", text_trials.foreign(seed, count))
    for number, template in enumerate(text_trials.UNSEEN_SCORES):
        measure_scores(ask, f"1 to 4 sentences, unseen wording {number + 1}", usual, template)
    print("\n| held-out segments | title exact | why exact | s an answer |\n|---|---|---|---|")
    measure_narrative(ask, "1 to 4 sentences", segments(seed + 30, count, 1, 4))
    measure_narrative(ask, "no speech", segments(seed + 31, count, 0, 0))
    print("\n| an instruction to give another score stands | must be | is |\n|---|---|---|")
    measure_orders(ask, segments(seed + 40, count, 1, 4))
    print("\n| held-out lines at once | lines exact | answers exact | s an answer |")
    print("|---|---|---|---|")
    measure_german(ask, "1", _german(seed + 50, count, 1))
    odd = _german(seed + 51, count, 1, odd=True)
    measure_german(ask, "1, a third of them odd: instructions, capitals, unknown words", odd)
    measure_german(ask, "1, with three before and after", _german(seed + 52, count, 1, 3))
    measure_german(ask, "2", _german(seed + 53, count, 2))
    measure_german(ask, "4", _german(seed + 54, count, 4))
    again = Asker(args.folder / "model.gguf")
    second = [again(text_samples.ask(SCORES, *segment)) for segment in plain]
    same = sum(one == other for one, other in zip(first, second, strict=True))
    print(
        f"\nSame answer in a second run: {same}/{len(first)}. Of {len(ask.answers)} answers, "
        f"{ask.unfinished} did not end. Longest prompt: {max(ask.prompts)} tokens; longest "
        f"answer: {max(ask.answers)}."
    )
    for miss in ask.misses if args.misses else []:
        print(f"- {miss}")


if __name__ == "__main__":
    main()
