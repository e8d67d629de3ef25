"""What the artifacts of one video say, as rows of the tables. No pandas is needed for it."""

import functools
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from reelmake.editing import speakers
from reelmake.editing.speakers import Span, Turn, Turns
from reelmake.foundation import artifact_files, urls
from reelmake.library import job_records, library_scan, manifest, scene_descriptions
from reelmake.library.library_scan import Facts
from reelmake.library.scene_descriptions import FIELDS
from reelmake.tables import chapter_file, titles

Row = dict[str, Any]
_LANGUAGE = re.compile("[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


class Artifacts:
    """The artifacts of the video in the folder `results`, each read once.

    What is missing, can't be read or has another form is empty.
    """

    def __init__(self, results: Path):
        self.results = results
        self._read: dict[str, dict[str, Any]] = {}

    def read(self, name: str) -> dict[str, Any]:
        """The object in a JSON file, by its path below the video's folder."""
        if name not in self._read:
            found = artifact_files.read_json(self.results / name)
            self._read[name] = found if isinstance(found, dict) else {}
        return self._read[name]

    def listed(self, name: str, key: str) -> list[Row]:
        """The list of objects in a JSON artifact."""
        return _objects(self.read(name).get(key))

    @functools.cached_property
    def facts(self) -> Facts | None:
        """What is known of its stages; None where nothing is."""
        return library_scan.Scan(self.results.parent).video(self.results.name)

    @functools.cached_property
    def by_side(self) -> list[Row]:
        """The segments of speech whose speaker the transcript itself knows."""
        return [each for each in self.listed("transcript.json", "segments") if each.get("speaker")]

    @functools.cached_property
    def turns(self) -> Turns:
        """Who speaks when: by the microphone of each, where there is one (audio.mix: each)."""
        found = self.by_side or self.listed("speakers.json", "turns")
        return Turns(
            Turn(each["start"], each["end"], each["speaker"])
            for each in found
            if _is_timed(each) and isinstance(each.get("speaker"), str)
        )

    @functools.cached_property
    def spoken(self) -> list[Row]:
        """The segments of speech, whole, each with who says most of it and each word of it."""
        return list(_said(self))

    def speaking(self, start: Any, end: Any) -> str | None:
        """The labels of who speaks in a span of seconds, with commas; None: nobody is known to."""
        if not (_is_time(start) and _is_time(end)):
            return None
        return ", ".join(speakers.present(self.turns, start, end)) or None

    @functools.cached_property
    def made(self) -> dict[str, Any]:
        """What its manifest says of each stage."""
        return manifest.stages(self.results)


def of(table: str, video: Artifacts) -> Iterator[Row]:
    """The rows of a table that come from a video, without its id.

    What is missing or can't be read is absent.
    """
    return _MAKERS[table](video)


def _objects(found: Any) -> list[Row]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _object(found: Any) -> Row:
    return found if isinstance(found, dict) else {}


_NUMBERS = (int, float)
"""Not `int | float`, which would be made for each word of a library."""


def _is_timed(row: Row) -> bool:
    """Whether it has a start and an end."""
    return _is_time(row.get("start")) and _is_time(row.get("end"))


def _is_time(value: Any) -> bool:
    """Whether it is a number of seconds. Python reads NaN in JSON, too, which equals nothing."""
    return isinstance(value, _NUMBERS) and -math.inf < value < math.inf


def _videos(video: Artifacts) -> Iterator[Row]:
    facts = video.facts
    if facts is None:
        return
    media = video.read("media.json")
    streams = _objects(media.get("streams"))
    main = next((each for each in streams if each.get("index") == media.get("video")), {})
    source = _object(video.read("fingerprints/media.json").get("source"))
    path, changed = source.get("path"), source.get("mtime_ns")
    path = path if isinstance(path, str) else None
    ended = _object(facts.records.get("manifest")).get("ended")
    yield {
        "title": titles.of(path or video.results.name),
        "source": urls.shown(path) if path and urls.is_url(path) else path,
        "state": facts.state,
        "duration": media.get("duration"),
        "container": media.get("container"),
        "width": main.get("width"),
        "height": main.get("height"),
        "fps": main.get("fps_average"),
        "language": video.read("transcript.json").get("language"),
        "segments": len(video.listed("transcript.json", "segments")),
        "scenes": len(video.listed("scenes.json", "scenes")),
        "highlights": len(video.listed("highlights.json", "highlights")),
        "bytes": facts.totals["bytes"],
        "size": video.read("source.json").get("size", source.get("size")),
        "modified": changed / 1e9 if isinstance(changed, int) else None,
        "finished": ended if facts.state == "done" else None,
        "content": media.get("content"),
    }


def _streams(video: Artifacts) -> Iterator[Row]:
    for each in video.listed("media.json", "streams"):
        yield each | {
            "stream": each.get("index"),
            "is_default": each.get("default"),
            "fps": each.get("fps_average"),
        }


def _segments(video: Artifacts) -> Iterator[Row]:
    yield from video.spoken


def _said(video: Artifacts) -> Iterator[Row]:
    listed = video.listed("transcript.json", "segments")
    spans = [_spans(segment) if video.turns.all else [] for segment in listed]
    # Of all together, as subtitles have it: two may speak at once over several segments.
    given = iter(speakers.speakers_of([span for own in spans for span in own], video.turns))
    for segment, own in zip(listed, spans, strict=True):
        row, labels = segment | {"segment": segment.get("id")}, [next(given) for _ in own]
        if labels:
            pairs = zip(_objects(segment.get("words")), labels, strict=False)
            row["speaker"] = Counter(labels).most_common(1)[0][0]
            row["words"] = [word | {"speaker": label} for word, label in pairs]
        yield row


def _spans(segment: Row) -> list[Span]:
    """Of each word of a segment, or of itself where it has none; empty where they have no times, or
    it knows who speaks."""
    words = _objects(segment.get("words"))
    if "speaker" in segment or not all(map(_is_timed, (segment, *words))):
        return []
    spans = [Span(word["start"], word["end"], str(word.get("word"))) for word in words]
    return spans or [Span(segment["start"], segment["end"])]


def _words(video: Artifacts) -> Iterator[Row]:
    for segment in video.spoken:
        for word in _objects(segment.get("words")):
            speaker = word.get("speaker", segment.get("speaker"))
            yield word | {"segment": segment.get("id"), "speaker": speaker}


def _speakers(video: Artifacts) -> Iterator[Row]:
    document = video.read("speakers.json")
    wanted = _object(video.read("fingerprints/subtitles.json").get("settings"))
    names = _object(wanted.get("speakers.names"))
    model = _object(document.get("models")).get("embedding")
    if video.by_side:
        for side in video.turns.labels:
            own = [turn.end - turn.start for turn in video.turns.all if turn.speaker == side]
            found = {"seconds": sum(own), "turns": len(own)}
            yield found | {"speaker": side, "name": names.get(side)}
        return
    for each in _objects(document.get("speakers")):
        label = each.get("label")
        name = names.get(label) if isinstance(label, str) else None
        yield each | {"speaker": label, "name": name, "model": json.dumps(model, sort_keys=True)}


def _speaker_turns(video: Artifacts) -> Iterator[Row]:
    for number, turn in enumerate(video.turns.all):
        yield {"turn": number} | turn._asdict()


def _translations(video: Artifacts) -> Iterator[Row]:
    """The lines that were translated: others are as `segments` has them."""
    segments = video.listed("transcript.json", "segments")
    for translation in video.listed("translations.json", "languages"):
        language, lines = translation.get("language"), translation.get("lines")
        if not isinstance(language, str) or not _LANGUAGE.fullmatch(language):
            continue
        if not isinstance(lines, list) or len(lines) != len(segments):
            continue  # it is of another transcript
        for segment, text in zip(segments, lines, strict=True):
            if text is not None:
                yield segment | {
                    "language": language,
                    "segment": segment.get("id"),
                    "text": text,
                }


def _scenes(video: Artifacts) -> Iterator[Row]:
    for scene in video.listed("scenes.json", "scenes"):
        yield scene | {"scene": scene.get("id")}


def _keyframes(video: Artifacts) -> Iterator[Row]:
    for frame in video.listed("keyframes.json", "keyframes"):
        yield frame | {"scene": frame.get("scene_id"), "time": frame.get("timestamp")}


def _onscreen_texts(video: Artifacts) -> Iterator[Row]:
    for line in video.listed("onscreen.json", "lines"):
        yield _object(line.get("box")) | line | {"line": line.get("id")}


def _descriptions(video: Artifacts) -> Iterator[Row]:
    name = f"{video.results.name}.scenedesc.msgpack"
    document = scene_descriptions.read(video.results / name)
    for result in (document or {"results": []})["results"]:
        record, description = result["record"], result["description"] or {}
        yield {
            "scene": record.get("scene_id"),
            "time": record.get("timestamp"),
            "file": record.get("file"),
            **{field: description.get(field) for field in FIELDS},
        }


def _scores(video: Artifacts) -> Iterator[Row]:
    scores = {str(each.get("id")): each for each in video.listed("scores.json", "scores")}
    for segment in video.listed("segments.json", "segments"):
        given = scores.get(str(segment.get("id")))
        if given is not None:
            yield _spoken(video, segment | given)


def _highlights(video: Artifacts) -> Iterator[Row]:
    for each in video.listed("highlights.json", "highlights"):
        yield _spoken(video, each)


def _clips(video: Artifacts) -> Iterator[Row]:
    for each in video.listed("clips.json", "clips"):
        yield _spoken(video, each)


def _spoken(video: Artifacts, row: Row) -> Row:
    """A row of a candidate, with who speaks in it."""
    found = video.speaking(row.get("start"), row.get("end"))
    return row | {"candidate": row.get("id"), "speakers": found}


def _beats(video: Artifacts) -> Iterator[Row]:
    for each in video.listed("narrative.json", "beats"):
        yield each | {"candidate": each.get("id")}


def _chapters(video: Artifacts) -> Iterator[Row]:
    for number, found in enumerate(chapter_file.read(video.results / "chapters.ffmetadata")):
        start, end = found.start / 1000, found.end / 1000
        yield {"chapter": number, "start": start, "end": end, "title": found.title}


def _records(video: Artifacts) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(stage, its state as the whole video has it, record) of each job record."""
    if video.facts is not None:
        for stage, record in video.facts.records.items():
            if record:
                yield stage, video.facts.states.get(stage, "waiting"), record


def _jobs(video: Artifacts) -> Iterator[Row]:
    for stage, _, record in _records(video):
        state, made = job_records.state(record), _object(record.get("made"))
        yield record | {"stage": stage, "state": state, "bytes": made.get("bytes")}


def _failures(video: Artifacts) -> Iterator[Row]:
    for stage, state, record in _records(video):
        if state in ("failed", "killed"):
            yield record | {"stage": stage, "class": record.get("class", state)}


def _provenance(video: Artifacts) -> Iterator[Row]:
    for stage, state, record in _records(video):
        if state == "done":
            listed = _object(video.made.get(stage))
            same = listed.get("key") == record.get("key")
            wanted = listed if same else video.read(f"fingerprints/{stage}.json")
            engines = _object(record.get("engines"))
            yield record | {
                "stage": stage,
                "version": wanted.get("version"),
                "engines": json.dumps(engines, ensure_ascii=False),
                "made": record.get("ended"),
            }


_MAKERS: dict[str, Callable[[Artifacts], Iterator[Row]]] = {
    "videos": _videos,
    "streams": _streams,
    "segments": _segments,
    "words": _words,
    "speakers": _speakers,
    "speaker_turns": _speaker_turns,
    "translations": _translations,
    "scenes": _scenes,
    "keyframes": _keyframes,
    "onscreen_texts": _onscreen_texts,
    "descriptions": _descriptions,
    "scores": _scores,
    "highlights": _highlights,
    "clips": _clips,
    "beats": _beats,
    "chapters": _chapters,
    "jobs": _jobs,
    "failures": _failures,
    "provenance": _provenance,
}
