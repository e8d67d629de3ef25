"""Word error rates of the product beside the bare faster-whisper library with the same model.

python benchmarks/speech.py                       # the project's own tiny model
python benchmarks/speech.py small                 # a real one, by name or folder
python benchmarks/speech.py small --folder talks  # and recordings: talk.wav, talk.txt, ...
python benchmarks/speech.py small --also vad_method=filter --also batch_size=8
"""

import argparse
import dataclasses
import math
import re
import statistics
import sys
import time
import unicodedata
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from measure import ROOT

sys.path.insert(0, str(ROOT / "scripts"))
sys.path.insert(0, str(ROOT / "demo" / "training"))

import speech_cases

from evaluate_speech import align
from reelmake.library import config
from reelmake.models import transcription, whisper

TINY = ROOT / "demo" / "models" / "speech"
TINY_SETTINGS = {
    **{"language": "en", "temperature": 0, "compute_type": "float32"},
    "condition_on_previous_text": False,
}
"""What the tiny model needs: it was trained without text before, and knows one language."""


@dataclasses.dataclass
class Heard:
    """What one way heard of one film. words: (word, start, end). longest: seconds of the longest
    segment. unheard: seconds where the way itself says that it may have missed speech."""

    words: list[tuple[str, float, float]]
    longest: float
    unheard: float
    seconds: float


@dataclasses.dataclass
class Sum:
    """What one way heard of the films of one name."""

    errors: int = 0
    words: int = 0
    starts: list[float] = dataclasses.field(default_factory=list)
    longest: float = 0.0
    unheard: float = 0.0
    seconds: float = 0.0

    def add(self, case: speech_cases.Case, heard: Heard) -> None:
        """Count the words of one film."""
        said = [(plain(word), start) for word, start, _ in case.words]
        got = [(part, start) for word, start, _ in heard.words for part in plain(word).split()]
        errors, pairs = align([word for word, _ in said], [word for word, _ in got])
        self.errors += errors
        self.words += len(said)
        for one, other in pairs:
            start = said[one][1]
            if start is not None:
                self.starts.append(abs(start - got[other][1]))
        self.longest = max(self.longest, heard.longest)
        self.unheard += heard.unheard
        self.seconds += heard.seconds

    def beside(self, other: "Sum") -> str:
        """Whether this is better or worse than the other by more than chance: twice the deviation
        of the difference, if errors come by themselves (Poisson)."""
        difference = self.errors - other.errors
        if abs(difference) <= 2 * math.sqrt(self.errors + other.errors):
            return "as good"
        return "worse" if difference > 0 else "better"

    def cells(self) -> str:
        """Its cells of the table: word error rate, or words where none is said; starts; longest."""
        rate = f"{100 * self.errors / self.words:.1f}" if self.words else f"{self.errors} words"
        starts = f"{statistics.mean(self.starts):.2f}" if self.starts else ""
        return f"{rate} | {starts} | {self.longest:.1f}"


def plain(word: str) -> str:
    """A word without capitals, punctuation and accents that are written in two ways."""
    text = unicodedata.normalize("NFKC", word).lower().replace("’", "'")
    return re.sub(r"[^\w' ]", "", text.replace("-", " ")).strip("' ")


def bare(model: str, settings: dict[str, Any], threads: int) -> Callable[[Any], Heard]:
    """The library alone, by its own defaults. settings: those that the model needs."""
    from faster_whisper import WhisperModel

    options = dict(settings)
    loaded = WhisperModel(
        model, device="cpu", compute_type=options.pop("compute_type"), cpu_threads=threads
    )

    def hear(samples: Any) -> Heard:
        begin = time.perf_counter()
        segments = list(loaded.transcribe(samples, word_timestamps=True, **options)[0])
        words = [(word.word, word.start, word.end) for each in segments for word in each.words]
        longest = max((each.end - each.start for each in segments), default=0.0)
        return Heard(words, longest, 0.0, time.perf_counter() - begin)

    return hear


