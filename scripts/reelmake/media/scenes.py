"""Where one scene ends and the next begins. The only module that imports PySceneDetect.

ffmpeg decodes and scales in its own threads while the detector looks at the small frames
that come through a pipe, with the presentation timestamps of the source.
"""

import bisect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reelmake.editing import streams
from reelmake.foundation.errors import StageError
from reelmake.media import decoding, ffmpeg
from reelmake.media.pyav import raw_frames

# The width to which PySceneDetect scales too: the published thresholds hold for it.
WIDTH = 256
# Adaptive: the best mean F1 published by PySceneDetect; the others are its command line's.
THRESHOLDS = {"adaptive": 3.5, "content": 27.0, "threshold": 12.0, "hash": 0.395}
# Frames between two reports of progress: some 0.3 s of work at 1080p.
REPORT_EVERY = 100

Progress = Callable[[int, int], None]


def detect(
    source: Path,
    media: dict[str, Any],
    settings: dict[str, Any],
    binary: str,
    threads: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The scenes of the main video, as in schemas/scenes.schema.json.

    media: media.json. settings: `detector` (adaptive, content, threshold or hash), `threshold`
    (None: see THRESHOLDS), `min_seconds`, and for adaptive `window` and `min_content`.
    progress is called with the frames done and the frames expected.
    At least one scene for a video with at least one frame, none for audio only.
    Raises StageError where no frame can be decoded.
    """
    name = settings["detector"]
    if media["video"] is None:
        return {"fps": None, "frames": 0, "duration": 0.0, "detector": name, "scenes": []}
    stream = streams.video(media)
    rate = stream["fps_average"] or stream["fps_real"] or 25.0
    report = _report(progress, stream, rate)
    detector = _detector(settings)
    times, cuts = _look(source, media, detector, rate, binary, threads, report)
    end = _end(times, stream, rate)
    frames = _boundaries(times, cuts, end, settings["min_seconds"])
    bounds = [*(times[frame] for frame in frames[:-1]), end]
    return {
        "fps": round(len(times) / (end - times[0]), 6),
        "frames": len(times),
        "duration": round(end - times[0], 6),
        "detector": name,
        "scenes": [
            {
                "id": number,
                "start": round(bounds[number], 6),
                "end": round(bounds[number + 1], 6),
                "start_frame": frames[number],
                "end_frame": frames[number + 1],
            }
            for number in range(len(frames) - 1)
        ],
    }


def _look(
    source: Path,
    media: dict[str, Any],
    detector: Any,
    rate: float,
    binary: str,
    threads: int,
    report: Callable[[int], None],
) -> tuple[list[float], list[float]]:
    """Decode the whole video once: (each frame's time, the cuts' times), seconds of film time."""
    from reelmake.media import opencv  # noqa: F401  (scenedetect imports it, too)

    # isort: split
    from scenedetect.common import FrameTimecode, Timecode

    times: list[float] = []
    found = []
    last = None
    said = ""
    try:
        with decoding.small_frames(source, media, WIDTH, binary, threads) as pipe:
            for pts, time_base, image in raw_frames(pipe):
                if last is not None and pts <= last.pts:
                    continue  # a step back in time, as in joined recordings, is no place to cut
                # The rate is only for detectors that count frames; the time is exact.
                last = FrameTimecode(Timecode(pts, time_base), fps=float(rate))
                times.append(float(pts * time_base))
                found += detector.process_frame(last, image)
                if len(times) % REPORT_EVERY == 0:
                    report(len(times))
    except ffmpeg.UndecodableError as error:
        if times:
            raise
        said = error.said
    if last is None:
        codec = streams.video(media)["codec"]
        raise StageError(
            f"{source}: not one frame of its video ({codec}) can be decoded: get an intact file."
            f"{said}"
        )
    found += detector.post_process(last)
    report(len(times))
    return times, [cut.seconds for cut in found]


def _detector(settings: dict[str, Any]) -> Any:
    """PySceneDetect's detector as the settings name it."""
    from reelmake.media import opencv  # noqa: F401  (scenedetect imports it, too)

    # isort: split
    from scenedetect import detectors

    name = settings["detector"]
    threshold = settings["threshold"]
    if threshold is None:
        threshold = THRESHOLDS[name]
    shortest = float(settings["min_seconds"])  # an integer would mean frames
    if name == "adaptive":
        return detectors.AdaptiveDetector(
            adaptive_threshold=threshold,
            window_width=settings["window"],
            min_content_val=settings["min_content"],
            min_scene_len=shortest,
        )
    kinds = {
        "content": detectors.ContentDetector,
        "threshold": detectors.ThresholdDetector,
        "hash": detectors.HashDetector,
    }
    return kinds[name](threshold=threshold, min_scene_len=shortest)


def _report(
    progress: Progress | None, stream: dict[str, Any], rate: float
) -> Callable[[int], None]:
    expected = stream["frames"] or round((stream["duration"] or 0) * rate)

    def report(done: int) -> None:
        if progress is not None:
            progress(done, max(expected, done))

    return report


def _end(times: list[float], stream: dict[str, Any], rate: float) -> float:
    """When the last frame goes: as the container says (a last slide may stay for long), or
    after as long as the frame before it stayed."""
    if stream["start_time"] is not None and stream["duration"]:
        end = float(stream["start_time"] + stream["duration"])
        if end > times[-1]:
            return end
    return times[-1] + (times[-1] - times[-2] if len(times) > 1 else 1 / rate)


def _boundaries(times: list[float], cuts: list[float], end: float, shortest: float) -> list[int]:
    """Frame numbers at which scenes begin, and the number of frames.

    Every boundary is a frame: cuts between frames (fades) go to the next one. Detectors keep
    scenes from being shorter than `shortest` seconds, except for the last one, which then
    belongs to the one before.
    """
    starts = {bisect.bisect_left(times, cut - 1e-6) for cut in cuts}
    inner = sorted(start for start in starts if 0 < start < len(times))
    while inner and end - times[inner[-1]] < shortest - 1e-6:
        inner.pop()
    return [0, *inner, len(times)]
