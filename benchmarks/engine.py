"""What choosing tokens by a grammar costs: asked about the whole vocabulary at each step, as
llama-cpp-python does, and about the likeliest token first, as reelmake does.

python benchmarks/engine.py                    # the project's own tiny model
python benchmarks/engine.py model.gguf ...     # real ones, with a chat template
"""

import argparse
import sys
import time
from pathlib import Path

from measure import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from reelmake.editing import scoring
from reelmake.editing.prompts import Question
from reelmake.library import config
from reelmake.models import llama
from reelmake.models.text_model import TextModel

TINY = ROOT / "demo" / "models" / "text" / "model.gguf"
SAID = (
    ("The dog jumps over the fence.", "Everybody cheers loudly."),
    ("Please fill in the form and send it to the office until Friday.",),
    ("Nobody knows why the ship sank, said the captain.", "It was a cold night."),
    ("Goal! He scored in the very last second!",),
)
WAYS = ("whole vocabulary", "likeliest first")


def ask(path: Path, way: str, questions: int) -> tuple[float, float, list[object]]:
    """CPU seconds, wall seconds and the answers of a model to some questions, one thread."""
    settings = config.load({"text_model": {"max_tokens": 128, "context": 2048}})
    choose = llama.Model._choose_by_grammar
    if way == WAYS[0]:
        llama.Model._choose_by_grammar = lambda self, engine: None
    try:
        model = TextModel(path, settings["text_model"], threads=1)
    finally:
        llama.Model._choose_by_grammar = choose
    answers: list[object] = []
    with model:
        cpu, wall = time.process_time(), time.perf_counter()
        for number in range(questions):
            said = SAID[number % len(SAID)]
            try:
                question = Question(settings["scores"]["prompt"], said, ())
                answers.append(model.ask(question, scoring.FORM.schema))
            except ValueError as error:
                answers.append(str(error))
        return time.process_time() - cpu, time.perf_counter() - wall, answers


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="*", type=Path, default=[TINY], metavar="GGUF")
    parser.add_argument("--questions", type=int, default=len(SAID))
    parser.add_argument("--rounds", type=int, default=2, help="one of each way a round")
    arguments = parser.parse_args()
    print("\n| model | choosing tokens | CPU, s | wall, s | CPU beside the first | answers |")
    print("|---|---|---|---|---|---|")
    for path in arguments.models:
        best: dict[str, tuple[float, float, list[object]]] = {}
        for _ in range(arguments.rounds):
            for way in WAYS:
                found = ask(path, way, arguments.questions)
                best[way] = min(best.get(way, found), found, key=lambda each: each[0])
        first = best[WAYS[0]]
        for way in WAYS:
            cpu, wall, answers = best[way]
            same = "the same" if answers == first[2] else "OTHERS"
            print(
                f"| {path.name} | {way} | {cpu:.2f} | {wall:.2f} | {cpu / first[0]:.2f} | {same} |"
            )


if __name__ == "__main__":
    main()
