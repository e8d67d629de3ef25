"""The scene descriptions' file: msgpack, `V.scenedesc.msgpack`.

{"metadata": {"source_file", "mtime", "size", "key", "model", …},
 "results": [{"record": keyframe's record, "description": {"visual_content", "mood",
 "action", "setting"} or null}]}; null is a frame that the model failed on.
"""

from pathlib import Path
from typing import Any

import msgpack

from reelmake.foundation import artifact_files, urls
from reelmake.foundation.errors import StageError
from reelmake.library import sources
from reelmake.library.fingerprints import Fingerprint

FIELDS = ("visual_content", "mood", "action", "setting")

ANSWER_SCHEMA = {
    "type": "object",
    "properties": {field: {"type": "string"} for field in FIELDS},
    "required": list(FIELDS),
    "additionalProperties": False,
}
"""What the model's answer is constrained to."""


def write(path: Path, metadata: dict[str, Any], results: list[dict[str, Any]]) -> None:
    """Validate and write the file atomically. Raises ValueError for what is not its form."""
    document = {"metadata": metadata, "results": results}
    artifact_files.validate(document, "scenedesc")
    artifact_files.write_bytes(path, msgpack.packb(document, use_bin_type=True))


def source_facts(fingerprint: Fingerprint, results: Path) -> dict[str, Any]:
    """What the metadata says of the source and the key: {"source_file", "mtime" (seconds since
    1970; None for a URL), "size" (bytes), "key"}. results: the video's folder."""
    identity = fingerprint["source"]
    fetched, time = urls.is_url(identity["path"]), identity.get("mtime_ns")
    name = urls.name(identity["path"]) if fetched else Path(identity["path"]).name
    return {
        # A name that is not UTF-8 can't be packed as it is.
        "source_file": name.encode(errors="replace").decode(),
        "mtime": None if time is None else time / 1e9,
        "size": (sources.download(results) if fetched else identity)["size"],
        "key": fingerprint["key"],
    }


def adopt(path: Path, fingerprint: Fingerprint, results: Path) -> None:
    """Make a file that was written for another copy of the source this one's, in place.

    Raises ValueError for what is not its form.
    """
    document = read(path)
    if document is None:
        raise ValueError("it can't be read")
    document["metadata"] |= source_facts(fingerprint, results)
    path.write_bytes(msgpack.packb(document, use_bin_type=True))


def read(path: Path) -> dict[str, Any] | None:
    """The file's content; None where it is absent or not what `write` writes."""
    try:
        packed = path.read_bytes()
        document: dict[str, Any] = msgpack.unpackb(packed, raw=False, strict_map_key=False)
        artifact_files.validate(document, "scenedesc")
    except (OSError, ValueError, msgpack.exceptions.UnpackException):
        return None
    return document


def results(path: Path) -> list[dict[str, Any]]:
    """The records of keyframes with their descriptions, in order.

    Raises StageError where the file is damaged.
    """
    document = read(path)
    if document is None:
        raise StageError(f"{path} is damaged; delete it and run again", "engine")
    found: list[dict[str, Any]] = document["results"]
    return found


def times(path: Path) -> dict[int, list[float]]:
    """When the keyframes of each scene are shown (s), by its number.

    Raises StageError where the file is damaged.
    """
    found: dict[int, list[float]] = {}
    for result in results(path):
        record = result["record"]
        if "timestamp" in record:
            found.setdefault(record.get("scene_id", -1), []).append(record["timestamp"])
    return found


def by_scene(path: Path) -> dict[int, list[dict[str, str]]]:
    """What is seen in each scene, by its number: the descriptions of its keyframes, in order.

    Raises StageError where the file is damaged.
    """
    found: dict[int, list[dict[str, str]]] = {}
    for result in results(path):
        if result["description"] is not None:
            found.setdefault(result["record"].get("scene_id", -1), []).append(result["description"])
    return found
