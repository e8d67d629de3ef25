"""What comes of a film: a keyframe, a clip and a trailer, as the stages make them."""

from pathlib import Path

import make_media
from reelmake.editing import frame_rate, trailer_plan
from reelmake.library import config
from reelmake.media import clips, ffmpeg, keyframes, scenes, trailer_film

LARGE = 1280
"""Pixels of a keyframe's longest side: none of the films is made smaller."""


def clip_of(path: Path, media: dict, folder: Path, piece: tuple[float, float], **settings) -> Path:
    """A clip of one piece of a film, seconds. settings: of clips."""
    start, end = piece
    chosen = [{"id": 0, "start": start, "end": end, "score": 8, "reason": None, "text": ""}]
    cut = make_media.clip_settings(**{"preset": "ultrafast", **settings})
    folder.mkdir()
    (record,) = clips.cut_all(
        path, media, chosen, {"segments": []}, [], cut, folder, ffmpeg.binary(), 1
    )["clips"]
    return folder / record["file"]


def made_of(
    path: Path,
    media: dict,
    folder: Path,
    piece: tuple[float, float],
    crf: int,
    height: int = 1080,
    **settings,
) -> dict[str, Path]:
    """The first keyframe, and a clip and a trailer of one piece of a film, seconds.

    crf: the quality of both. height: of the trailer. settings: of clips.
    """
    folder.mkdir(exist_ok=True)
    given = config.load({"keyframes": {"max_resolution": LARGE, "quality": 100}})
    found = scenes.detect(path, media, given["scenes"], ffmpeg.binary())
    (folder / "keyframes").mkdir()
    keys = keyframes.extract(path, media, found, given["keyframes"], folder / "keyframes")
    film = frame_rate.cadence(media, found, piece[1])
    shot = trailer_plan.Shot(*map(film.frame, piece), "opening", None, None)
    trailer = folder / "trailer.mp4"
    trailer_film.assemble(
        *(path, media, trailer_plan.Plan((shot,), 0, film)),
        *(given["trailer"] | {"preset": "ultrafast", "crf": crf, "height": height}, trailer),
        *(ffmpeg.binary(), 1, lambda done: None),
    )
    return {
        "keyframe": folder / "keyframes" / keys["keyframes"][0]["file"],
        "clip": clip_of(path, media, folder / "clips", piece, crf=crf, **settings),
        "trailer": trailer,
    }
