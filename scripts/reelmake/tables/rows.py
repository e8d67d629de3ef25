"""What the artifacts of one video say, as rows of the tables. No pandas is needed for it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from reelmake.foundation import artifact_files
from reelmake.library import job_records, library_scan, scene_descriptions
from reelmake.library.scene_descriptions import FIELDS
from reelmake.library.stages import STAGES

Row = dict[str, Any]


def of(table: str, results: Path) -> Iterator[Row]:
    """The rows of a table that come from the video in `results`, without its id.

    What is missing or can't be read is absent.
    """
    return _MAKERS[table](results)


def _read(results: Path, name: str) -> dict[str, Any]:
    found = artifact_files.read_json(results / name)
    return found if isinstance(found, dict) else {}


def _listed(results: Path, name: str, key: str) -> list[Row]:
    """The list of objects in a JSON artifact."""
    found = _read(results, name).get(key)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _videos(results: Path) -> Iterator[Row]:
    facts = library_scan.Scan(results.parent).video(results.name)
    if facts is None:
        return
    media = _read(results, "media.json")
    streams = [stream for stream in media.get("streams") or [] if isinstance(stream, dict)]
    main = next((each for each in streams if each.get("index") == media.get("video")), {})
    source = _read(results / "fingerprints", "media.json").get("source") or {}
    yield {
        "source": source.get("path"),
        "state": facts.state,
        "duration": media.get("duration"),
        "container": media.get("container"),
        "width": main.get("width"),
        "height": main.get("height"),
        "fps": main.get("fps_average"),
        "language": _read(results, "transcript.json").get("language"),
        "segments": len(_listed(results, "transcript.json", "segments")),
        "scenes": len(_listed(results, "scenes.json", "scenes")),
        "highlights": len(_listed(results, "highlights.json", "highlights")),
        "bytes": facts.totals["bytes"],
    }


def _segments(results: Path) -> Iterator[Row]:
    for segment in _listed(results, "transcript.json", "segments"):
        yield segment | {"segment": segment.get("id")}


def _words(results: Path) -> Iterator[Row]:
    for segment in _listed(results, "transcript.json", "segments"):
        for word in segment.get("words") or []:
            yield word | {"segment": segment.get("id")}


def _scenes(results: Path) -> Iterator[Row]:
    for scene in _listed(results, "scenes.json", "scenes"):
        yield scene | {"scene": scene.get("id")}


def _keyframes(results: Path) -> Iterator[Row]:
    for frame in _listed(results, "keyframes.json", "keyframes"):
        yield frame | {"scene": frame.get("scene_id"), "time": frame.get("timestamp")}


def _descriptions(results: Path) -> Iterator[Row]:
    document = scene_descriptions.read(results / f"{results.name}.scenedesc.msgpack")
    for result in (document or {"results": []})["results"]:
        record, description = result["record"], result["description"] or {}
        yield {
            "scene": record.get("scene_id"),
            "time": record.get("timestamp"),
            "file": record.get("file"),
            **{field: description.get(field) for field in FIELDS},
        }


def _scores(results: Path) -> Iterator[Row]:
    scores = {each.get("id"): each for each in _listed(results, "scores.json", "scores")}
    for segment in _listed(results, "segments.json", "segments"):
        given = scores.get(segment.get("id"))
        if given is not None:
            yield segment | given | {"candidate": segment.get("id")}


def _highlights(results: Path) -> Iterator[Row]:
    for each in _listed(results, "highlights.json", "highlights"):
        yield each | {"candidate": each.get("id")}


def _clips(results: Path) -> Iterator[Row]:
    for each in _listed(results, "clips.json", "clips"):
        yield each | {"candidate": each.get("id")}


def _beats(results: Path) -> Iterator[Row]:
    for each in _listed(results, "narrative.json", "beats"):
        yield each | {"candidate": each.get("id")}


def _jobs(results: Path) -> Iterator[Row]:
    for stage in STAGES:
        record = job_records.read(results, stage)
        if record:
            made = record.get("made") or {}
            yield {
                **record,
                "stage": stage,
                "state": job_records.state(record),
                "bytes": made.get("bytes"),
            }


_MAKERS: dict[str, Callable[[Path], Iterator[Row]]] = {
    "videos": _videos,
    "segments": _segments,
    "words": _words,
    "scenes": _scenes,
    "keyframes": _keyframes,
    "descriptions": _descriptions,
    "scores": _scores,
    "highlights": _highlights,
    "clips": _clips,
    "beats": _beats,
    "jobs": _jobs,
}
