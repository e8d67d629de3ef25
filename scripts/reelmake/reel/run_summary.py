"""What became of a run, in a few lines at its end: from the job records that it has written."""

import re
import shlex
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from reelmake.foundation import text
from reelmake.foundation.units import show_seconds
from reelmake.library import library_scan
from reelmake.library.job_records import state
from reelmake.library.stages import STAGES


class _Job(NamedTuple):
    video: str
    stage: str
    state: str
    record: dict[str, Any]

    @property
    def seconds(self) -> float:
        ended = self.record.get("ended", self.record.get("updated", 0.0))
        return max(0.0, float(ended - self.record["started"]))


def lines(
    results: Path,
    began: float,
    now: float,
    left_out: int,
    argv: Sequence[str],
    can_try: Callable[[str], bool],
) -> list[str]:
    """The summary of the run that began at `began` and is over `now` (seconds since 1970).

    left_out: how many videos it did not take. argv: the run's own command. can_try: whether the
    next run tries a stage again that films went on without, as `Library` has it. Reads only the
    records of videos that had a job since. Empty where no job was started.
    """
    jobs = _jobs(results, began)
    if not jobs:
        return []
    without = [job for job in jobs if job.state == "failed" and STAGES[job.stage].can_fail]
    failed = [job for job in jobs if job.state == "failed" and not STAGES[job.stage].can_fail]
    stopped = [job for job in jobs if job.state in ("killed", "running")]
    said = [_first_line(jobs, failed, stopped, left_out, now - began)]
    said += _reasons(results, failed)
    said += _unheard(jobs) + _doubtful(jobs) + _untranslated(jobs)
    said += _without(results, without, can_try)
    if stopped:
        said.append(
            f"  stopped: {text.count(len(stopped), 'job')} "
            f"({text.some([job.video for job in stopped])}); the same command goes on with them"
        )
    if failed:
        said.append(f"  the failed ones again: {retry(argv)}")
    return said


def retry(argv: Sequence[str]) -> str:
    """The command that takes the same videos as a run's own, but only those that failed.

    It is Snakemake's last `--config` that counts, so what was given there stays in it.
    """
    given = [word for word in argv[1:] if not word.startswith("failed=")]
    places = [place for place, word in enumerate(given) if word in ("--config", "-C")]
    if places:
        given.insert(places[-1] + 1, "failed=only")
    else:
        given += ["--config", "failed=only"]
    return shlex.join(["snakemake", *given])


def _jobs(results: Path, began: float) -> list[_Job]:
    """The jobs that started since, of all videos below `results`."""
    return [
        _Job(video, stage, state(record), record)
        for video, records in library_scan.changed(results, began)
        for stage, record in records.items()
        if (record.get("started") or 0.0) >= began
    ]


def _first_line(
    jobs: list[_Job], failed: list[_Job], stopped: list[_Job], left_out: int, seconds: float
) -> str:
    done = [job for job in jobs if job.state == "done"]
    finished = sum(job.stage == "manifest" for job in done)
    restored = sum(job.record.get("cache") == "hit" for job in done)
    videos = [f"{text.count(finished, 'video')} done"]
    for what, some in (("failed", failed), ("stopped", stopped)):
        if some:
            videos.append(f"{len({job.video for job in some})} {what}")
    if left_out:
        videos.append(f"{left_out} left out")
    gpu = sum(job.seconds for job in jobs if STAGES[job.stage].gpu)
    work = [f"{text.count(len(done), 'job')} in {show_seconds(seconds)}"]
    if restored:
        work.append(f"{restored} restored from the cache")
    work.append(f"{show_seconds(gpu)} in GPU stages")
    return f"{', '.join(videos)}; {', '.join(work)}"


def _unheard(jobs: list[_Job]) -> list[str]:
    """A line where the run's transcripts may lack speech."""
    found = _counted(jobs, "transcript", "unheard")
    if not found:
        return []
    return [
        f"  voices without a word: {show_seconds(sum(found.values()))} in "
        f"{text.videos(list(found))}; `unheard` in transcript.json says where"
    ]


def _doubtful(jobs: list[_Job]) -> list[str]:
    """A line where the run's models wrote what nobody may have said."""
    found = _counted(jobs, "transcript", "doubtful")
    if not found:
        return []
    return [
        f"  doubtful: {text.count(int(sum(found.values())), 'sentence')} in "
        f"{text.videos(list(found))}; `dropped` and `doubt` in transcript.json say which"
    ]


def _without(results: Path, failed: list[_Job], can_try: Callable[[str], bool]) -> list[str]:
    """A line for each reason why films went on without what a stage makes."""
    said = []
    for (kind, stage, message), jobs in _causes(results, failed):
        again = (
            "the next run tries that again"
            if can_try(stage)
            else "that is tried again once the models are here (`reel models`)"
        )
        videos = text.videos([job.video for job in jobs])
        said.append(f"  without {stage}: {videos} ({kind}): {message}; {again}")
    return said


def _untranslated(jobs: list[_Job]) -> list[str]:
    """A line where the text model failed to translate some lines."""
    found = _counted(jobs, "translations", "untranslated")
    if not found:
        return []
    return [
        f"  not translated: {text.count(int(sum(found.values())), 'line')} in "
        f"{text.videos(list(found))}; `failed` in translations.json says which"
    ]


def _counted(
    jobs: list[_Job], stage: str, counted: Literal["unheard", "doubtful", "untranslated"]
) -> dict[str, float]:
    """What was counted of each artifact of a stage of the run in which there is any."""
    return {
        job.video: job.record["made"][counted]
        for job in jobs
        if job.stage == stage and job.state == "done" and job.record.get("made", {}).get(counted)
    }


def _causes(results: Path, failed: list[_Job]) -> list[tuple[tuple[str, str, str], list[_Job]]]:
    """The jobs by their cause (class, stage, error), the most frequent first."""
    groups: dict[tuple[str, str, str], list[_Job]] = defaultdict(list)
    for job in failed:
        cause = without_names(results, job.video, job.stage, job.record.get("error", ""))
        groups[job.record.get("class", ""), job.stage, cause].append(job)
    return sorted(groups.items(), key=lambda group: -len(group[1]))


def _reasons(results: Path, failed: list[_Job]) -> list[str]:
    """One line a reason, for however many videos."""
    said = []
    for (kind, stage, message), jobs in _causes(results, failed):
        if len(jobs) == 1:
            said.append(f"  failed ({kind}): {jobs[0].record.get('error', '')}")
        else:
            videos = text.videos([job.video for job in jobs])
            said.append(f"  failed ({kind}): {videos}: {stage}: {message}")
    return said


def without_names(results: Path, video: str, stage: str, error: str) -> str:
    """A job's error without what is different for each video: two of one cause are the same.

    error: of its record. results: the folder of all videos.
    """
    message = error.removeprefix(f"{video}: {stage}: ")
    sidecar = library_scan.read(str(results / video / "fingerprints" / f"{stage}.json"))
    path = sidecar.get("source", {}).get("path", "")
    for own in (path, Path(path).name, f"{results}/{video}"):
        message = re.sub(rf"(?<!\w){re.escape(own)}(?!\w)", "…", message) if own else message
    return message
