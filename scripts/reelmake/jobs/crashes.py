"""Processes of jobs that an engine has ended: nothing in them could say why."""

import signal
from pathlib import Path

from reelmake.library import job_records
from reelmake.library.stages import STAGES

NUMBERS = frozenset(
    {signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV, signal.SIGSYS}
)
"""The signals that a process is ended by for what it does itself; others come from outside."""


def why(engine: str, status: int) -> str:
    """The cause, and what to do. engine: such as "sherpa-onnx". status: of the process's exit; less
    than 0: the number of the signal that ended it."""
    how = signal.Signals(-status).name if status < 0 else f"status {status}"
    if status == -signal.SIGILL:
        return (
            f"{engine} ended its process ({how}: it asked for what this processor can't do); it "
            "may be compiled for another one: remove .venv and run `make setup` on this machine"
        )
    return f"{engine} ended its process ({how}); the log may say why. Check its models"


def record(results: Path, rule: str, status: int) -> str:
    """Write down that the video's job of a rule, whose process is gone, has failed; the reason.

    results: of the video. status: as for `why`.
    """
    stage = next(stage.name for stage in STAGES.values() if stage.rule == rule)
    before = job_records.read(results, stage)
    engine = next(iter(before.get("engines", {})), "an engine")
    error = f"{results.name}: {stage}: {why(engine, status)}: {before.get('log')}"
    if before.get("state") == "running":
        job_records.write(results, stage, before | job_records.failure(error, "engine"))
    return error
