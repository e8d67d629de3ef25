"""The files of a film that pages link to, each found by what is known of the film, never by a name
that somebody asks for."""

import os
import re
import stat
from pathlib import Path
from typing import Any, NamedTuple

from reelmake.foundation import artifact_files, urls
from reelmake.library.stages import STAGES, artifact_paths

TYPES = {
    ".jpg": "image/jpeg",
    ".mp4": "video/mp4",
    ".vtt": "text/vtt; charset=utf-8",
    ".srt": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
    ".edl": "text/plain; charset=utf-8",
    ".ffmetadata": "text/plain; charset=utf-8",
    ".json": "application/json",
    ".otio": "application/json",
    ".msgpack": "application/octet-stream",
}
"""The media types of artifacts, by extension. None of them is a page or a script."""

_SAID = {
    "media.json": "what is in the film's file",
    "transcript.json": "what is said, with the time of each word",
    "speakers.json": "who speaks when",
    "transcript.srt": "subtitles for players",
    "transcript.vtt": "subtitles for the web",
    "transcript.txt": "what is said, as text",
    "transcript.md": "what is said, to read",
    "translations.json": "what is said, in other languages",
    "scenes.json": "the cuts",
    "keyframes.json": "which frames the pictures are",
    "onscreen.json": "what is written in the picture",
    "segments.json": "candidates for highlights",
    "scores.json": "how good each candidate is, and why",
    "highlights.json": "the best ones",
    "clips.json": "the films of the highlights",
    "narrative.json": "the beats of the story",
    "chapters.ffmetadata": "chapters for FFmpeg",
    "chapters.txt": "chapters for a description",
    "trailer.mp4": "a short film of the beats",
    "trailer.otio": "its cuts, for editors (OpenTimelineIO)",
    "trailer.edl": "its cuts, for editors (EDL)",
    "manifest.json": "all files with sizes and digests",
    "source.json": "where the film came from",
}


_TRANSLATED = re.compile(r"transcript\.([a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\.(srt|vtt|txt)")
_IN_OTHERS = {
    "srt": "subtitles for players, in other languages",
    "vtt": "subtitles for the web, in other languages",
    "txt": "what is said, as text, in other languages",
}

WANTED = (
    *("trailer.mp4", "transcript.srt", "transcript.vtt", "transcript.txt", "transcript.md"),
    *("chapters.txt", "chapters.ffmetadata", "trailer.otio", "trailer.edl"),
)
"""What people take with them; the others are for programs."""


class Artifact(NamedTuple):
    """path: below the film's folder. what: what it is, for people. size: bytes."""

    path: str
    stage: str
    what: str
    size: int


class Source(NamedTuple):
    """The film itself. path: of its file; None where it is not there. name: of that file, or of
    the address it came from. url: that address; None for a film of one's own."""

    path: Path | None
    name: str
    url: str | None


def is_wanted(path: str) -> bool:
    """Whether people take the file with them."""
    return path in WANTED or language(path) is not None


def language(path: str) -> str | None:
    """The language that a file of translations is in; None for another file."""
    inner, _, name = path.partition("/")
    found = _TRANSLATED.fullmatch(name) if inner == "translations" else None
    return found[1] if found else None


def artifacts(folder: Path) -> list[Artifact]:
    """The files of the film in `folder` that are there, but for pictures and clips."""
    found = []
    for stage in STAGES.values():
        for path in artifact_paths(stage, folder.name):
            if path == "translations/":
                found += _translations(folder, stage.name)
            if path.endswith("/") or stage.temporary:
                continue
            size = _size(folder / path)
            if size is not None:
                what = _SAID.get(path, "what is seen in each keyframe")
                found.append(Artifact(path, stage.name, what, size))
    return found


def _translations(folder: Path, stage: str) -> list[Artifact]:
    """The subtitles in other languages."""
    try:
        names = sorted(os.listdir(folder / "translations"))
    except OSError:
        return []
    found = []
    for name in names:
        match = _TRANSLATED.fullmatch(name)
        size = _size(folder / "translations" / name) if match else None
        if match and size is not None:
            found.append(Artifact(f"translations/{name}", stage, _IN_OTHERS[match[2]], size))
    return found


def source(folder: Path, wanted: dict[str, Any]) -> Source:
    """The film whose results are in `folder`.

    wanted: its fingerprint of the stage media, which names the source.
    """
    given = wanted.get("source")
    path = given.get("path") if isinstance(given, dict) else None
    if not isinstance(path, str) or not path or "\0" in path:
        return Source(None, folder.name, None)
    if not urls.is_url(path):
        file = Path(path).absolute()
        return Source(file if _size(file) is not None else None, file.name, None)
    fetched = artifact_files.read_json(folder / "source.json")
    name = fetched.get("file") if isinstance(fetched, dict) else None
    local = None
    if isinstance(name, str) and name == os.path.basename(name) and name.startswith("source."):  # noqa: PTH119
        local = folder / name
    there = local if local is not None and _size(local) is not None else None
    return Source(there, urls.name(path), urls.shown(path))


def _size(path: Path) -> int | None:
    """Bytes of a regular file; None where there is none."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None
