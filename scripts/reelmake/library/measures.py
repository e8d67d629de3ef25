"""What a stage has made, in numbers, for its job record: nobody has to open artifacts to say how
a library is doing.
"""

import contextlib
import os
from pathlib import Path
from typing import Any

from reelmake.foundation import artifact_files
from reelmake.library import sources
from reelmake.library.stages import STAGES, artifact_paths

Made = dict[str, Any]
"""{"bytes": of the stage's artifacts on disk} and what else is counted of the stage:
"media_seconds" (null: nobody knows), "segments", "frames", "descriptions" or "highlights"."""


def count(stage: str, results: Path) -> Made:
    """What the stage's artifacts in `results` are. What can't be read counts nothing."""
    paths = [results / path for path in artifact_paths(STAGES[stage], results.name)]
    found: Made = {"bytes": sum(_size(path) for path in paths)}
    if stage == "source":
        found["bytes"] += sources.download(results).get("size", 0)  # the film lies beside it
    elif stage == "media":
        media = artifact_files.read_json(paths[0])
        found["media_seconds"] = media.get("duration") if isinstance(media, dict) else None
    elif stage == "transcript":
        found["segments"] = _length(paths[0], "segments")
    elif stage == "keyframes":
        found["frames"] = _length(paths[0], "keyframes")
    elif stage == "highlights":
        found["highlights"] = _length(paths[0], "highlights")
    elif stage == "scenedesc":
        from reelmake.library import scene_descriptions  # msgpack, which few need

        content = scene_descriptions.read(paths[0]) or {"results": []}
        found["descriptions"] = sum(each["description"] is not None for each in content["results"])
    return found


def _length(path: Path, key: str) -> int:
    content = artifact_files.read_json(path)
    return len(content[key]) if isinstance(content, dict) and key in content else 0


def _size(path: Path) -> int:
    """Bytes of a file, or of the files in a folder."""
    with contextlib.suppress(OSError):
        if path.is_dir():
            with os.scandir(path) as entries:
                return sum(entry.stat().st_size for entry in entries if entry.name[0] != ".")
        return path.stat().st_size
    return 0
