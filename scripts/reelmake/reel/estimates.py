"""How long jobs took in this library, and what that says of those to come."""

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from reelmake.library.stages import STAGES

RECENT = 50
"""Jobs of a stage that an estimate is made from: another model soon makes its own history."""

PAUSE = 60.0
"""Seconds without a job from which on nothing was running; less is a run's own work."""

SHORTEST = 1 / 60
"""Minutes that a video counts at least: some have no length."""


class Past(NamedTuple):
    """A job that computed something. started: s since 1970; minutes: of media; host: the machine
    that ended its video, since it did all of it or most."""

    started: float
    seconds: float
    minutes: float
    host: str = ""


class Estimate(NamedTuple):
    """Seconds of work, and the variance of that."""

    mean: float
    variance: float

    def __add__(self, other: object) -> "Estimate":
        if not isinstance(other, Estimate):
            return NotImplemented
        return Estimate(self.mean + other.mean, self.variance + other.variance)

    def quantiles(self) -> tuple[float, float]:
        """p50 and p90, of a log-normal distribution: work never takes less than no time, but may
        take far longer."""
        if self.mean <= 0:
            return 0.0, 0.0
        spread = math.log(1 + self.variance / self.mean**2)
        median = self.mean / math.exp(spread / 2)
        return median, median * math.exp(1.2816 * math.sqrt(spread))


class Lengths:
    """How long the library's videos are, for those that nobody has looked into yet."""

    def __init__(self) -> None:
        self._bytes = self._seconds_of_sized = self._seconds = 0.0
        self._videos = 0

    def add(self, seconds: float | None, size: int | None) -> None:
        """Take note of a video: its length, and the bytes of its source."""
        if seconds is None:
            return
        self._seconds += seconds
        self._videos += 1
        if size:
            self._bytes += size
            self._seconds_of_sized += seconds

    def guess(self, size: int | None) -> float | None:
        """Seconds of media in a source of so many bytes (None: unknown); None: no idea."""
        if size is not None and self._bytes:
            return size * self._seconds_of_sized / self._bytes
        return self._seconds / self._videos if self._videos else None


class History:
    """What is known of the jobs of one library."""

    def __init__(self) -> None:
        self._jobs: dict[str, list[Past]] = defaultdict(list)
        self._saved: dict[str, list[Past]] = defaultdict(list)
        self._made: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])

    def add(self, stage: str, past: Past) -> None:
        """Take note of a job."""
        self._jobs[stage].append(past)

    def add_all(self, totals: Mapping[str, Any], host: str = "") -> None:
        """Take note of a video's jobs, by its totals (`job_records.Totals`). host: as `Past` has
        it."""
        if totals["media_seconds"] is None:
            return
        minutes = max(SHORTEST, totals["media_seconds"] / 60)
        if "keyframes" in totals["stages"]:
            self._add_made("frames", totals["frames"], minutes)
        for stage, done in totals["stages"].items():
            self._add_made(stage, done["bytes"], minutes)
            if done["seconds"] is not None:
                self._jobs[stage].append(Past(done["started"], done["seconds"], minutes, host))
            elif done.get("saved"):
                self._saved[stage].append(Past(done["started"], done["saved"], minutes))

    def knows(self, stage: str) -> bool:
        """Whether any job of the stage is known."""
        return bool(self._jobs.get(stage) or self._saved.get(stage))

    def work(self, stage: str, minutes: float) -> Estimate | None:
        """What the stage takes for so many minutes of media in all; None: no job is known.

        The variance of a job's time grows with the length of its video.
        """
        # What the cache restored was computed once, but perhaps on another machine.
        jobs = heapq.nlargest(RECENT, self._jobs.get(stage) or self._saved.get(stage, []))
        if not jobs:
            return None
        known = sum(job.minutes for job in jobs)
        rate = sum(job.seconds for job in jobs) / known
        if len(jobs) > 1:
            off = sum((job.seconds - rate * job.minutes) ** 2 / job.minutes for job in jobs)
            variance = off / (len(jobs) - 1)
        else:
            variance = (rate / 2) ** 2 * known  # one job is no more than a hint
        # What is left varies, and the rate itself is known from few.
        return Estimate(rate * minutes, variance * (minutes + minutes**2 / known))

    def made(self, what: str, minutes: float) -> float | None:
        """The bytes that a stage makes of so many minutes of media, or the "frames" that there
        are in them; None: nobody knows."""
        made, known = self._made.get(what, (0.0, 0.0))
        return made / known * minutes if known else None

    def _add_made(self, what: str, number: float, minutes: float) -> None:
        self._made[what][0] += number
        self._made[what][1] += minutes

    def parallelism(self) -> float:
        """Seconds of work done in a second while the latest jobs ran, on all machines together; 1
        where none is known."""
        latest = self._latest()
        return _pace(latest, _busy(latest))

    def parallelism_of_one(self) -> float:
        """The same of one machine, on average: of each only the time counts in which it worked."""
        latest = self._latest()
        hosts = {job.host for job in latest}
        busy = sum(_busy([job for job in latest if job.host == host]) for host in hosts)
        return _pace(latest, busy)

    def _latest(self) -> list[Past]:
        return heapq.nlargest(4 * RECENT, (job for jobs in self._jobs.values() for job in jobs))


def _busy(jobs: Iterable[Past]) -> float:
    """Seconds in which any of the jobs ran, with short pauses."""
    busy, reached = 0.0, -math.inf
    for started, seconds in sorted((job.started, job.seconds) for job in jobs):
        ended = started + seconds
        before = reached if started - reached < PAUSE else started
        busy += max(0.0, ended - before)
        reached = max(reached, ended)
    return busy


def _pace(jobs: Iterable[Past], busy: float) -> float:
    worked = sum(job.seconds for job in jobs)
    return worked / busy if worked and busy else 1.0


class Outlook(NamedTuple):
    """How long work will take, in seconds of the clock, with even odds and with nine in ten; and
    the stages that it leaves out, because none of their jobs is known."""

    p50: float
    p90: float
    without: list[str]


def outlook(history: History, left: Iterable[Mapping[str, float]]) -> Outlook | None:
    """How long the work that is left will take; None where nothing is known of any of it.

    left: for each video the minutes of media that its stages still have to go through. It takes
    as long as all of it does at the usual pace, or as the longest video does in its order.
    """
    minutes: dict[str, float] = defaultdict(float)
    chain = 0.0
    rates: dict[str, float] = {}
    for stage in STAGES:
        one = history.work(stage, 1.0)
        if one is not None:
            rates[stage] = one.mean
    for video in left:
        reached: dict[str, float] = {}
        for stage, each in video.items():
            minutes[stage] += each
            before = max((reached.get(name, 0.0) for name in STAGES[stage].upstream), default=0.0)
            reached[stage] = before + rates.get(stage, 0.0) * each
        chain = max(chain, *reached.values(), 0.0)
    known = {stage: history.work(stage, each) for stage, each in minutes.items()}
    without = [stage for stage in STAGES if stage in known and known[stage] is None]
    estimates = [estimate for estimate in known.values() if estimate is not None]
    if all(known[stage] is None for stage in known if stage != "manifest"):  # which takes no time
        return None
    p50, p90 = sum(estimates, Estimate(0.0, 0.0)).quantiles()
    took = max(p50 / history.parallelism(), chain)
    return Outlook(took, took * (p90 / p50 if p50 else 1.0), without)
