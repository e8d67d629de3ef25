"""Why a file is refused, and what to do: the true cause, by its bytes.

ffmpeg says of most of them "Invalid data found".
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reelmake.foundation.errors import StageError
from reelmake.media import boxes, scrambling

MAGIC = {
    b"\x1a\x45\xdf\xa3": "Matroska or WebM",
    b"OggS": "Ogg",
    bytes.fromhex("3026b2758e66cf11"): "ASF (WMV)",
    b"RIFF": "AVI or WAV",
    b"FLV": "Flash video",
    b"\x00\x00\x01\xba": "MPEG program stream",
    b"\x47\x40": "MPEG transport stream",
    b"fLaC": "FLAC",
    b"ID3": "MP3",
}
"""With which bytes a file of a format begins."""

DAMAGED = "get an intact copy, or take it off the list"


def unreadable(path: Path, head: bytes) -> StageError:
    """The error of a file that ffmpeg can't open. head: its first 16 bytes."""
    if head[4:8] in boxes.FIRST:
        return _unreadable_boxes(path)
    for magic, name in MAGIC.items():
        if head.startswith(magic):
            return StageError(
                f"{path} begins as a file of {name} does, but can't be read: it is cut off or "
                f"damaged: {DAMAGED}."
            )
    return StageError(
        f"{path} is not a video or audio file (no known media format): replace it, or take it off "
        "the list."
    )


def _unreadable_boxes(path: Path) -> StageError:
    found = list(boxes.boxes(path))
    if scrambling.encrypted_tracks(path, found):
        return encrypted(path)
    if (without := without_media(path, found)) is not None:
        return without
    index = next((box for box in found if box.path == "moov"), None)
    if index is None or index.end > path.stat().st_size:
        return StageError(
            f"{path} has no readable index (moov), like a recording or download that was "
            "cut off: get the whole file, or repair it."
        )
    return StageError(
        f"{path} has an index (moov) that contradicts itself, like that of a damaged file: "
        f"{DAMAGED}."
    )


def encrypted(path: Path) -> StageError:
    """The error of a film that only its shop or its receiver can show."""
    return StageError(
        f"{path} is encrypted, like films of streaming services and pay television: get a copy "
        "without encryption, or take it off the list."
    )


def empty(path: Path) -> StageError:
    """The error of a file that has a header, and not one packet of picture or sound."""
    return StageError(
        f"{path} has a header, but not one picture or sound that can be read: it is cut off or "
        f"damaged: {DAMAGED}."
    )


def without_media(path: Path, found: Sequence[boxes.Box]) -> StageError | None:
    """The error of an MP4 or QuickTime file whose media is elsewhere; None where it is in it.

    found: its boxes.
    """
    kinds = {box.path for box in found}
    elsewhere = [
        box
        for box in found
        # A reference whose flag says that the media is in this file has no address.
        if box.path.startswith("moov/trak/mdia/minf/dinf/dref/")
        and not boxes.content(path, box, 4).endswith(b"\1")
    ]
    if "moov/rmra" in kinds or (elsewhere and "mdat" not in kinds):
        return StageError(
            f"{path} is a reference movie: its pictures and sounds are in other files: name those, "
            "or save it as a self-contained film."
        )
    if "moov/mvex" in kinds and not kinds & {"mdat", "moof"}:
        return StageError(
            f"{path} is the beginning of a stream in segments (an initialisation segment), with no "
            "picture or sound in it: join it with its segments, or take it off the list."
        )
    return None


def undecodable(path: Path, container: str, streams: Sequence[Mapping[str, Any]]) -> StageError:
    """The error of a film of whose pictures and sounds there is nothing that can be decoded.

    streams: their entries in media.json.
    """
    if container == "mpegts" and scrambling.is_scrambled(path):
        return encrypted(path)
    what = ", ".join(
        f"{stream['type']} {stream['codec'] or 'of unknown form'}" for stream in streams
    )
    return StageError(
        f"{path} has nothing in it that can be decoded ({what}): get it in another form, or take "
        "it off the list."
    )
