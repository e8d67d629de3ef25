"""Quantities as people write them: `24h`."""

import re

from reelmake.errors import UserError

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(text: str) -> float:
    """The seconds of a duration such as 90s, 15m, 1.5h or 7d. Raises UserError for other text."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smhd])", text, re.ASCII)
    if not match:
        raise UserError(f"'{text}' is no duration; write it like 90s, 15m, 24h or 7d")
    return float(match[1]) * _SECONDS[match[2]]
