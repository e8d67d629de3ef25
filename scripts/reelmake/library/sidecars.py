"""Sidecars: the fingerprints on disk, `results/V/fingerprints/S.json`, and whether the artifacts
beside them are what they say.
"""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from reelmake.foundation import artifact_files
from reelmake.library import job_records, manifest, sources
from reelmake.library.fingerprints import Fingerprint
from reelmake.library.stages import STAGES, artifact_paths, chosen


def path(results: Path, stage: str) -> Path:
    """Where the sidecar of a stage lies, for the video in `results`."""
    return results / "fingerprints" / f"{stage}.json"


def read(results: Path, stage: str) -> dict[str, Any]:
    """The sidecar on disk; empty where there is none, or what is there is not one."""
    found = artifact_files.read_json(path(results, stage))
    return found if isinstance(found, dict) else {}


def read_all(results: Path) -> dict[str, Fingerprint]:
    """The sidecars on disk, by stage."""
    return {file.stem: read(results, file.stem) for file in path(results, "").parent.glob("*.json")}


def is_spoiled(results: Path, stage: str, wanted: dict[str, Fingerprint], unchanged: bool) -> bool:
    """Whether the artifact on disk is not what it seems to be by its fingerprint.

    A file is gone, or damaged so that it can't be read; a job that failed or was killed left, or
    one of an earlier run wrote, another artifact; the manifest lists what is no longer so. A file
    edited by hand is not spoiled: as with make, it stays until something before it changes.
    """
    key = wanted[stage]["key"]
    if not _artifacts_there(results, stage):
        return False
    if stage == "manifest":
        if manifest.is_for(results, key):
            names = chosen(wanted[stage]["settings"]["stages"]) & wanted.keys()
            return not manifest.matches(results, {name: wanted[name] for name in names})
        return not manifest.is_readable(results)
    if not unchanged:
        return False
    if manifest.lacks_files(results, stage, key):
        return True
    record = job_records.read(results, stage)
    # "running" is a job that was killed: Snakemake put back what was there before it.
    of_another = record.get("key", key) != key or record.get("state", "done") != "done"
    return of_another and not _vouched(results, wanted[stage])


def _artifacts_there(results: Path, stage: str) -> list[Path]:
    paths = [results / path for path in artifact_paths(STAGES[stage], results.name)]
    return [path for path in paths if path.exists()]


def write(path: Path, new: Fingerprint, results: Path, discard: bool) -> None:
    """Write a sidecar so that its time tells Snakemake whether the artifact is up to date.

    discard: take the artifact away, which Snakemake would keep since the sidecar says the same.
    """
    there = _artifacts_there(results, new["stage"])
    # Not flushed to disk: there are thousands, and a lost one is written again.
    artifact_files.write_json(path, new, durable=False)
    if discard:
        for artifact_path in there:
            artifact_files.remove(artifact_path)
    elif there and was_made(results, new):
        # A setting was changed and changed back, say: what is there is what is wanted.
        before = min(os.stat(artifact_path).st_mtime_ns for artifact_path in there) - 1_000_000
        os.utime(path, ns=(before, before))


def forget(results: Path, wanted: Collection[str]) -> None:
    """Remove the sidecars of stages that nobody wants and that never made their artifact: nobody
    should wait for it."""
    for stage in STAGES.keys() - wanted:
        if not _artifacts_there(results, stage):
            path(results, stage).unlink(missing_ok=True)


def leave_future(results: Path, now: int) -> bool:
    """Give what lies in the future times before `now` (ns), in their order; whether there is any.

    The clock was moved back. Snakemake would take old artifacts for newer than a sidecar that
    is written now, and refuses what a job makes now from an input that is newer.
    """
    files = list(path(results, "").parent.glob("*.json"))
    for stage in STAGES.values():
        files += _artifacts_there(results, stage.name)
    # Of a folder, Snakemake looks at the time of a file that it leaves in it.
    files += [stamp for folder in files if (stamp := folder / ".snakemake_timestamp").exists()]
    times = {file: os.stat(file).st_mtime_ns for file in files}
    future = sorted({time for time in times.values() if time > now})
    latest = max((time for time in times.values() if time <= now), default=0)
    step = (now - latest) // (len(future) + 1)
    moved = {time: latest + step * number for number, time in enumerate(future, 1)}
    for file, time in times.items():
        if time in moved:
            os.utime(file, ns=(moved[time], moved[time]))
    return bool(moved)


def was_made(results: Path, wanted: Fingerprint) -> bool:
    """Whether the artifact on disk was made for this very fingerprint."""
    record = job_records.read(results, wanted["stage"])
    if (record.get("state"), record.get("key")) == ("done", wanted["key"]):
        return True
    return _vouched(results, wanted)


def _vouched(results: Path, wanted: Fingerprint) -> bool:
    """Whether something but the job record says that the artifact is of this fingerprint."""
    if STAGES[wanted["stage"]].urls:  # the record of a download says itself what it is of
        return bool(sources.download(results).get("key") == wanted["key"])
    return bool(manifest.vouches(results, wanted["stage"], wanted["key"]))
