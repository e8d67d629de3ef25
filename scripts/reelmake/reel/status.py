"""How a library is doing: `schemas/status.schema.json` says what each value is."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from reelmake.foundation import process_identity
from reelmake.jobs import warm_jobs
from reelmake.library import run_lock
from reelmake.library.library_scan import STATES, Facts
from reelmake.library.measures import COUNTED, SINCE
from reelmake.library.stages import STAGES, TARGETS
from reelmake.reel import estimates
from reelmake.reel.estimates import History, Lengths, Past

Status = dict[str, Any]

HOUR = 3600.0

_COPIED = ("started", "updated", "ended", "host", "pid", "attempt", "log", "cache")


def status(videos: Sequence[Facts], now: float | None = None) -> Status:
    """The status of a library. videos: as `Scan.look` gives them. now: seconds since 1970."""
    now = time.time() if now is None else now
    run = _run()
    states = Counter(video.state for video in videos)
    found: Status = {
        "now": round(now, 3),
        "run": run,
        "videos": {"total": len(videos)} | {state: states[state] for state in STATES},
        "stages": _stages(videos),
        "media_seconds": round(sum(video.totals["media_seconds"] or 0.0 for video in videos), 3),
    }
    for name, none in SINCE.items():
        found[name] = round(sum(video.totals.get(name, none) for video in videos), 3)
    for counted in COUNTED:
        found[counted] = sum(video.totals[counted] for video in videos)
    found["descriptions"] += sum(
        record.get("items_done", 0) - record.get("items_failed", 0)
        for record in _begun(videos, "scenedesc")
    )
    return found | {
        "cache": _cache(videos),
        "models": warm_jobs.loaded(),
        "running": _jobs(videos, "running"),
        "killed": _jobs(videos, "killed"),
        "failed": _jobs(videos, "failed"),
        "rate": _rate(videos, run, now),
        "eta": _eta(videos, now),
    }


def video_status(video: Facts, fingerprints: Mapping[str, Any]) -> Status:
    """The status of one video: `schemas/status_video.schema.json`.

    fingerprints: by stage, as they are on disk.
    """
    stages = {
        stage: {"state": state}
        | _job(stage, video.records.get(stage, {}))
        | {"fingerprint": fingerprints.get(stage)}
        for stage, state in video.states.items()
    }
    totals: dict[str, Any] = {"media_seconds": video.totals["media_seconds"]}
    totals |= {name: video.totals.get(name, none) for name, none in SINCE.items()}
    totals |= {name: video.totals[name] for name in COUNTED}
    return {"video": video.video, "state": video.state} | totals | {"stages": stages}


def remembered(videos: Sequence[Facts]) -> tuple[History, Lengths]:
    """What the videos say of how long jobs take, and of how long videos are."""
    known, lengths = History(), Lengths()
    for video in videos:
        known.add_all(video.totals, video.records.get("manifest", {}).get("host") or "")
        lengths.add(video.totals["media_seconds"], video.size)
    return known, lengths


def _run() -> dict[str, Any] | None:
    """The run that holds the library, or may hold it; None where it is gone."""
    holder = run_lock.read_owner()
    lives = process_identity.is_alive(holder) if holder else False
    if lives is False:
        return None
    return {name: holder.get(name) for name in ("pid", "host", "since")} | {"certain": bool(lives)}


def _stages(videos: Sequence[Facts]) -> dict[str, dict[str, int]]:
    counts = {stage: dict.fromkeys(STATES, 0) for stage in STAGES}
    for video in videos:
        for stage, state in video.states.items():
            if stage in counts:
                counts[stage][state] += 1
    # Few libraries have videos on the web, or translations.
    rare = {*TARGETS["translations"], *(name for name in STAGES if STAGES[name].urls)}
    return {
        stage: count for stage, count in counts.items() if any(count.values()) or stage not in rare
    }


def _begun(videos: Sequence[Facts], stage: str) -> list[dict[str, Any]]:
    """The records of the stage's jobs that have made, and kept, a part of their artifact."""
    return [
        video.records[stage]
        for video in videos
        if video.states.get(stage) in ("running", "killed", "failed")
        if "items_resumed" in video.records[stage]
    ]


