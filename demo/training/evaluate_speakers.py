"""Measure the tiny models of who speaks through the project's own engine module; prints a Markdown table.

    python evaluate_speakers.py ../models/speakers

Conversations of 2, 3 and 4 voices that were never trained on, in sentences that were not either. The diarization error
rate is pyannote.metrics': time that is missed, that nobody spoke in, or that has the wrong speaker, over the time that
is spoken, two at once counted twice. A collar of 0.25 s on each side of a turn's edge leaves out what is next to it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from conversations import Turn, Voice, converse, known_voices, unknown_voices
from reelmake.models import diarization
from synthesis import SAMPLE_RATE

INTERRUPTING = "2 unknown, interrupting"
DEMO = (Voice("", 50), Voice("f3", 50))
"""As the second film of the demo has them."""


def annotation(turns: Iterable[Turn]) -> Annotation:
    """Turns as pyannote has them."""
    made = Annotation()
    for number, (start, end, speaker) in enumerate(turns):
        made[Segment(start, end), number] = str(speaker)
    return made


def overlapping(turns: Iterable[Turn]) -> float:
    """The share of the time in which anybody speaks that two speak at once."""
    both = annotation(turns).get_overlap().duration()
    return both / annotation(turns).get_timeline().support().duration()


class Row:
    """The errors of several conversations."""

    def __init__(self) -> None:
        self.strict = DiarizationErrorRate(collar=0.0, skip_overlap=False)
        self.lenient = DiarizationErrorRate(collar=0.5, skip_overlap=False)  # both sides together
        self.parts: list[dict[str, float]] = []
        self.right, self.shares, self.seconds = 0, [], 0.0

    def add(self, sound: np.ndarray, turns: list[Turn], found: list[Turn]) -> None:
        length = len(sound) / SAMPLE_RATE
        whole = Timeline([Segment(0, length)])
        truth, heard = annotation(turns), annotation(found)
        self.parts.append(self.strict(truth, heard, uem=whole, detailed=True))
        self.lenient(truth, heard, uem=whole)
        self.right += len({who for *_, who in turns}) == len({who for *_, who in found})
        self.shares.append(overlapping(turns))
        self.seconds += length

    def text(self, name: str) -> str:
        spoken = sum(part["total"] for part in self.parts)
        missed, alarm, confused = (
            sum(part[kind] for part in self.parts) / spoken
            for kind in ("missed detection", "false alarm", "confusion")
        )
        return (
            f"| {name} | {len(self.parts)} x {self.seconds / len(self.parts):.0f} s "
            f"| {np.mean(self.shares):.2f} | {abs(self.strict):.3f} | {missed:.3f} | {alarm:.3f} "
            f"| {confused:.3f} | {abs(self.lenient):.3f} | {self.right}/{len(self.parts)} |"
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", type=Path)
    parser.add_argument("--threshold", type=float, nargs="+", default=[0.6])
    parser.add_argument("--count", type=int, default=12, help="conversations of a row")
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    print(
        "| voices | conversations | two at once | DER | missed | false alarm | confused "
        "| DER, collar 0.25 s | number right |\n"
        "|---|---|---|---|---|---|---|---|---|"
    )
    known = [ways[0] for ways in known_voices(7)]
    kinds = [
        *((f"{n} unknown", n, unknown_voices) for n in (2, 3, 4)),
        (INTERRUPTING, 2, unknown_voices),
        ("the demo's 2", 2, lambda n, seed: list(DEMO)),
        ("3 known", 3, lambda n, seed: _some(known, n, seed)),
        ("1 unknown", 1, unknown_voices),
    ]
    for threshold in given.threshold:
        for name, count, voices in kinds:
            for told in (None, count):
                if told and (count == 1 or threshold != given.threshold[0]):
                    continue
                row = Row()
                for seed in range(given.count):
                    often = 0.7 if name == INTERRUPTING else 0.15
                    speaking = voices(count, 1000 + seed)
                    sound, turns = converse(speaking, given.seconds, 1000 + seed, often)
                    found = diarization.diarize(
                        sound,
                        given.models / "segmentation.onnx",
                        given.models / "embedding.onnx",
                        count=told,
                        threshold=threshold,
                        threads=1,
                    )
                    row.add(sound, turns, found.turns)
                how = "number given" if told else f"threshold {threshold}"
                print(row.text(f"{name}, {how}"), flush=True)


def _some(known: list[Voice], count: int, seed: int) -> list[Voice]:
    """Voices that are trained on, of different variants."""
    rng = np.random.default_rng(seed)
    variants = rng.permutation(sorted({voice.variant for voice in known}))[:count]
    return [rng.choice([v for v in known if v.variant == variant]) for variant in variants]


if __name__ == "__main__":
    main()
