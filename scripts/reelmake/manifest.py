"""The manifest: the record of what a finished video's artifacts are and were made from.

It is what makes a finished video free to check: one `stat` a file tells that nothing changed.
"""

import datetime
import hashlib
import os
from pathlib import Path
from typing import Any

from reelmake import artifact
from reelmake.fingerprint import Fingerprint
from reelmake.stages import STAGES, artifact_paths

Manifest = dict[str, Any]


def build(results: Path) -> Manifest:
    """The manifest of the finished video whose results lie in `results`.

    Reads the sidecars, the job records and every artifact (for its SHA-256).
    """
    video = results.name
    media = artifact.read_json(results / "media.json")
    stages: dict[str, Any] = {}
    for stage in STAGES.values():
        sidecar = artifact.read_json(results / "fingerprints" / f"{stage.name}.json")
        record = artifact.read_json(results / "jobs" / f"{stage.name}.json") or {}
        artifacts = [
            _record(results, path)
            for artifact_path in artifact_paths(stage, video)
            for path in _files(results, artifact_path)
            if not stage.temporary and stage.name != "manifest"
        ]
        stages[stage.name] = {
            "key": sidecar["key"],
            "version": sidecar["version"],
            "settings": sidecar["settings"],
            "engines": record.get("engines", {}),
            "artifacts": artifacts,
        }
    return {
        "video": video,
        "source": sidecar["source"],
        "content": media["content"],
        "written": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "stages": stages,
    }


def matches(results: Path, wanted: dict[str, Fingerprint]) -> bool:
    """Whether the video in `results` is finished: the same keys, and each artifact as recorded.

    Costs one small file and one `stat` for each artifact.
    """
    manifest = artifact.read_json(results / "manifest.json")
    try:
        for name, fingerprint in wanted.items():
            recorded = manifest["stages"][name]
            if recorded["key"] != fingerprint["key"]:
                return False
            for entry in recorded["artifacts"]:
                stat = os.stat(os.path.join(results, entry["path"]))
                if stat.st_mtime_ns != entry["mtime_ns"] or (
                    "size" in entry and stat.st_size != entry["size"]
                ):
                    return False
    except (OSError, KeyError, TypeError):
        return False
    return True


def _files(results: Path, artifact_path: str) -> list[str]:
    """The artifact's own path and, where it is a folder, its files' too."""
    if not artifact_path.endswith("/"):
        return [artifact_path]
    names = sorted(name for name in os.listdir(results / artifact_path) if name[0] != ".")
    return [artifact_path] + [artifact_path + name for name in names]


def _record(results: Path, path: str) -> dict[str, Any]:
    """One artifact's entry. A folder has neither a size nor a SHA-256 of its own."""
    stat = os.stat(results / path)
    entry: dict[str, Any] = {"path": path, "mtime_ns": stat.st_mtime_ns}
    if not path.endswith("/"):
        with (results / path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        entry |= {"size": stat.st_size, "sha256": digest}
    return entry