def product(model: str, settings: dict[str, Any], threads: int) -> Callable[[Any], Heard]:
    """What the stage `transcript` makes. settings: the config section `transcription`."""

    def hear(samples: Any) -> Heard:
        begin = time.perf_counter()
        made = transcription.transcribe(samples, settings, model, "cpu", threads)
        words = [
            (word["word"], word["start"], word["end"])
            for each in made["segments"]
            for word in each["words"]
        ]
        longest = max((each["end"] - each["start"] for each in made["segments"]), default=0.0)
        unheard = sum(span["end"] - span["start"] for span in made["unheard"])
        return Heard(words, longest, unheard, time.perf_counter() - begin)

    return hear


def measure(
    cases: list[speech_cases.Case], ways: dict[str, Callable[[Any], Heard]]
) -> dict[str, dict[str, Sum]]:
    """What each way hears of the films of each name."""
    found: dict[str, dict[str, Sum]] = defaultdict(lambda: defaultdict(Sum))
    for number, case in enumerate(cases, 1):
        for name, hear in ways.items():
            if sys.stderr.isatty():
                print(
                    f"\r\033[K{number} of {len(cases)}: {case.name}, {name}",
                    end="",
                    file=sys.stderr,
                )
            found[case.name][name].add(case, hear(case.samples))
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    return found


def table(found: dict[str, dict[str, Sum]], ways: list[str]) -> None:
    """Print the table: word error rate, mean error of the starts of words, longest segment."""
    print("\nword error rate, % | mean error of word starts, s | longest segment, s\n")
    last = f" {ways[1]}'s unheard, s | {ways[1]} beside {ways[0]} |"
    print("| sound | words |" + "".join(f" {way} | | |" for way in ways) + last)
    print("|---|---|" + "---|" * (3 * len(ways) + 2))
    for name, sums in found.items():
        cells = " | ".join(sums[way].cells() for way in ways)
        words = next(iter(sums.values())).words
        mine = sums[ways[1]]
        told = f"{mine.unheard:.1f} | {mine.beside(sums[ways[0]])}"
        print(f"| {name} | {words} | {cells} | {told} |")
    total = {way: Sum() for way in ways}
    for sums in found.values():
        for way in ways:
            total[way].errors += sums[way].errors if sums[way].words else 0
            total[way].words += sums[way].words
            total[way].seconds += sums[way].seconds
            total[way].starts += sums[way].starts
            total[way].longest = max(total[way].longest, sums[way].longest)
    cells = " | ".join(total[way].cells() for way in ways)
    told = total[ways[1]].beside(total[ways[0]])
    print(f"| all | {total[ways[0]].words} | {cells} | | {told} |")
    print("\n" + "; ".join(f"{way}: {total[way].seconds:.0f} s" for way in ways))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?", help="a Whisper model's name or folder")
    parser.add_argument("--folder", type=Path, help="recordings with their texts")
    parser.add_argument("--only", help="films whose name holds this")
    parser.add_argument("--set", action="append", default=[], metavar="SETTING=VALUE")
    parser.add_argument(
        "--also",
        action="append",
        default=[],
        metavar="SETTING=VALUE",
        help="reelmake once more, with this setting",
    )
    parser.add_argument("--int8", action="store_true", help="compute with int8")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()

    needed: dict[str, Any] = (
        {"compute_type": "int8"} if arguments.int8 else {"compute_type": "auto"}
    )
    if not arguments.model:
        needed = dict(TINY_SETTINGS)
    given: dict[str, Any] = {"transcription": {**needed, "allow_empty": True}}
    for setting in arguments.set:
        name, _, value = setting.partition("=")
        section, _, leaf = name.partition(".")
        given.setdefault(section, {})[leaf] = yaml.safe_load(value)
    settings = config.load(given)["transcription"]

    texts = speech_cases.prose() if arguments.model else speech_cases.closed_vocabulary()
    cases = list(speech_cases.generated(texts, languages=bool(arguments.model)))
    if arguments.folder:
        cases += speech_cases.recorded(arguments.folder)
    if arguments.only:
        cases = [case for case in cases if arguments.only in case.name]
    model = whisper.folder(arguments.model or str(TINY))
    ways = {
        "bare library": bare(model, needed, arguments.threads),
        "reelmake": product(model, settings, arguments.threads),
    }
    for setting in arguments.also:
        name, _, value = setting.removeprefix("transcription.").partition("=")
        other = settings | {name: yaml.safe_load(value)}
        ways[f"reelmake, {name}: {value}"] = product(model, other, arguments.threads)
    table(measure(cases, ways), list(ways))


if __name__ == "__main__":
    main()
