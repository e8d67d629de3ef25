"""What is written in the picture at some time: lines of onscreen.json."""

from collections.abc import Mapping, Sequence
from typing import Any

Lines = Sequence[Mapping[str, Any]]
"""The lines of onscreen.json."""

SAME = 1e-3
"""Seconds by which times of one frame may differ."""


def at(lines: Lines, time: float) -> list[str]:
    """The texts in the frame that is shown then (s)."""
    return _shown(lines, [(time, time)])


def by_segment(
    lines: Lines,
    segments: Sequence[Mapping[str, Any]],
    keyframes: Mapping[int, Sequence[float]],
) -> dict[int, list[str]]:
    """The texts that are in the picture during each segment of segments.json, by its id.

    keyframes: when those of each scene are shown (s): one stands for all of its scene, and may lie
    outside of the segment.
    """
    found = {}
    for segment in segments if lines else ():
        times = [time for scene in segment["scenes"] for time in keyframes.get(scene, ())]
        spans = [(segment["start"], segment["end"]), *((time, time) for time in times)]
        found[segment["id"]] = _shown(lines, spans)
    return found


def _shown(lines: Lines, spans: Sequence[tuple[float, float]]) -> list[str]:
    return [
        line["text"]
        for line in lines
        if any(line["start"] < end + SAME and line["end"] > start - SAME for start, end in spans)
    ]
