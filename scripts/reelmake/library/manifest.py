"""The manifest: the record of what a finished video's artifacts are and were made from.

It is what makes a finished video free to check: one `stat` a file tells that nothing changed.
"""

import contextlib
import datetime
import hashlib
import os
from pathlib import Path
from typing import Any

from reelmake.foundation import artifact_files, urls
from reelmake.foundation.errors import StageError
from reelmake.library import integrity, job_records
from reelmake.library.fingerprints import Fingerprint
from reelmake.library.stages import STAGES, artifact_paths, chosen, stages_of

Manifest = dict[str, Any]


def build(results: Path) -> Manifest:
    """The manifest of the finished video whose results lie in `results`.

    Reads the sidecars, the job records and every artifact (for its SHA-256). Raises
    StageError for an artifact that another key was made for than its sidecar has: a job of
    an earlier run, on another machine say, wrote it meanwhile.
    """
    video = results.name
    media = integrity.read_json(results / "media.json")
    stages: dict[str, Any] = {}
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
        stages[stage.name] = {
            "key": sidecar["key"],
            "version": sidecar["version"],
            "settings": sidecar["settings"],
            "engines": record.get("engines", {}) if of_this and not stage.temporary else {},
            "artifacts": [describe(results, path) for path in _files(results, stage.name)],
        }
    return {
        "video": video,
        "source": source,
        "content": media["content"],
        "written": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "stages": stages,
    }


def matches(results: Path, wanted: dict[str, Fingerprint]) -> bool:
    """Whether the video in `results` is finished: the same keys, and each artifact as recorded.

    Costs one small file and one `stat` for each artifact.
    """
    stages = _stages(results)
    try:
        for name, fingerprint in wanted.items():
            if stages[name]["key"] != fingerprint["key"]:
                return False
            for entry in stages[name]["artifacts"]:
                stat = os.stat(os.path.join(results, entry["path"]))
                if (stat.st_size, stat.st_mtime_ns) != (entry["size"], entry["mtime_ns"]):
                    return False
    except (OSError, KeyError, TypeError):
        return False
    return True


def renew(results: Path, wanted: dict[str, Fingerprint], write: bool) -> bool:
    """Whether the video is finished though times differ, as after a copy: by its content.

    write: put the new times into the manifest, so that the next look is cheap.
    """
    if not all(vouches(results, name, wanted[name]["key"]) for name in wanted):
        return False
    if write:
        content = artifact_files.read_json(results / "manifest.json")
        for stage in content["stages"].values():
            for entry in stage["artifacts"]:
                entry["mtime_ns"] = os.stat(results / entry["path"]).st_mtime_ns
        with contextlib.suppress(OSError):  # it is finished on a full or read-only disk, too
            artifact_files.write_json(results / "manifest.json", content, "manifest")
    return True


def is_for(results: Path, key: str) -> bool:
    """Whether the manifest was written for the fingerprint with this key."""
    return bool(_stages(results).get("manifest", {}).get("key") == key)


def is_readable(results: Path) -> bool:
    """Whether the manifest says anything at all."""
    return bool(_stages(results))


def lacks_files(results: Path, stage: str, key: str) -> bool:
    """Whether files that the manifest lists for this key are gone, or changed so that they
    can't be read any more."""
    recorded = _stages(results).get(stage, {})
    if recorded.get("key") != key:
        return False
    for entry in recorded["artifacts"]:
        path = results / entry["path"]
        try:
            stat = os.stat(path)
            if (stat.st_size, stat.st_mtime_ns) != (entry["size"], entry["mtime_ns"]):
                integrity.check(entry["path"], path)
        except (OSError, ValueError):
            return True
    return False


def vouches(results: Path, stage: str, key: str) -> bool | None:
    """Whether the stage's artifacts are those that the manifest lists under this key.

    None: the manifest says nothing of this key. Looks at the content where the time differs.
    """
    recorded = _stages(results).get(stage)
    try:
        if not recorded or recorded["key"] != key:
            return None
        for entry in recorded["artifacts"]:
            stat = os.stat(results / entry["path"])
            if stat.st_size != entry["size"]:
                return False
            same_time = stat.st_mtime_ns == entry["mtime_ns"]
            if not same_time and describe(results, entry["path"])["sha256"] != entry["sha256"]:
                return False
    except OSError:
        return False
    except (KeyError, TypeError):
        return None
    return True


def _stages(results: Path) -> dict[str, Any]:
    found = artifact_files.read_json(results / "manifest.json")
    stages = found.get("stages") if isinstance(found, dict) else None
    return stages if isinstance(stages, dict) else {}


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


def describe(results: Path, path: str) -> dict[str, Any]:
    """What the manifest says of a file: {"path", "size" (bytes), "mtime_ns", "sha256"}."""
    stat = os.stat(results / path)
    with (results / path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"path": path, "size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": digest}
