"""Recordings that were joined end to end, as by `cat a.ts b.ts`: where their clock starts anew."""

import itertools
import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from reelmake.foundation.errors import StageError
from reelmake.media import pyav
from reelmake.media.pieces import Piece
from reelmake.media.pyav import InputContainer, Stream

DISCONTINUOUS = 0x200
"""ffmpeg's flag of the formats whose clock may start anew (AVFMT_TS_DISCONT): MPEG-TS, MPEG-PS,
Ogg."""

# As ffmpeg's -dts_delta_threshold: seconds by which a clock is off where it starts anew; and by
# which it goes back.
FORWARD, BACK = 10.0, 0.1
# A clock is believed when so many packets follow it: reception errors hit single ones.
BELIEVED = 5
# Jumps of two streams are one where they differ by less (s).
SAME = 2.0
# More pieces than a command line can hold, of no recording that was joined.
MOST = 500

# The start of a pack in MPEG-PS, and of a page in Ogg with which a stream begins.
PACK, PAGE = b"\0\0\1\xba", b"OggS\0"
# Bytes of such a page at most, about.
FIRST_PAGE = 512


class Jump(NamedTuple):
    """Where a stream's clock starts anew: the byte of its first packet there, that packet's time,
    and the time at which it was expected; seconds."""

    stream: int
    at: int
    time: float
    expected: float


class Clock(NamedTuple):
    """Of a piece, in seconds after its own start. streams: when each is decoded from, and until.
    end: when the last picture or sound ends."""

    streams: dict[int, tuple[float, float]]
    end: float


def find(path: Path) -> list[Piece]:
    """The pieces of a recording whose clock starts anew; none where it doesn't.

    Reads the whole file, in the formats that allow for it. As for ffmpeg, a clock starts anew
    where a stream goes back, or forward by more than 10 s; here, of each stream that goes on.
    """
    with pyav.open_film(path) as container:
        if not container.format.flags & DISCONTINUOUS:
            return []
        streams = _streams(container)
        jumps = _jumps(container, streams)
        joints = _agreed(jumps)
        if not joints:
            return []
        if len(joints) >= MOST:
            raise StageError(
                f"{path}: its clock starts anew {len(joints)} times: record it again, or remux it "
                "(ffmpeg -i in -c copy out.mkv) and use that file."
            )
        name, ids = container.format.name, {stream.id for stream in streams}
    borders = [0]
    with path.open("rb") as file:
        for joint in joints:
            at = max(1, min(jump.at for jump in joint))
            borders.append(_beginning(file, name, ids, at, borders[-1]))
        borders.append(file.seek(0, os.SEEK_END))
    ranges = [Piece(*ends, 0.0) for ends in itertools.pairwise(borders)]
    if any(piece.begin >= piece.end for piece in ranges):
        return []
    try:
        clocks = [_clock(path, piece) for piece in ranges]
    except pyav.FFmpegError:  # one of them can't be read alone
        return []
    lasting = []
    for joint, (before, then) in zip(joints, itertools.pairwise(clocks), strict=True):
        # As ffmpeg: the stream that comes first goes on without a gap.
        stream = min(joint, key=lambda jump: jump.at).stream
        if stream not in before.streams or stream not in then.streams:
            return []
        lasting.append(before.streams[stream][1] - then.streams[stream][0])
    lasting.append(clocks[-1].end)
    if min(lasting) <= 0:
        return []
    return [
        piece._replace(duration=round(seconds, 6))
        for piece, seconds in zip(ranges, lasting, strict=True)
    ]


