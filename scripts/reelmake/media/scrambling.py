"""Whether a recording is encrypted, so that only its receiver or its shop can show it."""

from collections.abc import Sequence
from pathlib import Path

from reelmake.media import boxes

ENCRYPTED = {"encv", "enca", "drmi", "drms"}
"""Sample entries of common encryption (ISO/IEC 23001-7) and of Apple's."""

PACKET = 188
LOOKED_AT = 4 << 20
"""Bytes of a transport stream."""


def encrypted_tracks(path: Path, found: Sequence[boxes.Box]) -> set[int]:
    """The numbers of an MP4 file's tracks that are. found: its boxes."""
    entries = boxes.sample_entries(path, found)
    return {track for track, entry in entries if entry.path[-4:] in ENCRYPTED}


def is_scrambled(path: Path) -> bool:
    """Whether most of an MPEG transport stream is, by the bits for that in its packets' headers
    (ISO/IEC 13818-1, 2.4.3.2; ETSI TS 100 289)."""
    with path.open("rb") as file:
        start = file.read(LOOKED_AT)
    # Of 192 bytes: each behind a time (M2TS); of 204: each before its parity.
    for size, offset in ((PACKET, 0), (192, 4), (204, 0)):
        heads = [start[at : at + 4] for at in range(offset, len(start) - size, size)]
        if heads and all(head[0] == 0x47 for head in heads[:8]):
            filled = [head for head in heads if head[1:3] != b"\x1f\xff"]  # less the stuffing
            return sum(head[3] >> 7 for head in filled) * 2 > len(filled)
    return False
