"""The manifest: the record of what a finished video's artifacts are and were made from.

It is what makes a finished video free to check: one `stat` a file tells that nothing changed.
"""

import datetime
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from reelmake.foundation import artifact_files, urls
from reelmake.foundation.errors import StageError
from reelmake.library import failed_stages, integrity, job_records, sources
from reelmake.library.stages import STAGES, artifact_paths, chosen, stages_of


class Listed(TypedDict):
    """What the manifest says of a file: its path below the video's folder, size in bytes, time in
    ns since 1970, and SHA-256."""

    path: str
    size: int
    mtime_ns: int
    sha256: str


class StageEntry(TypedDict):
    """What the manifest says of a stage; engines: distribution -> version; failed: the class of
    the failure that the video went on without."""

    key: str
    version: int
    settings: dict[str, Any]
    engines: dict[str, str]
    artifacts: list[Listed]
    failed: NotRequired[str]


class Manifest(TypedDict):
    """content: the digest of the source. written: ISO 8601."""

    video: str
    source: sources.Identity
    content: str
    written: str
    stages: dict[str, StageEntry]


def build(results: Path) -> Manifest:
    """The manifest of the finished video whose results lie in `results`.

    Reads the sidecars, the job records and every artifact (for its SHA-256). Raises
    StageError for an artifact that another key was made for than its sidecar has: a job of
    an earlier run, on another machine say, wrote it meanwhile.
    """
    video = results.name
    media = integrity.read_json(results / "media.json")
    listed: dict[str, StageEntry] = {}
    of_this_video = artifact_files.read_json(results / "fingerprints" / "manifest.json")
    source, names = of_this_video["source"], chosen(of_this_video["settings"]["stages"])
    for stage in stages_of(urls.is_url(source["path"])):
        if stage.name not in names:
            continue
        sidecar = artifact_files.read_json(results / "fingerprints" / f"{stage.name}.json")
        record = job_records.read(results, stage.name)
        of_this = record.get("key") == sidecar["key"]
        if not of_this and stage.name != "manifest" and record.get("state") == "done":
            raise StageError(
                f"{stage.artifacts[0]} was made by another run meanwhile; run again",
                kind="transient",
            )
        listed[stage.name] = {
            "key": sidecar["key"],
            "version": sidecar["version"],
            "settings": sidecar["settings"],
            "engines": record.get("engines", {}) if of_this and not stage.temporary else {},
            "artifacts": [describe(results, path) for path in _files(results, stage.name)],
        }
        # By the artifact: later stages were made from it, whatever has become of its job since.
        failure = failed_stages.failure(results, stage.name)
        if failure is not None:
            listed[stage.name]["failed"] = failure["class"]
    return {
        "video": video,
        "source": source,
        "content": media["content"],
        "written": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "stages": listed,
    }


def keep_times(results: Path, before: Mapping[str, Any], made: Manifest) -> None:
    """Give artifacts the times that they had, in the manifest, too, where a stage has failed as it
    did before and every file is what it was: nobody should take them for new.

    before: the stages of the manifest before, as `stages` gives them. made: the one to be written.
    """
    listed = made["stages"]
    same = before.keys() == listed.keys() and all(
        _without_times(before[name]) == _without_times(entry) for name, entry in listed.items()
    )
    if not same or not any("failed" in entry for entry in listed.values()):
        return
    for name, entry in listed.items():
        for file, old in zip(entry["artifacts"], before[name]["artifacts"], strict=True):
            file["mtime_ns"] = old["mtime_ns"]
            os.utime(results / file["path"], ns=(old["mtime_ns"], old["mtime_ns"]))


def _without_times(entry: Mapping[str, Any]) -> list[Any]:
    files = [(file["path"], file["sha256"]) for file in entry["artifacts"]]
    return [entry["key"], entry.get("failed"), files]


def stages(results: Path) -> dict[str, Any]:
    """What the manifest of the video in `results` says of each stage: {"key", "version",
    "settings", "engines", "artifacts": as `describe` gives them}. Empty where there is no manifest,
    or what is there is not one."""
    found = artifact_files.read_json(results / "manifest.json")
    listed = found.get("stages") if isinstance(found, dict) else None
    return listed if isinstance(listed, dict) else {}


def _files(results: Path, stage: str) -> list[str]:
    """The stage's lasting artifacts, a folder's files one by one."""
    if STAGES[stage].temporary or stage == "manifest":
        return []
    found = []
    for path in artifact_paths(STAGES[stage], results.name):
        if not path.endswith("/"):
            found.append(path)
            continue
        # What file managers and backups leave there (hidden files, folders) is not ours.
        files = (file for file in (results / path).iterdir() if file.is_file())
        found += sorted(path + file.name for file in files if file.name[0] != ".")
    return found


def describe(results: Path, path: str) -> Listed:
    """What the manifest says of a file."""
    stat = os.stat(results / path)
    with (results / path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"path": path, "size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": digest}