def _jobs(videos: Sequence[Facts], state: str) -> list[dict[str, Any]]:
    """The jobs in that state, the latest first."""
    found = [
        {"video": video.video, "stage": stage} | _job(stage, video.records[stage])
        for video in videos
        if len(video.records) > 1 or video.state == state
        for stage, each in video.states.items()
        if each == state
    ]
    return sorted(found, key=lambda job: job.get("started") or job.get("ended") or 0, reverse=True)


def _job(stage: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """What a job record says, without what is the same for all."""
    found = {name: record.get(name) for name in _COPIED}
    done, total = record.get("items_done"), record.get("items_total")
    items = None
    if done is not None and total is not None:
        items = {"done": done, "total": total, "unit": STAGES[stage].items}
    error = None
    if record.get("state") == "failed":
        error = {"class": record.get("class"), "message": record.get("error", "")}
    return found | {"items": items, "error": error}


def _cache(videos: Sequence[Facts]) -> dict[str, Any]:
    asked = Counter(done["cache"] for video in videos for done in video.totals["stages"].values())
    both = asked["hit"] + asked["miss"]
    ratio = round(asked["hit"] / both, 4) if both else None
    return {"hits": asked["hit"], "misses": asked["miss"], "ratio": ratio}


def _rate(videos: Sequence[Facts], run: Mapping[str, Any] | None, now: float) -> Any:
    """How fast videos were finished in the run's last hour; None without a run."""
    if run is None:
        return None
    window = max(1.0, min(HOUR, now - (run["since"] or now)))
    seconds = [
        video.totals["media_seconds"] or 0.0
        for video in videos
        if video.state == "done" and _ended(video) > now - window
    ]
    return {
        "window": round(window, 3),
        "videos": len(seconds),
        "videos_per_hour": round(len(seconds) / window * HOUR, 2),
        "media_per_second": round(sum(seconds) / window, 3),
    }


def _ended(video: Facts) -> float:
    ended: float = video.records.get("manifest", {}).get("ended", 0.0)
    return ended


def _eta(videos: Sequence[Facts], now: float) -> Any:
    """How long the videos that have not failed will still take; None where nothing is known."""
    known, lengths = remembered(videos)
    left = []
    for video in videos:
        if video.state in ("done", "failed"):
            continue
        seconds = video.totals["media_seconds"]
        seconds = lengths.guess(video.size) if seconds is None else seconds
        minutes = max(estimates.SHORTEST, (seconds or 0.0) / 60)
        for stage, state in video.states.items():
            if state in ("running", "killed") and not known.knows(stage):
                until = now if state == "running" else video.records[stage].get("updated", now)
                _add_unfinished(known, stage, video.records[stage], minutes, until)
        left.append(
            {
                stage: minutes * (1 - _share(video.records.get(stage, {}), state))
                for stage, state in video.states.items()
                if state != "done"
            }
        )
    found = estimates.outlook(known, left) if left else estimates.Outlook(0.0, 0.0, [])
    if found is None:
        return None
    return {"p50": round(found.p50, 1), "p90": round(found.p90, 1), "without": found.without}


def _share(record: Mapping[str, Any], state: str) -> float:
    """Which part of a stage is done already: what a killed job did is in its journal."""
    done, total = record.get("items_done", 0), record.get("items_total", 0)
    known = state == "running" or (state == "killed" and "items_resumed" in record)
    return min(1.0, done / total) if known and total else 0.0


def _add_unfinished(
    known: History, stage: str, record: Mapping[str, Any], minutes: float, until: float
) -> None:
    """Where no job of a stage has ended yet, what one has done of its items is a hint."""
    done = record.get("items_done", 0) - record.get("items_resumed", 0)
    if done > 0:
        started = record.get("started", until)
        known.add(stage, Past(started, (until - started) * record["items_total"] / done, minutes))
