"""OpenTimelineIO's timelines. The only module that imports it."""

from fractions import Fraction
from pathlib import Path

import opentimelineio
from opentimelineio.opentime import RationalTime, TimeRange
from opentimelineio.schema import (
    Clip,
    ExternalReference,
    Gap,
    Marker,
    MarkerColor,
    Stack,
    Timeline,
    Track,
    TrackKind,
    Transition,
    TransitionTypes,
)

from reelmake.media.file_urls import url

__all__ = [
    "Clip",
    "ExternalReference",
    "Gap",
    "Marker",
    "MarkerColor",
    "Stack",
    "TimeRange",
    "Timeline",
    "Track",
    "TrackKind",
    "Transition",
    "TransitionTypes",
    "content",
    "reference",
    "time",
    "time_range",
]


def content(timeline: Timeline) -> bytes:
    """The file's content."""
    text: str = opentimelineio.adapters.write_to_string(timeline, "otio_json")
    return text.encode() + b"\n"


def reference(source: Path, name: str, whole: TimeRange) -> ExternalReference:
    """That media is in a file. whole: what of it there is."""
    made = ExternalReference(url(source), whole)
    made.name = name
    return made


def time_range(start: int, end: int, rate: Fraction) -> TimeRange:
    """Frames [start, end) of that rate."""
    return TimeRange(time(start, rate), time(end - start, rate))


def time(frames: int, rate: Fraction) -> RationalTime:
    """So many frames. OpenTimelineIO's rate is a float: that of 24000/1001 is nearest to it."""
    return RationalTime(frames, float(rate))
