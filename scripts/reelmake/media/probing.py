"""What is in a media file: its container and its streams, from the header and a few packets.

Film time zero is the container's start time, the earliest start of its streams, as
players and ffmpeg show it. Every time in every artifact is in seconds after it.
"""

import itertools
from fractions import Fraction
from pathlib import Path
from typing import Any

from reelmake.foundation.errors import StageError
from reelmake.media import pyav
from reelmake.media.film_frames import film_time
from reelmake.media.pyav import Disposition, InputContainer, Stream, VideoStream

PICTURES = Disposition.attached_pic | Disposition.timed_thumbnails


def probe(path: Path) -> dict[str, Any]:
    """Container and streams of `path`, as in schemas/media.schema.json (less source, content).

    Raises StageError (`input`) for what is no whole, readable video or audio file.
    Reads the header, a first frame and the end; never the whole file.
    """
    with pyav.open_film(path) as container:
        zero = round((container.start_time or 0) / 1_000_000, 6)
        duration = None if container.duration is None else container.duration / 1_000_000
        _refuse_truncated(path, container, zero, duration)
        streams = [
            _describe(container, stream, zero)
            for stream in container.streams
            if stream.type in ("video", "audio", "subtitle")
        ]
        films = [s for s in streams if s["type"] == "video" and not s["attached_picture"]]
        tracks = [s for s in streams if s["type"] == "audio"]
        if not films and not tracks:
            raise StageError(
                f"{path} has neither video nor audio in it: take it off the list, "
                "or replace it by the right file."
            )
        return {
            "container": container.format.name,
            "duration": None if duration is None else round(duration, 6),
            "start_time": zero,
            "bit_rate": container.bit_rate or None,
            "streams": streams,
            "video": _chosen(films),
            "audio": _chosen(tracks),
        }


def _refuse_truncated(
    path: Path, container: InputContainer, zero: float, duration: float | None
) -> None:
    size = path.stat().st_size
    end: float | None = None
    if container.format.name.startswith("mov,"):
        # Packets in fragments (no samples in the header: frames is 0) are not held to this:
        # being readable up to where it stops is what a fragmented recording is for.
        streams = [s for s in container.streams if s.frames and len(s.index_entries)]
        entries = [s.index_entries[len(s.index_entries) - 1] for s in streams]
        cut = any(entry.pos + entry.size > size for entry in entries)
    elif container.format.name in ("avi", "wav"):
        with path.open("rb") as file:
            declared = int.from_bytes(file.read(8)[4:], "little")
        cut = declared + 8 > size and declared < 0xFFFFFFF0  # all ones: written to a pipe
    elif container.format.name in ("matroska,webm", "flv", "asf") and duration:
        end = _last_time(container, zero, duration)
        cut = end < duration - max(2.0, 0.02 * duration)
    else:  # MPEG-TS, raw streams: their duration is what there is
        cut = False
    if cut:
        what = f"ends at {end:.0f} s of {duration:.0f} s" if end else "is shorter than it says"
        raise StageError(
            f"{path} {what}, like a download or copy that was cut off: get the whole file."
        )


def _last_time(container: InputContainer, zero: float, duration: float) -> float:
    """When the last packet ends (s of film time), found from near the end; 0 without any."""
    last = 0.0
    try:
        container.seek(round(max(0.0, zero + duration - 5) * 1_000_000))
        for packet in container.demux():
            ticks = packet.pts if packet.pts is not None else packet.dts
            if ticks is not None:
                end = (ticks + (packet.duration or 0)) * packet.time_base
                last = max(last, float(end) - zero)
    except pyav.FFmpegError:
        pass  # reading stops there
    return last


def _describe(container: InputContainer, stream: Stream, zero: float) -> dict[str, Any]:
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
    if isinstance(stream, VideoStream):
        context = stream.codec_context
        aspect = stream.sample_aspect_ratio
        entry |= {
            "width": context.width,
            "height": context.height,
            "rotation": 0 if stream.disposition & PICTURES else _rotation(container, stream),
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


def _rotation(container: InputContainer, stream: VideoStream) -> int:
    """Degrees clockwise that turn the coded picture upright: 0, 90, 180 or 270."""
    # The display matrix of the header is only found on decoded frames in PyAV. A stream
    # of which nothing decodes is found out by the stages that need its frames.
    try:
        container.seek(container.start_time or 0)
        for packet in itertools.islice(container.demux(stream), 100):
            try:
                for frame in packet.decode():
                    assert isinstance(frame, pyav.VideoFrame)
                    return round(-frame.rotation / 90) * 90 % 360
            except pyav.InvalidDataError:
                continue
    except pyav.FFmpegError:
        pass
    return 0


def _chosen(streams: list[dict[str, Any]]) -> int | None:
    """The index of the first stream marked as default, or else of the first."""
    for stream in sorted(streams, key=lambda stream: not stream["default"]):
        return int(stream["index"])
    return None
