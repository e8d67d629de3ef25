"""Which stream of a film is meant: the main video, an audio track by number or language."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reelmake.foundation.errors import StageError

Media = Mapping[str, Any]
"""The content of media.json."""

NORWEGIAN = {"nb": "no", "nn": "no"}
"""Its two ways of writing are spoken as one."""

Wanted = str | int | list[str | int]
"""What the setting audio.track may be."""


def stream(media: Media, index: int | None) -> dict[str, Any]:
    """The entry of the stream with this index in the file."""
    found: dict[str, Any] = next(s for s in media["streams"] if s["index"] == index)
    return found


def video(media: Media) -> dict[str, Any]:
    """The entry of the main video, which the film has."""
    return stream(media, media["video"])


def frame_rate(media: Media) -> float | None:
    """Frames a second of the main video, on average; None without one, or where nobody knows."""
    if media["video"] is None:
        return None
    entry = video(media)
    rate: float | None = entry["fps_average"] or entry["fps_real"]
    return rate


def track(source: Path, media: Media, wanted: Wanted) -> dict[str, Any] | None:
    """The entry of an audio track; None for a film without any that can be decoded.

    wanted: `default`, its number among the audio tracks (0 is the first), or its language: `deu`,
    `ger`, `de` and `de-AT` are one; or a list of these, of which the first that is there counts.
    Raises StageError where none is, with those that are.
    """
    tracks: list[dict[str, Any]] = [
        stream for stream in media["streams"] if stream["type"] == "audio"
    ]
    choices = wanted if isinstance(wanted, list) else [wanted]
    if not tracks or ("default" in choices and media["audio"] is None):
        return None
    for one in choices:
        found = _matching(media, tracks, one)
        if found is not None:
            return found
    there = ", ".join(f"{number} ({_said_of(each)})" for number, each in enumerate(tracks))
    raise StageError(
        f"{source} has no audio track {wanted!r}; it has {there}: set audio.track to a "
        "number or a language of these, or to default."
    )


def with_track(source: Path, media: Media, wanted: Wanted) -> Media:
    """media.json as if the wanted track were the default one; as `track` chooses it."""
    chosen = track(source, media, wanted)
    return {**media, "audio": None if chosen is None else chosen["index"]}


def _matching(
    media: Media, tracks: list[dict[str, Any]], wanted: str | int
) -> dict[str, Any] | None:
    if wanted == "default":
        return None if media["audio"] is None else stream(media, media["audio"])
    if isinstance(wanted, int):
        meant = tracks[wanted : wanted + 1] if wanted >= 0 else []
    else:
        language = _language(wanted)
        meant = [s for s in tracks if language and _language(s["language"] or "") == language]
    found = [s for s in meant if "undecodable" not in s]
    return next(iter(sorted(found, key=lambda stream: not stream["default"])), None)


def _said_of(track: dict[str, Any]) -> str:
    """A track for people to choose."""
    language = track["language"] or "no language"
    if "undecodable" in track:
        return f"{language}, can't be decoded: {track['undecodable']}"
    return f"{language}, {track['codec']}, {track['channels']} channels"


def _language(tag: str) -> str | None:
    """What a language tag stands for, in whichever of the ways of ISO 639 and BCP 47 it is
    written; None for `und`, which is none. What is no tag stands for itself."""
    import langcodes

    try:
        known = langcodes.Language.get(tag).prefer_macrolanguage()
    except ValueError:
        return tag.lower() or None
    language = known.language or "und"
    return None if language == "und" else NORWEGIAN.get(language, language)