def _jumps(container: InputContainer, streams: Sequence[Stream]) -> dict[int, list[Jump]]:
    """Of each stream that has packets: where its clock starts anew."""
    found: dict[int, list[Jump]] = {}
    expected: dict[int, float] = {}
    doubtful: dict[int, tuple[Jump, float, int]] = {}
    positions: dict[int, int] = {}
    for packet in pyav.packets(container, *streams):
        ticks = packet.dts if packet.dts is not None else packet.pts
        if packet.pos is not None:
            positions[packet.stream_index] = packet.pos
        if ticks is None or packet.time_base is None:
            continue
        index = packet.stream_index
        time = float(ticks * packet.time_base)
        following = time + float((packet.duration or 0) * packet.time_base)
        known = found.setdefault(index, [])
        if index not in expected or _goes_on(time, expected[index]):
            expected[index] = following
            doubtful.pop(index, None)
            continue
        jump, then, count = doubtful.get(index, (None, 0.0, 0))
        if jump is None or not _goes_on(time, then):
            jump, count = Jump(index, positions.get(index, 0), time, expected[index]), 0
        doubtful[index] = (jump, following, count + 1)
        if count + 1 >= BELIEVED:
            known.append(jump)
            expected[index] = following
            del doubtful[index]
    return found


def _goes_on(time: float, expected: float) -> bool:
    return -BACK <= time - expected <= FORWARD


def _agreed(jumps: dict[int, list[Jump]]) -> list[list[Jump]]:
    """The jumps that all streams make together, in the file's order; none where one doesn't."""
    lists = list(jumps.values())
    if not lists or len({len(each) for each in lists}) != 1:
        return []
    together = [list(joint) for joint in zip(*lists, strict=True)]
    for joint in together:
        steps = [jump.time - jump.expected for jump in joint]
        if max(steps) - min(steps) > SAME:
            return []
    return together


def _beginning(file: Any, container: str, ids: set[int], at: int, after: int) -> int:
    """Where the recording begins whose first packet is at `at`: with what stands before that and
    says what is in it. after: the byte that it comes after."""
    if container == "mpegts":
        return _tables(file, ids, at, after)
    start = max(after + 1, at - (1 << 16))
    file.seek(start)
    before = file.read(at - start)
    if container == "ogg":
        firsts = [
            place
            for place in range(len(before) - 5)
            if before.startswith(PAGE, place) and before[place + 5] & 2
        ]
        # One page for each stream, which are short.
        apart = [i for i in range(1, len(firsts)) if firsts[i] - firsts[i - 1] > FIRST_PAGE]
        return start + firsts[apart[-1] if apart else 0] if firsts else at
    found = before.rfind(PACK)
    return at if found < 0 else start + found


def _tables(file: Any, ids: set[int], at: int, after: int) -> int:
    """In MPEG-TS: the tables, which are packets of no stream."""
    size, prefix = 188, 0
    for size, prefix in ((188, 0), (204, 0), (192, 4)):  # the last: AVCHD's have their own clock
        if _is_sync(file, at + prefix, at + prefix + size):
            break
    at += prefix
    while at - size >= after and _is_sync(file, at - size):
        file.seek(at - size + 1)
        if int.from_bytes(file.read(2)) & 0x1FFF in ids:
            break
        at -= size
    return at - prefix


def _is_sync(file: Any, *places: int) -> bool:
    for place in places:
        file.seek(place)
        if file.read(1) != b"\x47":
            return False
    return True


def _clock(path: Path, piece: Piece) -> Clock:
    """Of a piece by itself."""
    with pyav.open_piece(path, piece) as container:
        start = Fraction(container.start_time or 0, 1_000_000)
        streams: dict[int, tuple[float, float]] = {}
        end = Fraction(0)
        for packet in pyav.packets(container, *_streams(container)):
            ticks = packet.dts if packet.dts is not None else packet.pts
            if ticks is None or packet.time_base is None:
                continue
            length = packet.duration or 0
            time = float(ticks * packet.time_base - start)
            first, _ = streams.get(packet.stream_index, (time, time))
            streams[packet.stream_index] = first, time + float(length * packet.time_base)
            shown = ticks if packet.pts is None else packet.pts
            end = max(end, (shown + length) * packet.time_base - start)
    return Clock(streams, float(end))


def _streams(container: InputContainer) -> list[Stream]:
    return [stream for stream in container.streams if stream.type in ("video", "audio")]
