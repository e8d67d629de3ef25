"""Whether a library's artifacts still are what its manifests say, byte by byte."""

import os
from pathlib import Path
from typing import Any, NamedTuple

from reelmake.foundation import artifact_files
from reelmake.foundation.errors import UserError
from reelmake.library import manifest


class Bad(NamedTuple):
    """A file that is not what the manifest says, and why."""

    path: Path
    reason: str

    def as_json(self) -> dict[str, Any]:
        """{"path", "reason"}."""
        return {"path": str(self.path), "reason": self.reason}


def check(results: Path) -> tuple[int, list[Bad]]:
    """How many files the manifest of the video in `results` lists, and those that are bad.

    A video that is not finished has no manifest, and nothing to compare. Raises UserError where
    there is no such video.
    """
    if not results.is_dir():
        raise UserError(f"{results}: there is no such folder; name a video by its id")
    path = results / "manifest.json"
    if not path.exists():
        return 0, []
    content = artifact_files.read_json(path)
    try:
        artifact_files.validate(content, "manifest")
    except ValueError as error:
        return 1, [Bad(path, f"it is damaged ({error})")]
    entries = [entry for stage in content["stages"].values() for entry in stage["artifacts"]]
    bad = []
    for entry in entries:
        # A manifest is a file that others may write: it must not lead to files elsewhere.
        if not (results / entry["path"]).resolve().is_relative_to(results.resolve()):
            return 1, [Bad(path, f"it names a file outside of the video's folder: {entry['path']}")]
        reason = _difference(results, entry)
        if reason:
            bad.append(Bad(results / entry["path"], reason))
    return len(entries), bad


def remove(bad: Bad) -> None:
    """Remove a bad file, if it is there."""
    artifact_files.remove(bad.path)


def _difference(results: Path, entry: dict[str, Any]) -> str | None:
    path = results / entry["path"]
    try:
        stat = os.stat(path)
        digest = manifest.describe(results, entry["path"])["sha256"]
    except FileNotFoundError:
        return "it is missing"
    except OSError as error:
        return f"it can't be read ({error.strerror})"
    if digest == entry["sha256"]:
        return None
    size = f", {stat.st_size} bytes instead of {entry['size']}"
    size = size if stat.st_size != entry["size"] else ""
    if stat.st_mtime_ns == entry["mtime_ns"]:
        return f"it is damaged: other content under the same time{size}"
    return f"it was changed since it was made{size}"
