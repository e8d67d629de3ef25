"""Is what is on disk what is wanted? The one answer, stage by stage, and why.

What is wanted are the fingerprints, as `fingerprints.compute` gives them. What is on disk are the
three files behind every artifact (its sidecar, itself, the record of its job) and the manifest of
the video. `of_video` gives the whole answer: what Snakemake will do, once the sidecars say what is
wanted. (It spares a file that was only touched, where it has a checksum of it on record.) The other
functions are parts of that answer, for those who need no more. The shortcut of `finished_index` and
the states of `reel status` are held to it by tests.
"""

import contextlib
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from reelmake.foundation import artifact_files
from reelmake.library import (
    failed_stages,
    fingerprints,
    integrity,
    job_records,
    manifest,
    sidecars,
    sources,
)
from reelmake.library.fingerprints import Fingerprint
from reelmake.library.job_records import JobRecord
from reelmake.library.stages import STAGES, Stage, artifact_paths, chosen

State = Literal["current", "stale", "missing", "failed", "killed", "running"]
Wanted = Mapping[str, Fingerprint]
"""The fingerprints that the stages of a video should have, by stage, in the table's order."""


class Currency(NamedTuple):
    """What is true of one stage of a video.

    state: `current`, or why its job has to run: it is `stale` or `missing`, its last job for this
    very fingerprint `failed` or was `killed`, or is `running`. why: sentences for people; empty if
    current.
    """

    state: State
    why: tuple[str, ...] = ()


CURRENT = Currency("current")


def of_video(results: Path, wanted: Wanted) -> dict[str, Currency]:
    """What is true of each stage of the video in `results`. Writes nothing."""
    if is_finished(results, wanted):
        return dict.fromkeys(wanted, CURRENT)
    found: dict[str, Currency] = {}
    for name in wanted:
        why = _reasons(results, STAGES[name], wanted, found)
        found[name] = Currency(_state(results, wanted[name]), why) if why else CURRENT
    for name in wanted:  # a temporary artifact is made where a stage that reads it runs
        users = [user for user in wanted if name in STAGES[user].upstream and found[user].why]
        if STAGES[name].temporary and users and not found[name].why:
            found[name] = Currency(_state(results, wanted[name]), (f"{users[0]} needs it",))
    return found


def is_finished(results: Path, wanted: Wanted, renew: bool = False) -> bool:
    """Whether every artifact of the video is what its manifest says, for the wanted fingerprints.

    Costs one small file and one `stat` for each artifact, unless times differ, as after a copy:
    then contents are compared. renew: put such times into the manifest, so that the next look is
    cheap again.
    """
    if _matches(results, wanted):
        return True
    if not all(_vouches(results, name, wanted[name]["key"]) for name in wanted):
        return False
    if renew:
        content = artifact_files.read_json(results / "manifest.json")
        for stage in content["stages"].values():
            for entry in stage["artifacts"]:
                entry["mtime_ns"] = os.stat(results / entry["path"]).st_mtime_ns
        with contextlib.suppress(OSError):  # it is finished on a full or read-only disk, too
            artifact_files.write_json(results / "manifest.json", content, "manifest")
    return True


def finished_without(results: Path, wanted: Wanted) -> set[str]:
    """The stages that failed and that the video was finished without, where all else is what its
    manifest says, for the wanted fingerprints; else none."""
    listed = manifest.stages(results)
    failed = {name for name in failed_stages.CAN_FAIL if "failed" in listed.get(name, {})}
    return failed if failed & wanted.keys() and _matches(results, wanted, failed) else set()


def has_failed(results: Path, wanted: Fingerprint) -> bool:
    """Whether the stage failed for this very fingerprint, and the video went on without.

    Asked of each stage of each unfinished video: only small files are read, and few.
    """
    if wanted["stage"] not in failed_stages.CAN_FAIL:
        return False
    record = job_records.read(results, wanted["stage"])
    if (record.get("state"), record.get("key")) == ("failed", wanted["key"]):
        return (
            record.get("class") != "killed"
            and failed_stages.failure(results, wanted["stage"]) is not None
        )
    if record.get("key") == wanted["key"]:
        return False
    listed = manifest.stages(results).get(wanted["stage"], {})
    return "failed" in listed and listed.get("key") == wanted["key"]


def is_made_for(results: Path, wanted: Fingerprint) -> bool:
    """Whether the artifact on disk was made for this very fingerprint, by its job record, or by
    what else speaks for it."""
    record = job_records.read(results, wanted["stage"])
    if (record.get("state"), record.get("key")) == ("done", wanted["key"]):
        return True
    return _is_vouched_for(results, wanted)


def is_made_since(results: Path, wanted: Fingerprint, record: JobRecord) -> bool:
    """Whether the job of this record made the artifact, and what it is made from is older.

    A run that is killed between the end of a job and Snakemake's note of it starts the job again,
    when its journal is gone.
    """
    if (record.get("state"), record.get("key")) != ("done", wanted["key"]):
        return False
    stage = STAGES[wanted["stage"]]
    read = [sidecars.path(results, stage.name)]
    read += [path for name in wanted["upstream"] for path in _paths(results, STAGES[name])]
    try:
        made = min(os.stat(path).st_mtime_ns for path in _paths(results, stage))
        return all(made >= os.stat(path).st_mtime_ns for path in read)
    except OSError:
        return False


