"""Pictures that stand for the scenes.

Frames are found by seeking: the film is not decoded again.
"""

import functools
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from reelmake.editing import streams
from reelmake.foundation.errors import StageError
from reelmake.media import film_frames
from reelmake.media.film_frames import EPSILON, Frames, Shown
from reelmake.media.opencv import cv2
from reelmake.media.shown import picture

# Longest side, in pixels, on which sharpness is measured and faces are looked for: at full
# size the noise of the sensor would count as sharpness.
SMALL = 320
# The share of a scene, at either end, where transitions blend it into its neighbours.
MARGIN = 0.1
# The share of a frame by which even times are off: files round them, and so does our JSON.
UNEVEN = 0.02

Progress = Callable[[int, int], None]


class Candidate(NamedTuple):
    """A frame, its sharpness and the faces in it (None: nobody looked)."""

    shown: Shown
    sharpness: float
    faces: int | None


def extract(
    source: Path,
    media: dict[str, Any],
    scenes: dict[str, Any],
    settings: dict[str, Any],
    folder: Path,
    progress: Progress | None = None,
    threads: int = 0,
) -> dict[str, Any]:
    """Write `per_scene` JPEGs of each scene into `folder`, which exists.

    Returns what schemas/keyframes.schema.json describes. settings: `per_scene`, `strategy`
    (sharpest, middle or first), `nth_frame`, `window_seconds`, `max_resolution` (pixels),
    `face_filter`, `quality` (of the JPEG, 1 to 100). progress is called with the scenes done
    and in all. threads: for decoding; 0 is one a core.
    A scene of which nothing decodes is passed over and counted. Raises StageError where there
    are scenes and no frame of any decodes.
    """
    records: list[dict[str, Any]] = []
    skipped = 0
    if scenes["scenes"]:
        stream = streams.video(media)
        count = len(scenes["scenes"])
        with (
            film_frames.of(source, media, threads) as frames,
            film_frames.of(source, media, threads=1) as counted,
        ):
            for done, scene in enumerate(scenes["scenes"], start=1):
                found = [
                    _record(candidate, stream, scene, number, settings, folder, counted)
                    for number, candidate in enumerate(_chosen(frames, stream, scene, settings), 1)
                ]
                records += found
                skipped += not found
                if progress is not None:
                    progress(done, count)
        if not records:
            raise StageError(f"{source}: no keyframe can be decoded: get an intact file.")
    return {"keyframes": records, "skipped_scenes": skipped}


def _chosen(
    frames: Frames, stream: dict[str, Any], scene: dict[str, Any], settings: dict[str, Any]
) -> list[Candidate]:
    """The best frame of each equal part of the scene; one frame never stands for two parts."""
    parts = settings["per_scene"]
    length = (scene["end"] - scene["start"]) / parts
    chosen: list[Candidate] = []
    for part in range(parts):
        start = scene["start"] + part * length
        candidates = _candidates(frames, stream, scene, (start, start + length), settings)
        best = max(candidates, key=_worth, default=None)
        if best is not None and all(best.shown.time != other.shown.time for other in chosen):
            chosen.append(best)
    return chosen


def _worth(candidate: Candidate) -> tuple[bool, float]:
    """Faces first, where they are looked for, then sharpness."""
    return (bool(candidate.faces), candidate.sharpness)


def _candidates(
    frames: Frames,
    stream: dict[str, Any],
    scene: dict[str, Any],
    part: tuple[float, float],
    settings: dict[str, Any],
) -> Iterator[Candidate]:
    """The frames of a part, seconds of film time, among which its keyframe is chosen."""
    start, end = part
    nth, count = 1, 1
    match settings["strategy"]:
        case "first":
            window = part
        case "middle":
            window = ((start + end) / 2, end)
        case _:
            window = _window(scene, part, settings["window_seconds"])
            nth, count = settings["nth_frame"], sys.maxsize
    # Where the film is damaged, the frame on screen can be one of an earlier scene.
    shown = (s for s in frames.between(*window) if s.time > scene["start"] - EPSILON)
    for one in itertools.islice(shown, 0, count, nth):
        yield _measured(one, stream, settings["face_filter"])


def _window(
    scene: dict[str, Any], part: tuple[float, float], seconds: float
) -> tuple[float, float]:
    """`seconds` in the middle of the part, less where that reaches beyond it, and off the
    ends of the scene."""
    margin = MARGIN * (scene["end"] - scene["start"])
    start, end = max(part[0], scene["start"] + margin), min(part[1], scene["end"] - margin)
    middle = (part[0] + part[1]) / 2
    start, end = max(start, middle - seconds / 2), min(end, middle + seconds / 2)
    return (start, end) if start < end else part


def _measured(shown: Shown, stream: dict[str, Any], faces: bool) -> Candidate:
    gray = cv2.cvtColor(picture(shown.frame, stream, SMALL), cv2.COLOR_BGR2GRAY)
    sharpness = float(cv2.Laplacian(gray, cv2.CV_64F).var())
    return Candidate(shown, sharpness, _count_faces(gray) if faces else None)


def _count_faces(gray: np.ndarray) -> int:
    return len(_classifier().detectMultiScale(cv2.equalizeHist(gray), 1.1, 5, minSize=(24, 24)))


@functools.cache
def _classifier() -> cv2.CascadeClassifier:
    folder = Path(cv2.__file__).with_name("data")
    return cv2.CascadeClassifier(str(folder / "haarcascade_frontalface_default.xml"))


def _record(
    candidate: Candidate,
    stream: dict[str, Any],
    scene: dict[str, Any],
    number: int,
    settings: dict[str, Any],
    folder: Path,
    counted: Frames,
) -> dict[str, Any]:
    image = picture(candidate.shown.frame, stream, settings["max_resolution"])
    name = f"scene{scene['id']:04d}_{number}.jpg"
    done, content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, settings["quality"]])
    assert done
    (folder / name).write_bytes(content.tobytes())  # imwrite mangles names that are not ASCII
    time = max(candidate.shown.time, scene["start"])
    return {
        "scene_id": scene["id"],
        "frame": _frame_number(counted, scene, time),
        "timestamp": round(time, 6),
        "file": name,
        "sharpness": round(candidate.sharpness, 3),
        "width": image.shape[1],
        "height": image.shape[0],
        "faces": candidate.faces,
    }


def _frame_number(frames: Frames, scene: dict[str, Any], time: float) -> int:
    """Which frame of the film is shown at `time`; where the scene's come at uneven times, they
    are counted."""
    share = (time - scene["start"]) / (scene["end"] - scene["start"])
    count = scene["end_frame"] - scene["start_frame"]
    number = share * count
    if abs(number - round(number)) > UNEVEN:
        number = frames.count(scene["start"], time + 2 * EPSILON) - 1
    return int(scene["start_frame"] + max(0, min(count - 1, round(number))))
