"""What answers cost: the grammar asked about the whole vocabulary at each step, as
llama-cpp-python does; about the likeliest token first; and answers decoded in groups.

python benchmarks/engine.py                    # the project's own tiny models
python benchmarks/engine.py model.gguf ...     # real ones, with a chat template
"""

import argparse
import io
import itertools
import json
import operator
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
from measure import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from reelmake.editing import scoring
from reelmake.editing.prompts import Question
from reelmake.library import config
from reelmake.models import greedy, llama
from reelmake.models.text_model import TextModel
from reelmake.models.vision_model import VisionModel

TINY = ROOT / "demo" / "models" / "text" / "model.gguf"
VISION = ROOT / "demo" / "models" / "vision"
SAID = (
    ("The dog jumps over the fence.", "Everybody cheers loudly."),
    ("Please fill in the form and send it to the office until Friday.",),
    ("Nobody knows why the ship sank, said the captain.", "It was a cold night."),
    ("Goal! He scored in the very last second!",),
)
WHOLE = "whole vocabulary"
GROUPS = (1, 4, 8, 16)
Figures = tuple[float, float, int, int, list[str]]
"""CPU seconds, wall seconds, tokens that were chosen, peak bytes of memory, answers."""


def settings() -> dict[str, Any]:
    """The default settings, with a context that small models have."""
    return config.load(
        {"text_model": {"max_tokens": 128, "context": 2048}, "description": {"context": 2048}}
    )


def ask(path: Path, at_once: int, count: int) -> list[Any]:
    """The answers of a text model to some questions."""
    given = settings()
    questions = [
        Question(given["scores"]["prompt"], (*SAID[n % len(SAID)], f"That was {n}."), ())
        for n in range(count)
    ]
    with TextModel(path, given["text_model"], threads=1, at_once=at_once) as model:
        return in_groups(
            lambda group: model.answers(group, scoring.FORM.schema), questions, at_once
        )


def describe(at_once: int, count: int) -> list[Any]:
    """The answers of the tiny vision model about pictures of the demo film."""
    film = ROOT / "demo" / "videos" / "demo.mp4"
    with av.open(str(film)) as container:
        frames = list(itertools.islice(container.decode(video=0), 0, 8 * count, 8))
    pictures = []
    for frame in frames:
        file = io.BytesIO()
        frame.to_image().save(file, "JPEG")
        pictures.append(file.getvalue())
    files = (VISION / "text.gguf", VISION / "mmproj.gguf")
    with VisionModel(*files, settings()["description"], threads=1, at_once=at_once) as model:
        return in_groups(model.describe, pictures, at_once)


def in_groups(ask: Callable[[list[Any]], list[Any]], items: list[Any], size: int) -> list[Any]:
    """The answers about all items, so many at once."""
    starts = range(0, len(items), size)
    return [answer for start in starts for answer in ask(items[start : start + size])]


def measured(model: str, way: str, count: int) -> Figures:
    """One way in this process, which does nothing else."""
    choices = []
    if way == WHOLE:
        llama.Model._choose_by_grammar = lambda self, engine: None  # type: ignore[method-assign]
    choose = greedy.Sampler.sample

    def counted(*args: Any) -> int:
        choices.append(1)
        return choose(*args)

    greedy.Sampler.sample = counted  # type: ignore[method-assign]
    at_once = 1 if way == WHOLE else int(way)
    cpu, wall = time.process_time(), time.perf_counter()
    is_seeing = model == str(VISION)
    answers = describe(at_once, count) if is_seeing else ask(Path(model), at_once, count)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    spent = (time.process_time() - cpu, time.perf_counter() - wall)
    return *spent, len(choices), peak, list(map(str, answers))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="*", default=[str(TINY), str(VISION)], metavar="GGUF")
    parser.add_argument("--questions", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=1, help="one of each way a round")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    count = arguments.questions
    if arguments.way:
        print(json.dumps(measured(arguments.models[0], arguments.way, count)))
        return
    print(f"\n{count} questions, one thread; the model is loaded once in each way.\n")
    print("Last bits make answers longer or shorter: x compares the CPU's time a token.\n")
    print("| model | way | CPU, s | wall, s | tokens | ms each | x | memory, MB | same answers |")
    print("|---|---|---|---|---|---|---|---|---|")
    for model in arguments.models:
        best: dict[str, Figures] = {}
        for _ in range(arguments.rounds):
            for way in (WHOLE, *map(str, GROUPS)):
                command = [sys.executable, __file__, model, "--questions", str(count)]
                made = subprocess.run(
                    [*command, "--way", way], stdout=subprocess.PIPE, text=True, check=True
                )
                found = tuple(json.loads(made.stdout.splitlines()[-1]))
                best[way] = min(best.get(way, found), found, key=lambda each: each[0])
        first = best[WHOLE]
        # Of that way nothing is counted; its answers are those of the next.
        best[WHOLE] = first = (*first[:2], best["1"][2], *first[3:])
        for way, (cpu, wall, tokens, peak, answers) in best.items():
            name = {WHOLE: way, "1": "likeliest first"}.get(way, f"groups of {way}")
            same = sum(map(operator.eq, answers, first[4]))
            print(
                f"| {Path(model).name} | {name} | {cpu:.2f} | {wall:.2f} | {tokens} | "
                f"{cpu / tokens * 1e3:.1f} | {first[0] / first[2] / (cpu / tokens):.2f} | "
                f"{peak / 1e6:.0f} | {same} of {count} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