def is_spoiled(results: Path, stage: str, wanted: Wanted) -> bool:
    """Whether the artifact on disk is not what it seems to be by its fingerprint.

    A file is gone, or damaged so that it can't be read; a job that failed or was killed left, or
    one of an earlier run wrote, another artifact; the manifest lists what is no longer so. A file
    edited by hand is not spoiled: as with make, it stays until something before it changes.
    """
    key = wanted[stage]["key"]
    if not any(path.exists() for path in _paths(results, STAGES[stage])):
        return False
    if stage == "manifest":
        listed = manifest.stages(results)
        if listed.get("manifest", {}).get("key") == key:
            names = chosen(wanted[stage]["settings"]["stages"]) & wanted.keys()
            return not _matches(results, {name: wanted[name] for name in names}, names)
        return not listed
    if sidecars.read(results, stage) != wanted[stage]:
        return False
    if has_failed(results, wanted[stage]):
        return False  # it says so itself
    if _lacks_files(results, stage, key):
        return True
    record = job_records.read(results, stage)
    # "running" is a job that was killed: Snakemake put back what was there before it.
    of_another = record.get("key", key) != key or record.get("state", "done") != "done"
    return of_another and not _is_vouched_for(results, wanted[stage])


def _reasons(
    results: Path, stage: Stage, wanted: Wanted, before: Mapping[str, Currency]
) -> tuple[str, ...]:
    """Why the stage's job would run; empty where it would not. before: of the stages before it."""
    old, new = sidecars.read(results, stage.name), wanted[stage.name]
    said: list[str] = []
    differs = False
    if is_spoiled(results, stage.name, wanted):
        said = ["what is there is not what its manifest or its job record says"]
    elif has_failed(results, new):
        said = ["it failed, and the video went on without"]
    elif differs := old != new and not is_made_for(results, new):
        said = fingerprints.differences(old, new)
    stale = [name for name in new["upstream"] if name in before and before[name].why]
    if stale:
        said.append(f"after {', '.join(stale)}")
    elif differs and not said:
        said.append("it was made from something else")
    if said:
        return tuple(said)
    paths = paths_made(results, stage, wanted)
    missing = [f"{path.name} is missing" for path in paths if not path.exists()]
    if missing or not paths:
        return tuple(missing)
    read = [path for name in new["upstream"] for path in _paths(results, STAGES[name])]
    if old == new:  # else it is about to be written, with a time before that of the artifact
        read.append(sidecars.path(results, stage.name))
    made = min(os.stat(path).st_mtime_ns for path in paths)
    newer = [path for path in read if path.exists() and os.stat(path).st_mtime_ns > made]
    return tuple(f"{path.relative_to(results)} is newer" for path in newer)


def paths_made(results: Path, stage: Stage, wanted: Iterable[str]) -> list[Path]:
    """The files whose times tell when the stage was done: its artifacts. A temporary one is gone
    once it was read: then they are those that were made from it, as far as they are there.

    wanted: the stages of the video.
    """
    if not stage.temporary:
        return _paths(results, stage)
    readers = [STAGES[name] for name in wanted if stage.name in STAGES[name].upstream]
    return [path for reader in readers for path in _paths(results, reader) if path.exists()]


def _state(results: Path, wanted: Fingerprint) -> State:
    """The state of a stage whose job has to run."""
    record = job_records.read(results, wanted["stage"])
    if record.get("key") == wanted["key"]:
        for state in ("running", "failed", "killed"):
            if job_records.state(record) == state:
                return state
    there = any(path.exists() for path in _paths(results, STAGES[wanted["stage"]]))
    return "stale" if there else "missing"


def _matches(results: Path, wanted: Wanted, may_have_failed: Collection[str] = ()) -> bool:
    """Whether the manifest has the wanted keys, and each artifact the recorded size and time.

    may_have_failed: the stages of which a failure that the video went on without is none."""
    listed = manifest.stages(results)
    try:
        for name, fingerprint in wanted.items():
            if listed[name]["key"] != fingerprint["key"]:
                return False
            if "failed" in listed[name] and name not in may_have_failed:
                return False
            for entry in listed[name]["artifacts"]:
                if not _is_untouched(results, entry):
                    return False
    except (OSError, KeyError, TypeError):
        return False
    return True


def _is_untouched(results: Path, entry: Mapping[str, Any]) -> bool:
    """Whether a file has the size and time that the manifest lists. Raises OSError."""
    stat = os.stat(os.path.join(results, entry["path"]))
    return (stat.st_size, stat.st_mtime_ns) == (entry["size"], entry["mtime_ns"])


def _lacks_files(results: Path, stage: str, key: str) -> bool:
    """Whether files that the manifest lists for this key are gone, or changed so that they can't
    be read any more."""
    listed = manifest.stages(results).get(stage, {})
    if listed.get("key") != key:
        return False
    for entry in listed["artifacts"]:
        try:
            if not _is_untouched(results, entry):
                integrity.check(entry["path"], results / entry["path"])
        except (OSError, ValueError):
            return True
    return False


def _is_vouched_for(results: Path, wanted: Fingerprint) -> bool:
    """Whether something but the job record says that the artifact is of this fingerprint."""
    if STAGES[wanted["stage"]].urls:  # the record of a download says itself what it is of
        return bool(sources.download(results).get("key") == wanted["key"])
    return _vouches(results, wanted["stage"], wanted["key"])


def _vouches(results: Path, stage: str, key: str) -> bool:
    """Whether the stage's artifacts are those that the manifest lists under this key, by their
    content where the time differs."""
    listed = manifest.stages(results).get(stage)
    try:
        if not listed or listed["key"] != key or "failed" in listed:
            return False
        for entry in listed["artifacts"]:
            stat = os.stat(results / entry["path"])
            if stat.st_size != entry["size"]:
                return False
            if stat.st_mtime_ns == entry["mtime_ns"]:
                continue
            if manifest.describe(results, entry["path"])["sha256"] != entry["sha256"]:
                return False
    except (OSError, KeyError, TypeError):
        return False
    return True


def _paths(results: Path, stage: Stage) -> list[Path]:
    return [results / path for path in artifact_paths(stage, results.name)]
