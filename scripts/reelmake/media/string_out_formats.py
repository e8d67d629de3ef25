"""The formats in which a string-out can be written, by name."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from reelmake.editing import frame_rate, string_out
from reelmake.editing.string_out import Film, Moment, StringOut
from reelmake.media import edl, fcp7_xml, fcpx_xml


class Format(NamedTuple):
    """suffix: of its files. rate: at which it counts a film of that rate. write: its content."""

    suffix: str
    rate: Callable[[Fraction], Fraction]
    write: Callable[[StringOut], bytes]


def _otio(out: StringOut) -> bytes:
    from reelmake.media import string_out_otio  # OpenTimelineIO, which no other format needs

    return string_out_otio.write(out)


FORMATS = {
    "otio": Format(".otio", lambda rate: rate, _otio),
    "edl": Format(".edl", edl.edl_rate, edl.write),
    "fcpxml": Format(".fcpxml", frame_rate.countable, fcpx_xml.write),
    "fcp7": Format(".xml", frame_rate.countable, fcp7_xml.write),
}

LAYOUTS = {"cuts": string_out.cuts, "markers": string_out.markers}


def write(
    name: str,
    moments: Sequence[Moment],
    films: Mapping[Path, Film],
    format: str,
    layout: str = "cuts",
) -> bytes:
    """The content of a file that an editor imports.

    name: of the timeline. moments: one at least, of as many films as you like, in the order that
    they shall have. films: what `editor_films.read` says of them, by source. format: one of
    `FORMATS`. layout: `cuts`, one moment after the other, or `markers` on whole films.
    Raises UserError for films that the format can't hold together.
    """
    chosen = FORMATS[format]
    return chosen.write(LAYOUTS[layout](name, moments, films, chosen.rate))
