"""What Slurm knows of jobs, asked of its own programs, which are there or not.

A job is of a library where a Snakemake of this user's has submitted it in the library's folder
(Slurm's WorkDir): so the jobs of a run that is gone are found, too, and those that still wait.
"""

import functools
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

WAITING = ("PENDING", "CONFIGURING", "REQUEUED", "SUSPENDED")
"""States of a job that has not begun, or that is held up."""
FRESH = 5
"""Seconds that an answer counts for: thousands of records may ask."""
WHY = {
    "OUT_OF_MEMORY": "it needed more memory than it was given",
    "TIMEOUT": "its time was up",
    "NODE_FAIL": "its node was lost",
    "PREEMPTED": "another job was more important",
    "CANCELLED": "it was cancelled",
    "BOOT_FAIL": "its node did not start",
    "DEADLINE": "its deadline has passed",
}
"""States of a job that was ended by Slurm, and what they mean."""


PRINTED = {
    "memory limit": "OUT_OF_MEMORY",
    "oom_kill": "OUT_OF_MEMORY",
    "oom-kill": "OUT_OF_MEMORY",
    "DUE TO TIME LIMIT": "TIMEOUT",
    "DUE TO NODE FAILURE": "NODE_FAIL",
    "DUE TO PREEMPTION": "PREEMPTED",
}
"""Slurm's words at the end of what a job has printed, and the state that they stand for."""


class Job(NamedTuple):
    """A job that waits or runs. state: Slurm's word."""

    id: str
    state: str


def this_job() -> str | None:
    """The number of the job that this process is part of; None: it is not one of Slurm's."""
    return os.environ.get("SLURM_JOB_ID")


def this_owner() -> str | None:
    """That number with the user, as `is_over` takes it: of others' jobs Slurm may say nothing."""
    job = this_job()
    return f"{job} of {os.getuid()}" if job else None


def jobs(folder: Path) -> list[Job]:
    """The jobs of a library in a folder that are not over, without the one that this process may
    be in; none where nobody knows."""
    asked = ["squeue", "-h", "--me", "-o", "%i|%T|%j|%k|%Z"]
    lines = [line.split("|", 4) for line in (_ask(*asked) or "").splitlines()]
    here, mine = str(folder.resolve()), this_job()
    return [
        Job(id, state)
        for id, state, name, comment, place in (line for line in lines if len(line) == 5)
        # As Snakemake's executors call them: cluster-generic, and the one for Slurm.
        if place == here and (name.startswith("snakejob.") or comment.startswith("rule_"))
        if id != mine and state != "COMPLETING"
    ]


def is_over(owner: str) -> bool | None:
    """Whether the job that `this_owner` named has ended; None where nobody knows, as where Slurm
    does not answer."""
    job, _, user = owner.partition(" of ")
    if user != str(os.getuid()):
        return None
    there = _active(int(time.monotonic() / FRESH))
    return None if there is None else job not in there


def why_ended(job: str) -> str | None:
    """Why Slurm has ended a job; None: it ended by itself, or nobody knows."""
    said = (_ask("squeue", "-h", "-t", "all", "-j", job, "-o", "%T|%r") or "").strip()
    if not said:  # forgotten there
        said = (_ask("sacct", "-X", "-n", "-P", "-j", job, "-o", "State,Reason") or "").strip()
    state, _, reason = said.partition("|")
    state = state.partition(" ")[0]  # "CANCELLED by 0"
    if state == "FAILED":
        # Where memory is not the kernel's to limit (cgroups), Slurm's state does not say it.
        printed = _printed(job)
        found = next((state for words, state in PRINTED.items() if words in printed), None)
        if found is None and reason in ("JobLaunchFailure", "NodeDown"):
            return f"its processes were killed, or its node was lost (Slurm: {reason})"
        state = found or state
    return f"{WHY[state]} (Slurm: {state})" if state in WHY else None


def _printed(job: str) -> str:
    """The end of what a job has printed, Slurm's own words among it."""
    said = _ask("scontrol", "show", "job", "-o", job) or ""
    found = re.search(r" StdOut=(\S.*?)(?: \w+=|$)", said)
    try:
        return Path(found[1]).read_text(errors="replace")[-4000:] if found else ""
    except OSError:
        return ""


def cancel(ids: Iterable[str]) -> None:
    """Take jobs that wait off the queue, and kill those that run."""
    if given := list(ids):
        _ask("scancel", *given)


def tell(ids: Iterable[str], number: signal.Signals) -> None:
    """Send a signal to the processes of jobs that run."""
    if given := list(ids):
        name = number.name.removeprefix("SIG")
        # Of the slurm plugin's jobs the steps, and of a plain sbatch's the batch shell.
        _ask("scancel", f"--signal={name}", *given)
        _ask("scancel", f"--signal={name}", "--batch", *given)


def stop(some: Iterable[Job]) -> None:
    """Take off the queue those that wait, and tell those that run to end after their items."""
    by_waiting: dict[bool, list[str]] = {True: [], False: []}
    for job in some:
        by_waiting[job.state in WAITING].append(job.id)
    cancel(by_waiting[True])
    tell(by_waiting[False], signal.SIGTERM)


@functools.lru_cache(maxsize=1)
def _active(moment: int) -> frozenset[str] | None:
    said = _ask("squeue", "-h", "-o", "%A")
    return None if said is None else frozenset(said.split())


def _ask(*command: str) -> str | None:
    """What a program prints; None where it is not there, fails, or does not answer."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
