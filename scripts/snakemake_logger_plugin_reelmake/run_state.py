"""What a run has done so far, from Snakemake's events and the records of the jobs."""

import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from reelmake.foundation.text import count, printable
from reelmake.foundation.units import show_seconds
from reelmake.library import job_records
from reelmake.library.stages import STAGES
from reelmake.reel.run_summary import without_names
from snakemake_logger_plugin_reelmake.dry_run import CATALOG_RULE

RESULTS = Path("results")
ALIKE = 3
"""So many failures of one cause get a line each; more are only counted."""

RULES = {stage.rule: stage.name for stage in STAGES.values()}

Number = int | tuple[int, int]
"""Of a job: Snakemake's, or that of a share and Snakemake's there."""


class Job(NamedTuple):
    """A job that has started; began: seconds since 1970."""

    video: str
    stage: str
    began: float


class RunState:
    """The jobs of a run. Each method returns the lines that a person should read now."""

    def __init__(self) -> None:
        self.running: dict[Number, Job] = {}
        self.jobs: Counter[str] = Counter()
        """How many jobs of each stage the run has, in the pipeline's order."""
        self.done: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.failed_videos: set[str] = set()
        self.videos = self.finished = 0
        self.began = time.time()
        self._last_stage = ""
        self._first_seen: dict[str, float] = {}
        self._causes: Counter[str] = Counter()

    def forget(self, share: int) -> None:
        """A share is over, however: none of its jobs is at work."""
        for number in [each for each in self.running if isinstance(each, tuple)]:
            if number[0] == share:
                del self.running[number]

    @property
    def total_jobs(self) -> int:
        """How many jobs of videos the run has."""
        return self.jobs.total()

    def plan(self, stats: dict[str, int]) -> None:
        """Take note of the jobs that the run has. stats: by rule."""
        self.jobs = Counter(
            {name: stats[stage.rule] for name, stage in STAGES.items() if stage.rule in stats}
        )
        # A video is finished with its last stage: the manifest, if everything is asked for.
        self._last_stage = next(reversed(self.jobs), "")
        self.videos = self.jobs[self._last_stage]

    def start(self, number: Number, rule: str, wildcards: dict[str, str]) -> list[str]:
        """A job has started. number: Snakemake's."""
        if rule in RULES:
            job = Job(wildcards.get("video", ""), RULES[rule], time.time())
            self.running[number] = job
            self._first_seen.setdefault(job.video, job.began)
        elif rule == CATALOG_RULE and not self.total_jobs:  # a run that would say nothing else
            return [f"{_clock()}  bringing the catalog up to date"]
        return []

    def finish(self, number: Number) -> list[str]:
        """A job has ended well."""
        job = self.running.pop(number, None)
        if job is None:
            return []
        self.done[job.stage] += 1
        if job.stage != self._last_stage:
            return []
        self.finished += 1
        took = show_seconds(time.time() - self._first_seen[job.video])
        of = f" ({self.finished:,} of {self.videos:,})" if self.videos > 1 else ""
        return [f"{_clock()}  {printable(job.video)}: done in {took}{of}"]

    def fail(self, number: Number, trace: str) -> list[str]:
        """A job has failed. trace: what Snakemake says of it, for a job that left no reason."""
        job = self.running.pop(number, None)
        if job is None:
            return trace.splitlines()
        self.failed[job.stage] += 1
        self.failed_videos.add(job.video)
        record = job_records.read(RESULTS / job.video, job.stage)
        if record.get("state") != "failed" or record.get("ended", 0.0) < job.began - 1:
            lines = [f"{_clock()}  {printable(job.video)}: {job.stage} failed; Snakemake says:"]
            return lines + [printable(line) for line in trace.splitlines()]
        error = record.get("error", "")
        if record.get("class") == "killed":  # the summary says it of all
            return []
        cause = without_names(RESULTS, job.video, job.stage, error)
        self._causes[cause] += 1
        if self._causes[cause] <= ALIKE:
            return [f"{_clock()}  failed: {printable(error)}"]
        if self._causes[cause] == ALIKE + 1:
            return [f"{_clock()}  failed: … and others like it, which the summary counts"]
        return []

    def progress(self, job: Job) -> str:
        """How far a job at work is: '12 of 80 keyframes'; empty where it does not say."""
        record = job_records.read(RESULTS / job.video, job.stage)
        total = record.get("items_total")
        if record.get("state") != "running" or not total:
            return ""
        return f"{record.get('items_done', 0):,} of {total:,} {STAGES[job.stage].items}"

    def headline(self) -> str:
        """'41 of 522 videos, 3 failed'."""
        failed = f", {len(self.failed_videos)} failed" if self.failed_videos else ""
        return f"{self.finished:,} of {count(self.videos, 'video')}{failed}"


def _clock() -> str:
    return time.strftime("%H:%M:%S")
