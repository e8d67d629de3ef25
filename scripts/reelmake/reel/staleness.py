"""Why the stages of a video would run, or since when they are up to date."""

import datetime
from collections.abc import Callable
from typing import Any

from reelmake.library import currency, job_records
from reelmake.library.config import Config
from reelmake.library.library import RESULTS, Library

Explained = dict[str, Any]
"""{"stage", "state": "up to date" or "stale", "since": seconds since 1970 or null, "reasons":
[text], "error": why its last job failed, or null}"""


def explain(config: Config, video: str, say: Callable[[str], None]) -> dict[str, Any]:
    """{"video", "source", "stages": [Explained]} of one video. Writes nothing.

    Raises UserError for an id that no video has.
    """
    library = Library(config, write=False, say=say)
    source = library.find(video).source
    answer = currency.of_video(RESULTS / video, library.wanted(video))
    stages = [_explain_stage(video, stage, found) for stage, found in answer.items()]
    return {"video": video, "source": source, "stages": stages}


def sentence(explained: Explained) -> str:
    """What `explain` says of a stage, for people."""
    if explained["state"] == "up to date":
        since = explained["since"]
        moment = datetime.datetime.fromtimestamp(since) if since else None
        return "up to date" + (f" since {moment:%Y-%m-%d %H:%M:%S}" if moment else "")
    error = f" (last time it failed: {explained['error']})" if explained["error"] else ""
    return f"runs: {'; '.join(explained['reasons'])}{error}"


def _explain_stage(video: str, stage: str, found: currency.Currency) -> Explained:
    record = job_records.read(RESULTS / video, stage)
    return {
        "stage": stage,
        "state": "stale" if found.why else "up to date",
        "since": None if found.why else record.get("ended"),
        "reasons": list(found.why),
        "error": record.get("error") if found.why else None,
    }
