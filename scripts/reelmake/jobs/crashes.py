"""Processes of jobs that an engine has ended: nothing in them could say why."""

import signal
import time
from pathlib import Path

from reelmake.library import job_records
from reelmake.library.stages import STAGES

NUMBERS = frozenset(
    {signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV, signal.SIGSYS}
)
"""The signals that a process is ended by for what it does itself; others come from outside."""


def why(engine: str, number: int) -> str:
    """The cause, and what to do. engine: such as "sherpa-onnx". number: of the signal."""
    name = signal.Signals(number).name
    if number == signal.SIGILL:
        return (
            f"{engine} ended its process ({name}: it asked for what this processor can't do); it "
            "may be compiled for another one: remove .venv and run `make setup` on this machine"
        )
    return f"{engine} ended its process ({name}); the log may say why. Check its models"


def record(results: Path, rule: str, number: int) -> str:
    """Write down that the video's job of a rule, whose process is gone, has failed; the reason.

    results: of the video. number: of the signal that ended it.
    """
    stage = next(stage.name for stage in STAGES.values() if stage.rule == rule)
    before = job_records.read(results, stage)
    engine = next(iter(before.get("engines", {})), "an engine")
    error = f"{results.name}: {stage}: {why(engine, number)}: {before.get('log')}"
    if before.get("state") == "running":
        ended = round(time.time(), 3)
        failed: job_records.JobRecord = {"state": "failed", "error": error, "class": "engine"}
        job_records.write(results, stage, before | failed | {"ended": ended})
    return error
