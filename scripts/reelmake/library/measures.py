"""What stages have made, in numbers: nobody has to open artifacts to say how a library is doing.

A stage's job counts what it made for its own record. The last job of a video adds up all stages,
so that a finished video costs one record, not one for each stage.
"""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from reelmake.foundation import artifact_files
from reelmake.library import failed_stages, job_records, sources
from reelmake.library.job_records import Made, Totals
from reelmake.library.stages import STAGES, artifact_paths

Records = Mapping[str, Mapping[str, Any]]
"""Job records by stage."""


COUNTED: tuple[Literal["bytes", "segments", "frames", "descriptions", "highlights"], ...] = (
    "bytes",
    "segments",
    "frames",
    "descriptions",
    "highlights",
)
Since = Literal[
    "unheard", "broken_cues", "doubtful", "without_speakers", "untranslated", "frames_with_text"
]
SINCE: dict[Since, float] = {
    "unheard": 0.0,
    "broken_cues": 0,
    "doubtful": 0,
    "without_speakers": 0,
    "untranslated": 0,
    "frames_with_text": 0,
}
"""What is counted, too, with none of it: records and manifests of earlier versions lack it."""


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
        transcript = artifact_files.read_json(paths[0])
        found["segments"] = _length(transcript, "segments")
        found["unheard"] = _unheard(transcript)
        found["doubtful"] = _doubtful(transcript)
    elif stage == "speakers":
        found["without_speakers"] = int(failed_stages.failure(results, stage) is not None)
    elif stage == "translations":
        translations = artifact_files.read_json(paths[0])
        if isinstance(translations, dict):
            found["untranslated"] = translations.get("failed", 0)
    elif stage == "keyframes":
        found["frames"] = _length(artifact_files.read_json(paths[0]), "keyframes")
    elif stage == "onscreen":
        onscreen = artifact_files.read_json(paths[0])
        if isinstance(onscreen, dict):
            found["frames_with_text"] = onscreen.get("frames_with_text", 0)
    elif stage == "highlights":
        found["highlights"] = _length(artifact_files.read_json(paths[0]), "highlights")
    elif stage == "scenedesc":
        from reelmake.library import scene_descriptions  # msgpack, which few need

        content = scene_descriptions.read(paths[0]) or {"results": []}
        found["descriptions"] = sum(each["description"] is not None for each in content["results"])
    return found


def collect(results: Path) -> Totals:
    """The totals of the video in `results`, all of whose other stages are done."""
    records = {name: job_records.read(results, name) for name in STAGES}
    return add_up(results, {name: record for name, record in records.items() if record})


def add_up(results: Path, records: Records) -> Totals:
    """The totals of the stages whose records are given: each is done, or failed so that the video
    goes on without.

    Where a record says nothing of what was made (an earlier version wrote it), the artifacts do.
    """
    totals: Totals = {
        "media_seconds": None,
        "bytes": 0,
        "segments": 0,
        "frames": 0,
        "descriptions": 0,
        "highlights": 0,
        "unheard": 0.0,
        "doubtful": 0,
        "broken_cues": 0,
        "without_speakers": 0,
        "frames_with_text": 0,
        "untranslated": 0,
        "stages": {},
    }
    for name, record in records.items():
        if name == "manifest":
            continue
        found = record.get("made") or count(name, results)
        totals["media_seconds"] = found.get("media_seconds", totals["media_seconds"])
        if not STAGES[name].temporary:
            for counted in COUNTED:
                totals[counted] += found.get(counted, 0)
            for counted_since, none in SINCE.items():
                totals[counted_since] += found.get(counted_since, none)
        if record.get("state") == "failed":
            continue  # how long that took says nothing of others
        totals["stages"][name] = {
            "started": record.get("started"),
            "seconds": seconds(name, records),
            "bytes": found["bytes"],
            "cache": record.get("cache", "off"),
            "saved": record.get("saved", 0.0),
        }
    return totals


def are_whole(found: object) -> bool:
    """Whether this is what `add_up` gives: job records are files that others may write."""
    return (
        isinstance(found, dict)
        and found.keys() >= {"media_seconds", "stages", *COUNTED}
        and isinstance(found["stages"], dict)
    )


def seconds(stage: str, records: Records) -> float | None:
    """How long computing the stage's artifact took; None where the job did not compute it.

    A job that went on after another one's items stands, by its rate, for the whole.
    """
    record = records[stage]
    if "ended" not in record or "started" not in record or record.get("cache") == "hit":
        return None
    if STAGES[stage].temporary:  # left out where the cache has what it is for
        users = [name for name in records if stage in STAGES[name].upstream]
        if users and all(records[name].get("cache") == "hit" for name in users):
            return None
    resumed, total = record.get("items_resumed", 0), record.get("items_total", 0)
    if resumed and resumed >= total:
        return None
    share = 1 - resumed / total if resumed else 1.0
    took: float = max(0.0, record["ended"] - record["started"])
    return round(took / share, 3)


def _unheard(content: Any) -> float:
    """Seconds in which a transcript has no word, though there is a voice."""
    spans = content.get("unheard", []) if isinstance(content, dict) else []
    seconds: float = round(sum(span["end"] - span["start"] for span in spans), 3)
    return seconds


def _doubtful(content: Any) -> int:
    """Sentences of a transcript that nobody may have said, left out or not."""
    if not isinstance(content, dict):
        return 0
    kept = sum("doubt" in segment for segment in content.get("segments", []))
    return kept + _length(content, "dropped")


def _length(content: Any, key: str) -> int:
    return len(content[key]) if isinstance(content, dict) and key in content else 0


def _size(path: Path) -> int:
    """Bytes of a file, or of the files in a folder."""
    with contextlib.suppress(OSError):
        if path.is_dir():
            with os.scandir(path) as entries:
                return sum(entry.stat().st_size for entry in entries if entry.name[0] != ".")
        return path.stat().st_size
    return 0
