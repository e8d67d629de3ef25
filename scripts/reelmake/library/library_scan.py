"""What is known of each video from the fingerprints and job records below `results/`.

A finished video costs two small files: `fingerprints/manifest.json` and `jobs/manifest.json`,
which holds the totals of the video. No lock is taken, and nothing is written.
"""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reelmake.library import measures
from reelmake.library.failed_stages import CAN_FAIL
from reelmake.library.job_records import StageTotals, Totals, state
from reelmake.library.stages import STAGES

STATES = ("done", "running", "waiting", "failed", "killed")
"""Of a stage of a video: by its job record, if that is of the fingerprint that it has now."""

_SECOND = 1_000_000_000
"""Nanoseconds."""

_WRITTEN = _SECOND // 20
"""A folder's time is this close to that of the file which was renamed into it last; jobs, which
have to start first, are further apart."""


@dataclass(frozen=True)
class Facts:
    """What is known of a video.

    states: of each of its stages. records: the job records; of a finished one only the last.
    totals: of the stages that are done. size: bytes of the source, where it is a file.
    """

    video: str
    states: dict[str, str]
    records: dict[str, dict[str, Any]]
    totals: Totals
    size: int | None

    @property
    def state(self) -> str:
        """One of `STATES`: that of the stage which says the most. The failure of one that the
        video goes on without is none of the video's."""
        found = {
            "done" if state == "failed" and stage in CAN_FAIL else state
            for stage, state in self.states.items()
        }
        for each in ("running", "failed", "killed"):
            if each in found:
                return each
        return "done" if found == {"done"} else "waiting"


class Scan:
    """The folder `results`, looked at again and again: what has not changed is read once."""

    def __init__(self, results: Path):
        self._results = str(results)
        self._known: dict[str, tuple[tuple[int, int], Facts]] = {}

    def look(self) -> list[Facts]:
        """The facts of every video that has fingerprints or job records, by id."""
        found = []
        for name in _names(self._results):
            folder = f"{self._results}/{name}"
            # Both folders' files are renamed into them, so their times tell of any change.
            times = (_mtime(f"{folder}/jobs"), _mtime(f"{folder}/fingerprints"))
            if not any(times):
                continue
            known = self._known.get(name)
            if known is None or known[0] != times:
                known = (times, _facts(folder, name, times[0]))
                # Two changes may have one time by a file system's clock.
                settled = time.time_ns() - max(times) > 2 * _SECOND
                # Whether a job still lives, its record does not tell.
                if settled and "running" not in known[1].states.values():
                    self._known[name] = known
            found.append(known[1])
        return found

    def video(self, name: str) -> Facts | None:
        """The facts of one video, with all its records; None where there is none."""
        folder = f"{self._results}/{name}"
        if not any((_mtime(f"{folder}/jobs"), _mtime(f"{folder}/fingerprints"))):
            return None
        return _all_facts(folder, name)


def changed(results: Path, since: float) -> Iterator[tuple[str, dict[str, dict[str, Any]]]]:
    """Each video of which a job record was written since (seconds since 1970), and its records."""
    for name in _names(str(results)):
        folder = f"{results}/{name}/jobs"
        if _mtime(folder) >= (since - 1) * _SECOND:
            yield name, _read_all(folder)


def read(path: str) -> dict[str, Any]:
    """The JSON object in a file; empty where there is none. Faster than a path object's."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            found = json.loads(file.readall() or b"")
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _names(results: str) -> list[str]:
    try:
        with os.scandir(results) as entries:
            return sorted(entry.name for entry in entries if entry.name[0] != ".")
    except FileNotFoundError:
        return []


def _facts(folder: str, name: str, changed: int) -> Facts:
    """changed: when the folder of the job records did, in nanoseconds since 1970."""
    path = f"{folder}/jobs/manifest.json"
    last, wanted = read(path), read(f"{folder}/fingerprints/manifest.json")
    # Another job may have been at work since, as after a file was deleted.
    alone = _is_finished(last, wanted) and changed <= _mtime(path) + _WRITTEN
    if not (alone and measures.are_whole(last.get("totals"))):
        return _all_facts(folder, name)
    if any(last["totals"].get(f"without_{stage}") for stage in CAN_FAIL):
        return _all_facts(folder, name)  # what failed is in its own record
    found = _with_last(last["totals"], last)
    states = dict.fromkeys(found["stages"], "done")
    return Facts(name, states, {"manifest": last}, found, _size(wanted))


def _all_facts(folder: str, name: str) -> Facts:
    records, wanted = _read_all(f"{folder}/jobs"), _read_all(f"{folder}/fingerprints")
    # What a stage was made again for, and then not, left a record of another key behind.
    finished = _is_finished(records.get("manifest", {}), wanted.get("manifest", {}))
    states = {}
    for stage in wanted or records:
        record, key = records.get(stage, {}), wanted.get(stage, {}).get("key")
        found = state(record) or "waiting"
        of_another = key and record.get("key", None if found == "done" else key) != key
        if found != "running" and of_another:
            found = "done" if finished else "waiting"
        states[stage] = found
    done = {stage: record for stage, record in records.items() if states.get(stage) == "done"}
    done |= {stage: records[stage] for stage in CAN_FAIL if states.get(stage) == "failed"}
    added = measures.add_up(Path(folder), done)
    if states.get("manifest") == "done":
        added = _with_last(added, records.get("manifest", {}))
    return Facts(name, states, records, added, _size(wanted.get("manifest", {})))


def _is_finished(last: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return last.get("state") == "done" and "key" in last and last["key"] == wanted.get("key")


def _with_last(found: Totals, record: dict[str, Any]) -> Totals:
    """The totals with the stage that wrote them down, and could not count itself."""
    last: StageTotals = {
        "started": record.get("started"),
        "seconds": measures.seconds("manifest", {"manifest": record}),
        "bytes": 0,
        "cache": "off",
        "saved": 0.0,
    }
    with_last = found.copy()
    with_last["stages"] = found["stages"] | {"manifest": last}
    return with_last


def _read_all(folder: str) -> dict[str, dict[str, Any]]:
    """What each file of the folder says, by stage, in the table's order."""
    try:
        names = set(os.listdir(folder))
    except OSError:
        return {}
    return {stage: read(f"{folder}/{stage}.json") for stage in STAGES if f"{stage}.json" in names}


def _size(fingerprint: dict[str, Any]) -> int | None:
    size = fingerprint.get("source", {}).get("size")
    return size if isinstance(size, int) else None


def _mtime(path: str) -> int:
    """Nanoseconds since 1970; 0 where there is nothing."""
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0
