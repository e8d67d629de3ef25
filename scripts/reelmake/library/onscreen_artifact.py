"""The text in a film's pictures: onscreen.json, for the stages that tell a model of it."""

from pathlib import Path
from typing import Any

from reelmake.library import integrity


def lines(path: Path | None) -> list[dict[str, Any]]:
    """Its lines; none where it is not read. Raises StageError where it is damaged."""
    found: list[dict[str, Any]] = integrity.read_json(path)["lines"] if path else []
    return found
