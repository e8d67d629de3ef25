"""Stages whose failure a film goes on without (`Stage.can_fail`): which failed, and why.

Such a job, where it fails, publishes an artifact that says why (`failure`) and ends well, so that
all that follows is made without. The job record says `failed` all the same; the manifest lists the
stage as failed, so that the film is finished, but not current: the next run tries it again.
"""

from pathlib import Path
from typing import TypedDict, cast

from reelmake.foundation import artifact_files
from reelmake.library.fingerprints import Fingerprint
from reelmake.library.job_records import JobRecord
from reelmake.library.stages import STAGES, artifact_paths

CAN_FAIL = tuple(stage.name for stage in STAGES.values() if stage.can_fail)

Failure = TypedDict("Failure", {"class": str, "error": str})


def failure(results: Path, stage: str) -> Failure | None:
    """Why the stage of the video in `results` failed, by its artifact; None where it did not."""
    if stage not in CAN_FAIL:
        return None
    (name,) = artifact_paths(STAGES[stage], results.name)
    found = artifact_files.read_json(results / name)
    why = found.get("failure") if isinstance(found, dict) else None
    return cast(Failure, why) if isinstance(why, dict) else None


def keeps(results: Path, wanted: Fingerprint, before: JobRecord) -> bool:
    """Whether there is an artifact that was made for this very fingerprint: it stays where a job
    that was to make it again has failed. before: the record of the job before."""
    (name,) = artifact_paths(STAGES[wanted["stage"]], results.name)
    made = (before.get("state"), before.get("key")) == ("done", wanted["key"])
    return made and (results / name).exists() and failure(results, wanted["stage"]) is None
