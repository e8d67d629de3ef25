"""A finding of `reel doctor`: what a check says, and what to do."""

from typing import Literal, NamedTuple

State = Literal["ok", "warn", "fail"]


class Finding(NamedTuple):
    """state: `fail` if a run would fail, `warn` if it would be slow or could go wrong.

    fix: what to do; empty where nothing is to be done.
    """

    check: str
    state: State
    says: str
    fix: str = ""
