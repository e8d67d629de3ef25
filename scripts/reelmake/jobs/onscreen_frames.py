"""The text in a film's pictures, read frame by frame within a job.

Frames are journaled: what an earlier job read is not read again.
"""

import contextlib
from collections.abc import Callable, Hashable, Iterator, Sequence
from pathlib import Path
from typing import Any

from reelmake.editing import frame_samples, onscreen_lines, streams
from reelmake.editing.onscreen_lines import Reading
from reelmake.foundation import resumable_items
from reelmake.foundation.errors import StageError
from reelmake.foundation.resumable_items import Items
from reelmake.jobs.job import Job
from reelmake.media import film_frames
from reelmake.media.film_frames import EPSILON
from reelmake.media.shown import picture
from reelmake.models import text_reader
from reelmake.models.text_reader import TextReader

Found = list[Reading] | None
"""What a frame shows; None where it does not decode."""


def read(
    this: Job, source: Path, media: dict[str, Any], keyframes: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """What schemas/onscreen.schema.json describes, of the film at `source`.

    media: media.json. keyframes: the records of keyframes.json. Raises StageError where there are
    keyframes and no frame decodes.
    """
    moments = [each["timestamp"] for each in keyframes]
    times = frame_samples.times(moments, media["duration"] or 0.0, this.settings["every_seconds"])
    with this.journal() as journal:
        frames = _Frames(this, source, media, times)
        found = resumable_items.finish(frames, journal, this.item, this.progress)
    skipped = this.record["items_failed"] = found.count(None)
    if times and skipped == len(times):
        raise StageError(f"{source}: no frame can be decoded: get an intact file.")
    least = this.settings["min_confidence"]
    shown = [
        (time, [reading for reading in readings if reading.confidence >= least])
        for time, readings in zip(times, found, strict=True)
        if readings is not None
    ]
    return {
        "frames": len(shown),
        "frames_with_text": sum(bool(readings) for _, readings in shown),
        "skipped_frames": skipped,
        "lines": onscreen_lines.merged(shown),
    }


class _Frames(Items[float, Found]):
    """Frames by their times."""

    def __init__(self, this: Job, source: Path, media: dict[str, Any], times: Sequence[float]):
        self._this, self._source, self._media, self._times = this, source, media, times

    def following(self, results: Sequence[Found]) -> float | None:
        return self._times[len(results)] if len(results) < len(self._times) else None

    def count(self, results: Sequence[Found]) -> tuple[int, int]:
        return len(results), len(self._times)

    def identity(self, item: float) -> Hashable:
        return item

    def entry(self, item: float, result: Found) -> Any:
        return {"time": item, "lines": result and [list(line) for line in result]}

    def read_entry(self, entry: Any) -> tuple[Hashable, Found]:
        lines = entry["lines"]
        return entry["time"], None if lines is None else [Reading(*line) for line in lines]

    @contextlib.contextmanager
    def worker(self) -> Iterator[Callable[[float], Found]]:
        this, media = self._this, self._media
        run, stream = this.run, streams.video(media)
        with (
            film_frames.of(self._source, media, run.threads) as frames,
            text_reader.loaded(
                this.settings["languages"], run.reading_models, run.threads
            ) as reader,
        ):
            yield lambda time: self._read(frames, reader, stream, time)

    def _read(
        self,
        frames: film_frames.Frames,
        reader: TextReader,
        stream: dict[str, Any],
        time: float,
    ) -> Found:
        shown = next(frames.between(time, time + 2 * EPSILON), None)
        if shown is None:
            print(f"{time:.2f} s: no frame decodes")
            return None
        image = picture(shown.frame, stream, self._this.settings["max_resolution"])
        return reader.read(image)
