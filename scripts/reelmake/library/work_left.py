"""How much a run over very many videos has to do, counted without a graph of its jobs."""

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

from reelmake.library import currency
from reelmake.library.currency import Currency
from reelmake.library.fingerprints import Fingerprint
from reelmake.library.stages import STAGES, artifact_paths

FORCED, MISSING = "forced", "not made yet"
CHANGED, AFTER = "changed", "after a stage before it"
"""Why a job would run, in the words of a dry run's table."""


class WorkLeft:
    """forced: the stages that are computed whatever is there. asked: the stages that the run
    makes; None: all that the videos' fingerprints are of."""

    def __init__(self, forced: Collection[str], asked: Collection[str] | None):
        self._forced, self._asked = set(forced), asked
        self.why: dict[str, Counter[str]] = {}
        """stage -> why its jobs would run -> how many."""

    def add(self, results: Path, wanted: Mapping[str, Fingerprint]) -> None:
        """Count the jobs of the video whose folder is `results`."""
        if results.exists():
            answer = currency.of_video(results, wanted)
        else:  # a new library is thousands of these
            answer = dict.fromkeys(wanted, Currency("missing", (MISSING,)))
        for stage, found in answer.items():
            if self._asked is not None and stage not in self._asked:
                continue
            if stage in self._forced:
                after = len(self._forced) < len(STAGES) and self._forced & {*STAGES[stage].upstream}
                self._count(stage, AFTER if after else FORCED)
            elif found.why:
                self._count(stage, _why(results, stage, found))

    def _count(self, stage: str, why: str) -> None:
        self.why.setdefault(stage, Counter())[why] += 1


def _why(results: Path, stage: str, found: Currency) -> str:
    paths = [results / path for path in artifact_paths(STAGES[stage], results.name)]
    if not all(path.exists() for path in paths):
        return MISSING
    return AFTER if all(why.startswith("after ") for why in found.why) else CHANGED
