"""Sidecars: the fingerprints on disk, `results/V/fingerprints/S.json`."""

from pathlib import Path
from typing import Any, cast

from reelmake.foundation import artifact_files
from reelmake.library.fingerprints import Fingerprint


def path(results: Path, stage: str) -> Path:
    """Where the sidecar of a stage lies, for the video in `results`."""
    return results / "fingerprints" / f"{stage}.json"


def read(results: Path, stage: str) -> dict[str, Any]:
    """The sidecar on disk; empty where there is none, or what is there is not one."""
    found = artifact_files.read_json(path(results, stage))
    return found if isinstance(found, dict) else {}


def read_all(results: Path) -> dict[str, Fingerprint]:
    """The sidecars on disk, by stage."""
    files = path(results, "").parent.glob("*.json")
    return {file.stem: cast(Fingerprint, read(results, file.stem)) for file in files}
