"""Chapters as `chapters.ffmetadata` has them."""

import contextlib
import re
from pathlib import Path

from reelmake.editing.chapters import Chapter


def read(path: Path) -> list[Chapter]:
    """The chapters in the file, in its order; none where it is missing or damaged."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    found = []
    for section in re.split(r"^\[CHAPTER\]\n", text, flags=re.MULTILINE)[1:]:
        values = dict(re.findall(r"^(TIMEBASE|START|END|title)=(.*)$", section, re.MULTILINE))
        with contextlib.suppress(KeyError, ValueError):
            if values.get("TIMEBASE") == "1/1000":
                title = re.sub(r"\\(.)", r"\1", values["title"])
                found.append(Chapter(int(values["START"]), int(values["END"]), title))
    return found
