"""Trying again, within a job, what may well succeed then."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reelmake.foundation.errors import OUT_OF_MEMORY, StageError
from reelmake.models import kept

if TYPE_CHECKING:
    from reelmake.jobs.job import Job

PASSING = ("transient", "resources")
"""Classes of failures that may pass: the network is back, another job has freed memory. A
broken file stays broken."""


def attempt(this: "Job", function: Callable[..., None], **arguments: Any) -> None:
    """Call the function with the job; after a failure that may pass again, `retries` times.

    The waits grow: `retry_wait` seconds, then twice as much, and so on. `this.shortages` says
    how often memory was short, so that the function can take smaller batches.
    """
    retries, wait = this.run.retries, this.run.retry_wait
    for tried in range(retries + 1):
        try:
            function(this, **arguments)
            return
        except MemoryError as error:
            failure = StageError(OUT_OF_MEMORY, kind="resources")
            failure.__cause__ = error
        except StageError as error:
            failure = error
        if failure.kind not in PASSING or tried == retries:
            raise failure
        if failure.kind == "resources":
            this.shortages += 1
            kept.let_go()
        print(f"{failure}; once more in {wait:.0f} s", flush=True)
        this.record |= {"attempt": this.record["attempt"] + 1, "retried": str(failure)}
        this.save()
        time.sleep(wait)
        wait *= 2
