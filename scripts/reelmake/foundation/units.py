"""Durations and sizes as people write them: "24h", "7d", "10 GB"."""

import re

from reelmake.foundation.errors import UserError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_BYTES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def seconds(text: str) -> float:
    """The seconds in "90s", "15m", "24h" or "7d". Raises UserError."""
    return _parse(text, _SECONDS, "a duration such as 90s, 15m, 24h or 7d")


def size_bytes(text: str) -> float:
    """The bytes in "500 MB" or "10GB" (powers of 1,000, as disks have them). Raises UserError."""
    return _parse(text.upper(), _BYTES, "a size such as 500 MB or 10 GB")


def show_bytes(number: float) -> str:
    """Bytes as people write them: "1.2 GB"."""
    for unit, size in reversed(_BYTES.items()):
        if number >= size and size > 1:
            return f"{number / size:.1f} {unit}"
    return f"{number:.0f} B"


def show_seconds(number: float) -> str:
    """Seconds as people write them: "2 d 3 h", "1 h 5 min", "12 s"."""
    whole = round(number)
    for big, small, size in (("d", "h", 86400), ("h", "min", 3600), ("min", "s", 60)):
        if whole >= size:
            rest = whole % size // (_SECONDS["h"] if big == "d" else 60 if big == "h" else 1)
            return f"{whole // size} {big}" + (f" {rest} {small}" if rest else "")
    return f"{whole} s"


def show_hours(number: float) -> str:
    """Seconds of media as people count them: "12 s", "1 h 5 min", and "437 h" for a library."""
    return f"{number / 3600:,.0f} h" if number >= 86400 else show_seconds(number)


def _parse(text: str, units: dict[str, int], what: str) -> float:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*", text)
    if not found or found[2] not in units:
        raise UserError(f"'{text}' is not {what}")
    return float(found[1]) * units[found[2]]
