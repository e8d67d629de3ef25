"""The sound of pieces of a film: decoded to files, and from there placed to the sample.

Two runs of ffmpeg, since where the layout of the sound changes on the way (films of 5.1 in a
broadcast) it begins all filters again: silence that fills the beginning would be filled in once
more there, and fades never recover (measured with 9.0). The first run has only filters without
a memory; what it writes has one layout.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from reelmake.editing import streams
from reelmake.editing.streams import Media
from reelmake.foundation.errors import StageError
from reelmake.media import decoding, ffmpeg

RATE = 48_000

RUN_UP = 1.0
"""Seconds before a piece from which on its sound is decoded: codecs need some packets to be
right."""

# Where a file has no index of its keyframes, ffmpeg may land behind the one that is needed: it
# looks from so much before (s). Encoders' longest default is 250 frames between them.
BACK = 15.0
INDEXED = ("mov,", "matroska,", "avi")

# The share by which an AVI's sound is longer or shorter than its pictures by a wrong rate.
WRONG_RATE = 0.05

Piece = tuple[float | Fraction, float | Fraction]
"""Where it begins, and how long it is: seconds, the first of film time."""


def seek(media: Media, time: float | Fraction) -> list[str]:
    """ffmpeg's arguments for an input that is read from `time` on, or from earlier; seconds of
    film time."""
    back = 0.0 if media["container"].startswith(INDEXED) else BACK
    return ffmpeg.seek(media, float(time) - back) if time > back else []


def decode(
    source: Path,
    media: Media,
    pieces: Sequence[Piece],
    channels: int,
    targets: Sequence[Path],
    binary: str,
) -> None:
    """Write the sound of each piece of the main track, from its beginning on, to a file.

    Their times are kept. Raises StageError.
    """
    inputs: list[str] = []
    outputs: list[str] = []
    for number, ((start, duration), target) in enumerate(zip(pieces, targets, strict=True)):
        shift = float(Fraction(media["start_time"]) + Fraction(start))
        end = float(duration) + 1
        if _is_counted(media):
            times = f"asetpts=(N/SR-{float(start):.6f})/TB"
        else:
            inputs += seek(media, start - RUN_UP)
            times = f"asetpts=PTS-round({shift:.6f}/TB)"
        inputs += ffmpeg.reading(source, media)
        outputs += ["-map", f"{number}:{media['audio']}"]
        outputs += ["-af", f"{times},atrim=start=0:end={end:.6f}"]
        outputs += ["-ac", str(channels), "-ar", str(RATE), "-c:a", "pcm_f32le"]
        outputs += ["-f", "nut", "-y", ffmpeg.address(target)]
    ffmpeg.run(binary, [*inputs, *decoding.KEEP_TIMES, *outputs], source)


def _is_counted(media: Media) -> bool:
    """Whether the sound's samples are counted from the beginning: AVI has no times, but a rate for
    them, which is wrong where the sound is longer or shorter than the pictures by it."""
    if media["container"] != "avi" or media["video"] is None:
        return False
    sound, pictures = (
        streams.stream(media, media[kind])["duration"] for kind in ("audio", "video")
    )
    return bool(sound and pictures and abs(sound / pictures - 1) > WRONG_RATE)


def chosen(source: Path, media: Media, settings: Mapping[str, Any], binary: str) -> Media:
    """media.json as if the track of the setting `track` were the default one, and there were none
    where it can't be decoded and the setting `undecodable` is leave_out. Raises StageError."""
    film = streams.with_track(source, media, settings["track"])
    if film["audio"] is None or settings["undecodable"] == "fail":
        return film
    try:
        whole = [*ffmpeg.reading(source, film), "-map", f"0:{film['audio']}", "-f", "null", "-"]
        ffmpeg.run(binary, whole, source)
    except StageError as error:
        if error.kind != "input":
            raise
        return {**film, "audio": None}
    return film


def reading(decoded: Path, channels: int) -> list[str]:
    """ffmpeg's arguments for the input of what `decode` wrote; of silence where it has nothing,
    which ffmpeg can't open."""
    if decoded.exists() and decoded.stat().st_size > 4096:  # headers, and 10 ms
        return ffmpeg.reading(decoded)
    layout = "mono" if channels == 1 else "stereo"
    return ["-f", "lavfi", "-i", f"anullsrc=channel_layout={layout}:sample_rate={RATE}"]


def placed(number: int, samples: int) -> str:
    """The filters from input `number`, as by `reading`, to exactly so many samples of sound; late
    sound and gaps become silence. Without a label."""
    return (
        # first_pts fills the beginning, async the gaps, apad the end.
        f"[{number}:0]aresample={RATE}:async=1:first_pts=0:min_hard_comp={decoding.GAP},"
        f"apad=whole_len={samples},atrim=end_sample={samples}"
    )
