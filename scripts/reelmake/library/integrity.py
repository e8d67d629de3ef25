"""Whether a file can be the artifact that it is called. Disks damage files, people edit them."""

import json
from pathlib import Path
from typing import Any

from reelmake.foundation import artifact_files
from reelmake.foundation.errors import StageError


def read_json(path: Path) -> Any:
    """An artifact that a stage is made from. Raises StageError where it is damaged."""
    content = artifact_files.read_json(path)
    try:
        artifact_files.validate(content, path.stem, more=True)
    except ValueError as error:
        reason = "" if content is None else f" ({error})"
        raise StageError(f"{path} is damaged{reason}; delete it and run again", "engine") from None
    return content


def check_within(path: Path, parts: list[dict[str, Any]], duration: float | None) -> None:
    """Raise StageError for a part that lies outside of the film or ends before it begins: somebody
    has edited the list. path: of the list. duration: of the film, seconds, if it is known."""
    for part in parts:
        start, end = part["start"], part["end"]
        if not start < end or (duration is not None and start >= duration):
            raise StageError(
                f"{path}: what lies from {start:g} to {end:g} s is no part of the film; "
                "correct it, or delete the file and run again",
                "engine",
            )


def check(name: str, path: Path) -> None:
    """Raise ValueError where a file can't be the artifact of that name.

    name: its path below the video's folder. JSON has its schema, descriptions have theirs, and
    pictures and films are not cut off; text may be anything.
    """
    if name.endswith(".json") and "/" not in name:
        artifact_files.validate(
            artifact_files.read_json(path), name.removesuffix(".json"), more=True
        )
    elif name.endswith(".msgpack"):
        from reelmake.library import scene_descriptions  # the workflow itself needs no msgpack

        if scene_descriptions.read(path) is None:
            raise ValueError("it can't be read")
    elif name.endswith(".jpg"):
        content = path.read_bytes()
        if not (content.startswith(b"\xff\xd8") and content.endswith(b"\xff\xd9")):
            raise ValueError("it is no whole picture")
    elif name.endswith(".mp4"):
        if not _is_whole_film(path):
            raise ValueError("it is no whole film")
    elif name.endswith(".otio"):
        json.loads(path.read_bytes())


def _is_whole_film(path: Path) -> bool:
    """Whether boxes (ISO/IEC 14496-12, 4.2), the index among them, make up the whole file."""
    size, end, kinds = path.stat().st_size, 0, set()
    with path.open("rb") as file:
        while end < size:
            file.seek(end)
            head = file.read(16)
            length, kind = int.from_bytes(head[:4]), head[4:8]
            if length == 1:
                length = int.from_bytes(head[8:])
            if length < 8:  # 0: to the end, which ffmpeg does not write
                return False
            kinds.add(kind)
            end += length
    return end == size and b"moov" in kinds
