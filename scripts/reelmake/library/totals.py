"""What all stages of a video amount to. The last job of a video keeps it in its own record, so
that a finished video costs one record, not one for each stage.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reelmake.jobs.job import read_record
from reelmake.library import measures
from reelmake.library.stages import STAGES

Records = Mapping[str, Mapping[str, Any]]
"""Job records by stage."""

Totals = dict[str, Any]
"""{"media_seconds" (null: nobody knows), "bytes", "segments", "frames", "descriptions",
"highlights", "stages": {stage: {"started" (seconds since 1970), "seconds" (null: the job did not
compute it), "bytes", "cache" (hit, miss or off), "saved": seconds that computing it took once, if
it was restored}}}"""

COUNTED = ("bytes", "segments", "frames", "descriptions", "highlights")


def collect(results: Path) -> Totals:
    """The totals of the video in `results`, all of whose other stages are done."""
    records = {name: read_record(results, name) for name in STAGES}
    return add_up(results, {name: record for name, record in records.items() if record})


def add_up(results: Path, records: Records) -> Totals:
    """The totals of the stages whose records are given: each is done.

    Where a record says nothing of what was made (an earlier version wrote it), the artifacts do.
    """
    totals: Totals = {"media_seconds": None} | dict.fromkeys(COUNTED, 0) | {"stages": {}}
    for name, record in records.items():
        if name == "manifest":
            continue
        found = record.get("made") or measures.count(name, results)
        totals["media_seconds"] = found.get("media_seconds", totals["media_seconds"])
        if not STAGES[name].temporary:
            for counted in COUNTED:
                totals[counted] += found.get(counted, 0)
        totals["stages"][name] = {
            "started": record.get("started"),
            "seconds": seconds(name, records),
            "bytes": found["bytes"],
            "cache": record.get("cache", "off"),
            "saved": record.get("saved", 0.0),
        }
    return totals


def are_whole(found: object) -> bool:
    """Whether this is what `add_up` gives: job records are files that others may write."""
    return (
        isinstance(found, dict)
        and found.keys() >= {"media_seconds", "stages", *COUNTED}
        and isinstance(found["stages"], dict)
    )


def seconds(stage: str, records: Records) -> float | None:
    """How long computing the stage's artifact took; None where the job did not compute it.

    A job that went on after another one's items stands, by its rate, for the whole.
    """
    record = records[stage]
    if "ended" not in record or "started" not in record or record.get("cache") == "hit":
        return None
    if STAGES[stage].temporary:  # left out where the cache has what it is for
        users = [name for name in records if stage in STAGES[name].upstream]
        if users and all(records[name].get("cache") == "hit" for name in users):
            return None
    resumed, total = record.get("items_resumed", 0), record.get("items_total", 0)
    if resumed and resumed >= total:
        return None
    share = 1 - resumed / total if resumed else 1.0
    took: float = max(0.0, record["ended"] - record["started"])
    return round(took / share, 3)
