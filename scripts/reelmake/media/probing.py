"""What is in a media file: its container and its streams, from the header and a few packets.

Film time zero is the container's start time, the earliest start of its streams, as
players and ffmpeg show it. Every time in every artifact is in seconds after it.
"""

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from reelmake.editing import streams as chosen_streams
from reelmake.foundation.errors import StageError
from reelmake.media import (
    boxes,
    cropping,
    interlacing,
    joined,
    lengths,
    orientation,
    pyav,
    refusals,
    scrambling,
    seeking,
    tone_mapping,
    truncation,
)
from reelmake.media.film_frames import film_time
from reelmake.media.pyav import Disposition, InputContainer, Stream, VideoFrame, VideoStream

# So many frames are looked at: a broadcast may begin with the end of something else.
FRAMES = 10

# What ffmpeg calls the key of an encrypted track of Matroska or WebM (RFC 9559, 5.1.4.1.31.10).
KEY = "enc_key_id"

PICTURES = Disposition.attached_pic | Disposition.timed_thumbnails


def probe(path: Path) -> dict[str, Any]:
    """Container and streams of `path`, as in schemas/media.schema.json (less source, content).

    Raises StageError (`input`) for what is no whole, readable video or audio file.
    Reads the header, a first frame and the end; a film whose clock may start anew (MPEG-TS,
    MPEG-PS, Ogg) and a raw stream as a whole.
    """
    film = joined.find(path)
    with pyav.open_film(path) as container:
        # A joined film's clock, as ffmpeg's demuxer `concat` makes it, starts at 0.
        start = (container.start_time or 0) / 1_000_000
        said = None if container.duration is None else container.duration / 1_000_000
        found_boxes = list(boxes.boxes(path)) if container.format.name.startswith("mov,") else []
        if (without := refusals.without_media(path, found_boxes)) is not None:
            raise without
        encrypted = scrambling.encrypted_tracks(path, found_boxes)
        streams = [
            _describe(stream, start, stream.id in encrypted or KEY in stream.metadata)
            for stream in container.streams
            if stream.type in ("video", "audio", "subtitle")
        ]
        usable = [s for s in streams if "undecodable" not in s]
        films = [s for s in usable if s["type"] == "video" and not s["attached_picture"]]
        tracks = [s for s in usable if s["type"] == "audio"]
        for entry in films:
            entry |= _shown(path, container, container.streams[entry["index"]], found_boxes)
        left_out = [s for s in streams if "undecodable" in s]
        for kind in ("video", "audio"):
            found_out = [s.get("undecodable") for s in streams if s["type"] == kind]
            if found_out and set(found_out) == {"encrypted"}:
                raise refusals.encrypted(path)
        if not films and not tracks:
            if left_out:
                raise refusals.undecodable(path, container.format.name, left_out)
            raise StageError(
                f"{path} has neither video nor audio in it: take it off the list, "
                "or replace it by the right file."
            )
        found: dict[str, Any] = {
            "container": container.format.name,
            "duration": None if said is None or film else round(said, 6),
            "start_time": 0.0 if film else round(start, 6),
            "bit_rate": container.bit_rate or None,
            "streams": streams,
            "video": _chosen(films),
            "audio": _chosen(tracks),
        }
        is_counted = film or container.format.flags & pyav.UNTIMED
        first = None if is_counted else _first_shown(path, found["video"])
        measured = lengths.spans(path, film, lengths.order(found))
        if not measured and container.format.name not in lengths.UNMEASURED:
            raise refusals.empty(path)
        lengths.correct(found, measured, first)
        truncation.refuse(path, container, found["duration"], said)
    if film:
        found["pieces"] = [piece._asdict() for piece in film]
    if seeking.is_doubtful(found) and not seeking.is_possible(path, found):
        chosen_streams.video(found)["seekable"] = False
    return found


