"""What every job of a run has to know, on whichever machine: it goes with the environment."""

import json
import os
from typing import Any

from reelmake.foundation import units
from reelmake.library.config import Config

_VARIABLE = "REELMAKE_RUN"

Told = dict[str, Any]
"""{"forced": stages that are computed though the cache may have them, "retries", "retry_wait":
seconds, "min_free": bytes}"""


def tell(config: Config, forced: set[str]) -> None:
    """Let the jobs that this process starts know."""
    told = {
        "forced": sorted(forced),
        "retries": config["retries"],
        "retry_wait": units.seconds(config["retry_wait"]),
        "min_free": units.size_bytes(config["min_free"]),
    }
    os.environ[_VARIABLE] = json.dumps(told)


def told() -> Told:
    """What the run that started this job has said; without a run, that nothing is special."""
    nothing: Told = {"forced": [], "retries": 0, "retry_wait": 0.0, "min_free": 0.0}
    found: Told = json.loads(os.environ.get(_VARIABLE, "{}"))
    return nothing | found
