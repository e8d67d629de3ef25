"""What a dry run says: a short table of what would run, stage by stage, and why."""

from collections import Counter
from typing import Any

from reelmake.foundation.text import count
from reelmake.library import work_left
from reelmake.library.stages import STAGES

WHY = (
    ("Forced execution", work_left.FORCED),
    ("Missing output files", work_left.MISSING),
    ("Updated input files", work_left.CHANGED),
    ("Input files updated by another job", work_left.AFTER),
)
"""The beginning of a reason of Snakemake's, the strongest first, and what it means here."""

CATALOG_RULE = "update_catalog"
"""It is of all videos, so that it has no line among their stages."""

RULES = {stage.rule: stage.name for stage in STAGES.values()}


class DryRun:
    """The jobs that a run would have."""

    def __init__(self) -> None:
        self._jobs: Counter[str] = Counter()
        self._why: dict[str, Counter[str]] = {}
        self._videos: set[str] = set()
        self._many = 0
        self._catalog = False

    def count(self, why: dict[str, Counter[str]], videos: int) -> None:
        """Take note of all jobs at once, of a run in shares. why: stage -> why -> how many."""
        self._why, self._many = why, videos
        self._jobs = Counter({stage: reasons.total() for stage, reasons in why.items()})

    def plan(self, stats: dict[str, int]) -> None:
        """Take note of how many jobs there are. stats: by rule."""
        self._catalog = CATALOG_RULE in stats
        if self._many:
            return
        self._jobs = Counter(
            {RULES[rule]: number for rule, number in stats.items() if rule in RULES}
        )

    def add(self, told: dict[str, Any]) -> None:
        """Take note of a job. told: the fields of Snakemake's event."""
        stage = RULES.get(told["rule_name"])
        if stage is None:
            return
        self._videos.add(dict(told["wildcards"] or {}).get("video", ""))
        self._why.setdefault(stage, Counter())[reason(told.get("reason") or "")] += 1

    def lines(self) -> list[str]:
        """The table, in the order of the pipeline."""
        rows = [(name, self._jobs[name], self._why.get(name, Counter())) for name in STAGES]
        wide = max([12, *(len(name) for name, jobs, _ in rows if jobs)])
        found = ["", f"{'stage':<{wide}} {'jobs':>7}  why"]
        for name, jobs, why in rows:
            if jobs:
                said = ", ".join(
                    text if len(why) == 1 else f"{text} ({number:,})"
                    for text, number in why.most_common()
                )
                found.append(f"{name:<{wide}} {jobs:>7,}  {said}")
        all_in_one = " --config 'share={films: null}'" if self._many else ""
        catalog = "; the catalog is brought up to date" if self._catalog else ""
        total, videos = self._jobs.total(), self._many or len(self._videos)
        found += [
            f"{'in all':<{wide}} {total:>7,}  of {count(videos, 'video')}{catalog}",
            "",
            "A dry run: nothing was changed. `reel plan` estimates hours and disk space;",
            f"`snakemake -n --logger default{all_in_one}` lists every job.",
        ]
        return found


def reason(said: str) -> str:
    """Why a job would run, in a word or two. said: Snakemake's reason."""
    for beginning, means in WHY:
        if beginning in said:
            return means
    return said.split(":")[0][:40] or "asked for"
