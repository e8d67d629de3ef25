"""Edit lists in the form of CMX 3600, whose lines are commands.

Nothing untrusted gets into one but letters, digits and single spaces of ASCII.
"""

import re
import unicodedata
from fractions import Fraction
from pathlib import Path

from reelmake.editing import timecode
from reelmake.editing.string_out import StringOut
from reelmake.foundation.errors import UserError
from reelmake.media.file_urls import url

# The frame rates whose timecode every reader of edit lists knows, and the one of them that may be
# counted drop-frame.
EDL_RATES = (
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(30),
)
DROP_RATE = Fraction(30000, 1001)
# CMX 3600 has so many characters for a reel, and these names for no reel at all.
REEL, NO_REEL = 8, "AX"
RESERVED = {"BL", "BLACK", "BARS", NO_REEL}
NAME = 32
NOTE = 120
MARK_COLOR = "GREEN"


def edl_rate(rate: Fraction) -> Fraction:
    """The frame rate of the edit list for a film of that rate."""
    if rate / 2 in EDL_RATES and rate not in EDL_RATES:
        return rate / 2
    return min(EDL_RATES, key=lambda known: abs(known - rate))


def write(out: StringOut) -> bytes:
    """The edit list of a string-out: an event a cut, and a locator (`* LOC:`) a marker.

    Pictures, or sound where no film has pictures. OpenTimelineIO's adapter is not used for it: it
    takes all of 29.97 for drop-frame, writes locators with the film's timecode instead of the
    timeline's, and knows no start of a timeline but zero.
    Raises UserError for films that one edit list can't hold.
    """
    _check(out)
    kind = "V" if any(film.size for film in out.films) else "A"
    mode = "DROP FRAME" if out.drop and out.rate == DROP_RATE else "NON-DROP FRAME"
    lines = [f"TITLE: {plain(out.name)[:NAME].strip() or 'reelmake'}", f"FCM: {mode}"]

    def times(first: int, start: int, length: int) -> str:
        ends = (first + start, first + start + length)
        return " ".join(timecode.text(frame, out.rate, out.drop) for frame in ends)

    reels = _reels(out)
    for number, cut in enumerate(out.cuts):
        source = times(cut.film.zero, cut.start, cut.length)
        record = times(out.first, cut.at, cut.length)
        tape = reels[cut.film.source]
        lines += [
            "",
            f"{number + 1:03}  {tape:8} {kind:5} C        {source} {record}",
            f"* FROM CLIP NAME:  {_file_name(cut.film.source)}",
            f"* FROM CLIP: {url(cut.film.source)}",
        ]
        if said := _said(cut.label, cut.note):
            lines.append(f"* COMMENT: {said}")
        for count, mark in enumerate(out.marks):
            if mark.cut == number:
                at = timecode.text(out.first + mark.at, out.rate, out.drop)
                said = _said(mark.label, mark.note) or f"moment {count + 1}"
                lines.append(f"* LOC: {at} {MARK_COLOR:7} {said}")
    return "\n".join([*lines, ""]).encode("ascii")


def _check(out: StringOut) -> None:
    other = next((film for film in out.films if film.rate != out.rate), None)
    if other is not None:
        raise UserError(
            f"an edit list has one frame rate, and {other.source.name} has another "
            f"({float(other.rate):.5g}) than most ({float(out.rate):.5g}): choose films of one "
            "rate with --video, or another --format"
        )
    modes = {film.drop for film in out.films if film.start is not None}
    if out.rate == DROP_RATE and len(modes) > 1:
        raise UserError(
            "an edit list has timecode of one kind, and of these films some have drop-frame and "
            "some don't: choose films of one kind with --video, or another --format"
        )


def _said(label: str, note: str | None) -> str:
    return plain(f"{label} {note or ''}")[:NOTE].strip()


def _file_name(source: Path) -> str:
    """By which some editors find the media: as it is, where it is plain."""
    name = source.name
    return (
        name if re.fullmatch(r"\w[\w.() -]{0,63}", name, re.ASCII) else plain(name)[:NAME].strip()
    )


def _reels(out: StringOut) -> dict[Path, str]:
    """The name of each film's tape: no two have the same."""
    found: dict[Path, str] = {}
    for film in out.films:
        name, number = reel(film.source), 1
        while name in found.values() and len(out.films) > 1:
            number += 1
            name = f"{reel(film.source)[: REEL - len(str(number))]}{number}"
        found[film.source] = name
    return found


def plain(text: str) -> str:
    """Letters, digits and single spaces of ASCII, accents taken off."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join(re.findall("[A-Za-z0-9]+", ascii_only))


def reel(source: Path) -> str:
    """What an edit list calls the film, in the eight characters that it has for a tape."""
    name = plain(source.stem).replace(" ", "").upper()[:REEL]
    return NO_REEL if not name or name in RESERVED else name
