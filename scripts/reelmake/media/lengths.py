"""How long the streams of a film are, by their last packets: a header may say anything."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from reelmake.media import pyav
from reelmake.media.film_frames import EPSILON, film_time
from reelmake.media.pieces import Piece
from reelmake.media.pyav import InputContainer, Stream, VideoStream

# A place behind the end of any film, in microseconds on its own clock.
BEHIND = 1 << 60

# After a seek its times are wrong; its header's are those of the last page.
UNMEASURED = {"ogg"}

# Seconds by which a header may be off: of pictures, and of sound or where packets don't say how
# long they last.
NEAR, ROUGH = 0.1, 1.0


class Span(NamedTuple):
    """When the last packet of a stream ends, in its ticks; exact: whether that packet says how
    long it lasts."""

    end: int
    exact: bool


def spans(path: Path, film: Sequence[Piece], streams: Sequence[int]) -> dict[int, Span]:
    """Of the streams with these indexes, those of which a packet was found at the film's end.

    Reads from the last keyframe of the first of them on; a raw stream, and what can't seek, as a
    whole.
    """
    if not streams:
        return {}
    with pyav.open_film(path, film) as container:
        found: dict[int, Span] = {}
        if container.format.name in UNMEASURED:
            return {}
        # A joined recording is rare, and may be of Ogg.
        whole = film or container.format.flags & pyav.UNTIMED
        if not whole and _is_at_end(container, streams[0]):
            found = _read(container, streams)
    if streams[0] not in found:
        with pyav.open_film(path, film) as container:
            found = _read(container, streams)
    return found


def _is_at_end(container: InputContainer, index: int) -> bool:
    """Whether a seek to the end was possible."""
    stream = container.streams[index]
    base = stream.time_base or Fraction(1, 1_000_000)
    try:
        container.seek(round(Fraction(BEHIND, 1_000_000) / base), stream=stream)
    except (pyav.FFmpegError, OverflowError):
        return False
    return True


def _read(container: InputContainer, streams: Sequence[int]) -> dict[int, Span]:
    """By all packets from here on."""
    found: dict[int, Span] = {}
    steps = {index: _step(container.streams[index]) for index in streams}
    latest: dict[int, tuple[int, int | None]] = {}
    name = container.format.name
    is_avi = name == "avi"  # has no presentation times
    is_raw = bool(container.format.flags & pyav.UNTIMED)
    for packet in pyav.packets(container, *(container.streams[index] for index in streams)):
        if not packet.size or packet.is_discard:
            continue
        index = packet.stream_index
        known = found.get(index)
        ticks = packet.dts if is_avi or packet.pts is None else packet.pts
        if is_raw:
            ticks = known.end if known else 0
        if ticks is None:
            continue
        last, before = latest.get(index, (ticks, None))
        latest[index] = (ticks, last) if ticks > last else (last, before)
        # ASF's packets have no durations: ffmpeg guesses.
        exact = bool(packet.duration) and name != "asf"
        end = ticks + (packet.duration or steps[index])
        found[index] = max(known or Span(end, exact), Span(end, exact))
    if name == "matroska,webm":  # has one duration for all frames, of whatever rate they are
        for index, (last, before) in latest.items():
            if before is not None and found[index].end > last + (last - before):
                found[index] = found[index]._replace(end=last + (last - before))
    return found


def _step(stream: Stream) -> int:
    """Ticks between two frames, where packets don't say; 0 where nothing does."""
    if not isinstance(stream, VideoStream) or not stream.time_base:
        return 0
    rate = stream.average_rate or stream.base_rate
    return round(1 / (rate * stream.time_base)) if rate else 0


def correct(found: dict[str, Any], measured: dict[int, Span], first: float | None) -> None:
    """Put right what a header says of times, in the content of media.json.

    measured: as by `spans`. first: when the first frame is shown, seconds on the file's own clock;
    None: unknown. What a header says stays where it is about right, so that an ordinary film's
    times are those that players show.
    """
    streams = {stream["index"]: stream for stream in found["streams"]}
    bases = {index: Fraction(streams[index]["time_base"]) for index in measured}
    if first is not None and first < found["start_time"] - EPSILON:
        _begin_earlier(found, first)
    for index, span in measured.items():
        stream, end = streams[index], _film_time(span.end, bases[index], found)
        start, said = stream["start_time"] or 0.0, stream["duration"]
        near = NEAR if stream["type"] == "video" else ROUGH
        if said is None or (span.exact and abs(start + said - end) > near):
            stream["duration"] = round(max(0.0, end - start), 6)
    ends = [
        (stream["start_time"] or 0.0) + stream["duration"]
        for stream in map(streams.get, order(found))
        if stream and stream["duration"] is not None
    ]
    said, near = found["duration"], NEAR if all(s.exact for s in measured.values()) else ROUGH
    if any("undecodable" in stream for stream in found["streams"]):
        near = EPSILON  # what a header says is of that stream, too
    if ends and (said is None or abs(said - max(ends)) > near):
        found["duration"] = round(max(ends), 6)


def order(found: dict[str, Any]) -> list[int]:
    """The indexes of the streams whose ends are the film's: the main pictures, the sounds."""
    tracks = [
        stream["index"]
        for stream in found["streams"]
        if stream["type"] == "audio" and "undecodable" not in stream
    ]
    return tracks if found["video"] is None else [found["video"], *tracks]


def _begin_earlier(found: dict[str, Any], first: float) -> None:
    """Make the film begin with its first frame, which it shows before what its header says: a
    film that was trimmed on a phone has to be decoded from an earlier keyframe on."""
    shift = found["start_time"] - first
    found["start_time"] = round(first, 6)
    if found["duration"] is not None:
        found["duration"] = round(found["duration"] + shift, 6)
    for stream in found["streams"]:
        if stream["index"] == found["video"]:
            length = stream["duration"]
            stream["duration"] = length and round(length + shift + (stream["start_time"] or 0), 6)
            stream["start_time"] = 0.0
        elif stream["start_time"] is not None:
            stream["start_time"] = round(stream["start_time"] + shift, 6)


def _film_time(ticks: int, base: Fraction, found: dict[str, Any]) -> float:
    return round(film_time(ticks, base, found["start_time"]), 6)
