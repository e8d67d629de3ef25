"""Job records: `results/V/jobs/S.json` says what happened to the stage S of the video V.

Records are built here and nowhere else. The job itself writes its record: when it starts, at most
once a second while it works, and when it ends.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict, cast

from reelmake.foundation import artifact_files, process_identity
from reelmake.foundation.errors import Kind

State = Literal["running", "done", "failed"]

SILENT = 3600.0
"""Seconds without news after which a job of another machine that reports items is given up."""


class Made(TypedDict, total=False):
    bytes: int
    media_seconds: float | None
    segments: int
    frames: int
    descriptions: int
    highlights: int
    unheard: float
    doubtful: int
    broken_cues: int
    without_speakers: int
    frames_with_text: int
    untranslated: int


"""What a stage made, in numbers: `bytes` of its artifacts on disk, and what else is counted of
it. `media_seconds` is null where nobody knows the film's length."""


class StageTotals(TypedDict):
    """Of one stage of a video.

    started: seconds since 1970. seconds: that the job took; None: it did not compute the artifact.
    saved: seconds that computing it took once, if it was restored.
    """

    started: float | None
    seconds: float | None
    bytes: int
    cache: str
    saved: float


class Totals(TypedDict):
    """Of all stages of a video. media_seconds: None: nobody knows. unheard: seconds of voices
    without a word; doubtful: sentences that nobody may have said; broken_cues: subtitles that break
    the rules of `subtitles`; without_speakers: 1 where nobody knows who speaks; untranslated: lines
    that the model failed to translate; frames_with_text: those that were read and have some;
    records of an
    earlier version have none of them."""

    media_seconds: float | None
    bytes: int
    segments: int
    frames: int
    descriptions: int
    highlights: int
    unheard: NotRequired[float]
    doubtful: NotRequired[int]
    broken_cues: NotRequired[int]
    without_speakers: NotRequired[int]
    frames_with_text: NotRequired[int]
    untranslated: NotRequired[int]
    stages: dict[str, StageTotals]


JobRecord = TypedDict(
    "JobRecord",
    {
        "state": State,
        "key": str,
        "pid": int,
        "host": str,
        "boot": str | None,
        "process": int | None,
        "slurm": str,
        "attempt": int,
        "started": float,
        "updated": float,
        "ended": float,
        "log": str | None,
        "engines": dict[str, str],
        "cache": Literal["hit", "miss", "waiting", "off"],
        "saved": float,
        "made": Made,
        "totals": Totals,
        "items_done": int,
        "items_total": int,
        "items_resumed": int,
        "items_failed": int,
        "answers_at_once": int,
        "unit": str,
        "gpu": str,
        "retried": str,
        "asked": float,
        "error": str,
        "class": Kind,
    },
    total=False,
)
"""Which of the keys are there depends on the stage and on how far the job is.

`key`: of the fingerprint that the job had. `pid`, `host`, `boot`, `process`, `slurm`: who it is, as
`process_identity` has it. `started`, `updated`, `ended`, `asked`: seconds since 1970. `engines`:
distribution -> version. `saved`: seconds that computing the artifact took when it was restored
instead. `error` and `class`: of a failure."""


def read(results: Path, stage: str) -> JobRecord:
    """What happened to a stage of the video in `results`; empty where nothing is known."""
    found = artifact_files.read_json(results / "jobs" / f"{stage}.json")
    return cast(JobRecord, found) if isinstance(found, dict) else {}


def write(results: Path, stage: str, record: JobRecord) -> None:
    """Write down what happened to a stage. Not flushed to the disk: it can happen again."""
    artifact_files.write_json(results / "jobs" / f"{stage}.json", record, durable=False)


def begun(key: str, before: JobRecord, log: str, engines: dict[str, str]) -> JobRecord:
    """The record of a job that starts now, in this process.

    key: of its fingerprint. before: the record of the stage's job before it. log: the path of its
    log. engines: distribution -> version.
    """
    again = before.get("key") == key and before.get("state") != "done"
    me = process_identity.this_process()
    record: JobRecord = {
        "state": "running",
        "key": key,
        "pid": me["pid"],
        "host": me["host"],
        "boot": me["boot"],
        "process": me["process"],
        "attempt": before.get("attempt", 0) + 1 if again else 1,
        "started": round(time.time(), 3),
        "log": log,
        "engines": engines,
    }
    if "slurm" in me:
        record["slurm"] = me["slurm"]
    return record


def restored(
    key: str, started: float, made: Made, engines: dict[str, str], saved: float | None
) -> JobRecord:
    """The record of an artifact that was put in its place without a job.

    started: when that began, in seconds since 1970. saved: seconds that computing it took once;
    None: it did not come from the artifact cache.
    """
    now = round(time.time(), 3)
    me = process_identity.this_process()
    return {
        "state": "done",
        "key": key,
        "host": me["host"],
        "pid": me["pid"],
        "attempt": 1,
        "started": round(started, 3),
        "log": None,
        "engines": engines,
        "cache": "off" if saved is None else "hit",
        "saved": saved or 0.0,
        "made": made,
        "updated": now,
        "ended": now,
    }


def failure(error: str, kind: Kind) -> JobRecord:
    """What a record says of a job that has failed now. error: the reason. kind: its class."""
    return {"state": "failed", "error": error, "class": kind, "ended": round(time.time(), 3)}


def refuse(results: Path, reason: str) -> None:
    """Record that a video's first stage can't start, for a reason found before any job."""
    write(results, "media", failure(reason, "transient"))


def state(record: Mapping[str, Any], now: float | None = None) -> str:
    """What became of a job by its record: `running`, `done`, `failed`, or `killed`: stopped from
    outside, whether it could still say so or not. Empty for an empty record.

    Whether a job on another machine lives, nobody here can tell: it counts as running, unless it
    reports items and has been silent for `SILENT` seconds. now: seconds since 1970.
    """
    found: str = record.get("state", "")
    if found == "failed" and record.get("class") == "killed":
        return "killed"
    if found != "running":
        return found
    lives = process_identity.is_alive(cast(process_identity.Owner, record))
    if lives is None:
        since = (time.time() if now is None else now) - record.get("updated", 0)
        lives = "items_total" not in record or since < SILENT
    return "running" if lives else "killed"
