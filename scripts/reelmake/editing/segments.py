"""Candidates for highlights: where each begins and ends, and what is said and shown in it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmake.editing import candidate_windows, sentences
from reelmake.editing.candidate_windows import Window
from reelmake.editing.sentences import Sentence


def build(
    media: dict[str, Any],
    transcript: dict[str, Any],
    scenes: dict[str, Any],
    settings: dict[str, Any],
) -> dict[str, Any]:
    """The candidates, as in schemas/segments.schema.json.

    media, transcript, scenes: the artifacts of these names. settings: `min_seconds`,
    `max_seconds`, `pause_seconds`, `snap_seconds`, and `per_minute` (None: all).
    At least one for a film that has any length.
    """
    shortest, longest = settings["min_seconds"], settings["max_seconds"]
    duration = _duration(media, transcript, scenes)
    cuts = sorted({time for scene in scenes["scenes"] for time in (scene["start"], scene["end"])})
    words = sentences.words(transcript, duration)
    spoken = sentences.sentences(words, settings["pause_seconds"])
    parts = [part for each in spoken for part in sentences.split(each, longest, cuts)]
    made_from = "sentences" if parts else "scenes" if cuts else "time"
    found: list[Window] = []
    if duration >= shortest:
        snap = settings["snap_seconds"]
        every = candidate_windows.find(parts, cuts, duration, snap, shortest, longest)
        found = sorted({window[:2]: window for window in every}.values())
    if not found and duration > 0:
        # The film is short; or a sentence is too short, and two are too long.
        found = list(candidate_windows.even(0.0, duration, shortest, longest))
        made_from = made_from if len(found) == 1 else "time"
    if settings["per_minute"] is not None:
        found = _best(found, settings["per_minute"])
    return {
        "duration": duration,
        "made_from": made_from,
        "language": transcript["language"],
        "sentences": len(spoken),
        "pauses": sentences.pauses(words, settings["pause_seconds"]),
        "segments": _records(found, parts, scenes["scenes"]),
    }


def _duration(media: dict[str, Any], transcript: dict[str, Any], scenes: dict[str, Any]) -> float:
    """The film's length, seconds; where its file does not say, the last that is known of it."""
    if media["duration"]:
        return round(float(media["duration"]), 6)
    ends = [part["end"] for part in (*transcript["segments"], *scenes["scenes"])]
    return round(float(max([*ends, transcript["duration"]])), 6)


def _best(found: Iterable[Window], count: int) -> list[Window]:
    """Of those that begin within a minute the `count` best, in the order of time.

    They are taken one after the other: that with the best borders, less the square of what it
    shares with one already taken (the minute before included), so that near-duplicates come last.
    """
    chosen: list[Window] = []
    before: list[Window] = []
    for _, group in groupby(found, key=lambda window: int(window[0] // 60)):
        table = np.array(list(group))
        starts, ends, worth = table[:, 0], table[:, 1], table[:, 2]
        shared = np.zeros(len(table))
        taken = np.zeros(len(table), dtype=bool)
        for start, end, _ in before:
            shared = np.maximum(shared, _shared(starts, ends, start, end))
        for _ in range(min(count, len(table))):
            value = np.where(taken, -np.inf, np.round(worth - shared**2, 9))
            best = int(np.argmax(value))  # the earliest of the best
            taken[best] = True
            shared = np.maximum(shared, _shared(starts, ends, starts[best], ends[best]))
        before = [(start, end, worth) for start, end, worth in table[taken].tolist()]
        chosen += before
    return chosen


def _shared(
    starts: NDArray[np.float64], ends: NDArray[np.float64], start: float, end: float
) -> NDArray[np.float64]:
    """How much of two windows together both have, 0 to 1."""
    both = np.maximum(np.minimum(ends, end) - np.maximum(starts, start), 0)
    return np.asarray(both / (np.maximum(ends, end) - np.minimum(starts, start)))


def _records(
    found: Sequence[Window], parts: Sequence[Sentence], scenes: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """What is said and shown in each window."""
    middles = [(part.start + part.end) / 2 for part in parts]
    texts = [part.text for part in parts]
    speakers = [[word.speaker for word in part.words if word.speaker] for part in parts]
    first_frames = [scene["start"] for scene in scenes]
    last_frames = [scene["end"] for scene in scenes]
    records = []
    for number, (start, end, _) in enumerate(found):
        said = slice(bisect_left(middles, start), bisect_right(middles, end))
        shown = slice(bisect_right(last_frames, start), bisect_left(first_frames, end))
        records.append(
            {
                "id": number,
                "start": start,
                "end": end,
                "text": "\n".join(texts[said]),
                "speakers": list(dict.fromkeys(who for each in speakers[said] for who in each)),
                "scenes": [scene["id"] for scene in scenes[shown]],
            }
        )
    return records