def _describe(stream: Stream, zero: float, encrypted: bool) -> dict[str, Any]:
    base = stream.time_base or Fraction(1, 1_000_000)
    entry: dict[str, Any] = {
        "index": stream.index,
        "type": stream.type,
        "codec": stream.codec_context.codec.canonical_name if stream.codec_context else None,
        "language": None if stream.language in (None, "und") else stream.language,
        "title": stream.metadata.get("title"),
        "default": bool(stream.disposition & Disposition.default),
        "time_base": f"{base.numerator}/{base.denominator}",
        "start_time": None
        if stream.start_time is None
        else round(film_time(stream.start_time, base, zero), 6),
        "duration": None if stream.duration is None else round(float(stream.duration * base), 6),
    }
    if (cause := _undecodable(stream, encrypted)) is not None:
        return entry | {"undecodable": cause}
    if isinstance(stream, VideoStream):
        context = stream.codec_context
        aspect = stream.sample_aspect_ratio
        entry |= {
            "width": context.width,
            "height": context.height,
            "rotation": 0,
            "pixel_aspect": round(float(aspect), 6) if aspect else 1.0,
            "fps_average": round(float(stream.average_rate), 6) if stream.average_rate else None,
            "fps_real": round(float(stream.base_rate), 6) if stream.base_rate else None,
            "pixel_format": context.pix_fmt,
            "bit_depth": context.format.components[0].bits if context.format else None,
            "frames": stream.frames or None,
            "attached_picture": bool(stream.disposition & PICTURES),
        }
    elif isinstance(stream, pyav.AudioStream):
        entry |= {
            "channels": stream.channels,
            "layout": stream.layout.name,
            "sample_rate": stream.sample_rate,
        }
    return entry


def _undecodable(stream: Stream, encrypted: bool) -> str | None:
    """Why a stream can't be decoded; None where it can, or is no picture and no sound."""
    if stream.type == "subtitle":
        return None
    if encrypted:
        return "encrypted"
    context = stream.codec_context
    if context is None:  # an unknown sample entry, AC-4, MPEG-H
        return "no decoder"
    # What ffmpeg has found by decoding the first packets.
    size = context.width if isinstance(stream, VideoStream) else context.sample_rate
    is_picture = stream.disposition & PICTURES
    return None if size or is_picture else "not one packet can be decoded"


def _first_shown(path: Path, index: int | None) -> float | None:
    """When the first frame is shown, seconds on the file's own clock; None where none is found."""
    if index is None:
        return None
    with pyav.open_film(path) as container:
        stream = container.streams[index]
        for frame in _first_frames(container, stream):
            if frame.pts is not None and stream.time_base:
                return float(frame.pts * stream.time_base)
            break
    return None


def _first_frames(container: InputContainer, stream: Stream) -> Iterator[VideoFrame]:
    """What decodes of the next packets."""
    for packet in itertools.islice(pyav.packets(container, stream), 100):
        yield from pyav.decoded(packet)


def _shown(
    path: Path, container: InputContainer, stream: Stream, found_boxes: Sequence[boxes.Box]
) -> dict[str, Any]:
    """How the pictures are shown, as in media.json: what most films don't need to say."""
    assert isinstance(stream, VideoStream)
    found: dict[str, Any] = {}
    if (crop := cropping.of(path, container, stream, found_boxes)) is not None:
        found["crop"] = crop._asdict()
    # The rest only a decoded frame says. A stream of which nothing decodes is found out by the
    # stages that need its frames.
    try:
        container.seek(container.start_time or 0)
    except pyav.FFmpegError:
        return found
    for number, frame in enumerate(_first_frames(container, stream)):
        if number == 0 and (matrix := pyav.display_matrix(frame)) is not None:
            found |= orientation.facts(matrix)
        if number == 0 and frame.color_trc in tone_mapping.TRANSFERS:
            found["hdr"] = tone_mapping.TRANSFERS[frame.color_trc]
        if frame.interlaced_frame:
            order = stream.codec_context.field_order
            found["field_order"] = interlacing.ORDERS.get(order, "tt")
        is_progressive = (
            stream.codec_context.field_order == interlacing.PROGRESSIVE
            and stream.codec_context.name not in interlacing.MIXED
        )
        if "field_order" in found or is_progressive or number >= FRAMES:
            break
    return found


def _chosen(streams: list[dict[str, Any]]) -> int | None:
    """The index of the first stream marked as default, or else of the first."""
    for stream in sorted(streams, key=lambda stream: not stream["default"]):
        return int(stream["index"])
    return None
