"""Why the stages of a video would run, or since when they are up to date."""

import datetime
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reelmake.library import fingerprints, job_records, sidecars
from reelmake.library.config import Config
from reelmake.library.fingerprints import Fingerprint
from reelmake.library.library import RESULTS, Library
from reelmake.library.stages import STAGES, Stage, artifact_paths

Explained = dict[str, Any]
"""{"stage", "state": "up to date" or "stale", "since": seconds since 1970 or null, "reasons":
[text], "error": why its last job failed, or null}"""


def explain(config: Config, video: str, say: Callable[[str], None]) -> dict[str, Any]:
    """{"video", "source", "stages": [Explained]} of one video. Writes nothing.

    Raises UserError for an id that no video has.
    """
    library = Library(config, write=False, say=say)
    source = library.find(video).source
    return {
        "video": video,
        "source": source,
        "stages": stages(library, video, library.wanted(video)),
    }


def stages(library: Library, video: str, wanted: dict[str, Fingerprint]) -> list[Explained]:
    """What would become of each of a video's stages. wanted: its fingerprints as they should be."""
    results = RESULTS / video
    finished = library.is_finished(video, wanted)
    found: list[Explained] = []
    stale: set[str] = set()
    for stage in (STAGES[name] for name in wanted):
        reasons = [] if finished else _reasons(results, stage, wanted, stale)
        if reasons:
            stale.add(stage.name)
        record = job_records.read(results, stage.name)
        found.append(
            {
                "stage": stage.name,
                "state": "stale" if reasons else "up to date",
                "since": None if reasons else record.get("ended"),
                "reasons": reasons,
                "error": record.get("error") if reasons else None,
            }
        )
    _need_temporary(found)
    return found


def sentence(explained: Explained) -> str:
    """What `explain` says of a stage, for people."""
    if explained["state"] == "up to date":
        since = explained["since"]
        moment = datetime.datetime.fromtimestamp(since) if since else None
        return "up to date" + (f" since {moment:%Y-%m-%d %H:%M:%S}" if moment else "")
    error = f" (last time it failed: {explained['error']})" if explained["error"] else ""
    return f"runs: {'; '.join(explained['reasons'])}{error}"


def _reasons(
    results: Path, stage: Stage, wanted: dict[str, Fingerprint], stale: set[str]
) -> list[str]:
    """Why the stage's job would run; empty where it would not."""
    paths = [results / path for path in artifact_paths(stage, results.name)]
    old, new = sidecars.read(results, stage.name), wanted[stage.name]
    said: list[str] = []
    if sidecars.is_spoiled(results, stage.name, wanted, unchanged=old == new):
        said = ["what is there is not what its manifest or its job record says"]
    elif old != new and not sidecars.was_made(results, new):
        said = fingerprints.differences(old, new)
    before = [name for name in stage.upstream if name in stale]
    if before:
        said.append(f"after {', '.join(before)}")
    if said or stage.temporary:  # which is gone once it was read
        return said
    missing = [f"{path.name} is missing" for path in paths if not path.exists()]
    return missing or _newer(results, stage, paths)


def _newer(results: Path, stage: Stage, paths: list[Path]) -> list[str]:
    """What the stage reads that was changed after it was made."""
    made = min(os.stat(path).st_mtime_ns for path in paths)
    inputs = [
        results / path
        for name in stage.upstream
        for path in artifact_paths(STAGES[name], results.name)
    ]
    return [
        f"{path.name} is newer"
        for path in inputs
        if path.exists() and os.stat(path).st_mtime_ns > made
    ]


def _need_temporary(stages: list[Explained]) -> None:
    """A temporary artifact is made where a stage that reads it runs."""
    by_name = {explained["stage"]: explained for explained in stages}
    for name, explained in by_name.items():
        users = [
            user
            for user, other in by_name.items()
            if name in STAGES[user].upstream and other["state"] == "stale"
        ]
        if STAGES[name].temporary and users and not explained["reasons"]:
            explained |= {"state": "stale", "since": None, "reasons": [f"{users[0]} needs it"]}
