"""Which stream of a film is meant: the main video, an audio track by number or language."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reelmake.foundation.errors import StageError

Media = Mapping[str, Any]
"""The content of media.json."""


def stream(media: Media, index: int | None) -> dict[str, Any]:
    """The entry of the stream with this index in the file."""
    found: dict[str, Any] = next(s for s in media["streams"] if s["index"] == index)
    return found


def video(media: Media) -> dict[str, Any]:
    """The entry of the main video, which the film has."""
    return stream(media, media["video"])


def track(source: Path, media: Media, wanted: str | int) -> dict[str, Any] | None:
    """The entry of an audio track; None for a film without any.

    wanted: `default`, its number among the audio tracks (0 is the first), or its language as it
    stands in the file. Raises StageError for one that is not there, with those that are.
    """
    tracks: list[dict[str, Any]] = [
        stream for stream in media["streams"] if stream["type"] == "audio"
    ]
    if not tracks:
        return None
    if wanted == "default":
        return stream(media, media["audio"])
    if isinstance(wanted, str):
        language = wanted.lower()
        found = [s for s in tracks if (s["language"] or "").lower().split("-")[0] == language]
        found.sort(key=lambda stream: not stream["default"])
    else:
        found = tracks[wanted : wanted + 1] if wanted >= 0 else []
    if not found:
        choices = ", ".join(
            f"{number} ({stream['language'] or 'no language'}, {stream['codec']}, "
            f"{stream['channels']} channels)"
            for number, stream in enumerate(tracks)
        )
        raise StageError(
            f"{source} has no audio track {wanted!r}; it has {choices}: set audio.track to a "
            "number or a language of these, or to default."
        )
    return found[0]
