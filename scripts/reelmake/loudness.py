"""How loud sound is, by EBU R128, and what brings it to a wanted loudness."""

import json
import math
from pathlib import Path

from reelmake import cutting, ffmpeg
from reelmake.errors import StageError

PEAK = -1.5
"""The highest true peak that is left, dBTP; EBU R128 allows -1, and AAC adds a little."""


def filters(
    source: Path, media: cutting.Media, cut: cutting.Cut, wanted: float, binary: str
) -> str:
    """The filters that bring a piece's sound, as `cutting.sound` gives it, to `wanted` LUFS.

    Its sound is decoded once, to measure it. Silence stays silence. Raises StageError.
    """
    silent = cutting.Cut(cut.start, cut.end)  # it needs no pictures
    measure = f"loudnorm=I={wanted}:TP={PEAK}:print_format=json"
    graph = f"{cutting.sound(media, silent, 0)},{measure}[a]"
    said = ffmpeg.run(
        binary,
        [
            *("-nostats", *cutting.inputs(source, media, silent)),
            *("-copyts", "-filter_complex", graph, "-map", "[a]", "-f", "null", "-"),
        ],
        str(source),
        level="info",
    )
    try:
        found = json.loads(said[said.rindex("{") : said.rindex("}") + 1])
        loudness, peak = float(found["input_i"]), float(found["input_tp"])
        given = {key: found[f"input_{key}"] for key in ("i", "tp", "lra", "thresh")}
    except (ValueError, LookupError):
        raise StageError(f"{source}: ffmpeg did not say how loud it is.", kind="engine") from None
    if not math.isfinite(loudness):
        return "anull"
    gain = wanted - loudness
    if peak + gain <= PEAK:
        # What loudnorm calls linear, without its conditions: it takes a tone, whose loudness
        # never changes, for one that needs another gain in each moment.
        return f"volume={gain:.2f}dB:precision=float"
    measured = ":".join(f"measured_{key}={value}" for key, value in given.items())
    # It limits the peaks, at 192 kHz, which nobody wants.
    limit = f"loudnorm=I={wanted}:TP={PEAK}:LRA=20:{measured}:linear=true"
    return f"{limit},aresample={cutting.SAMPLE_RATE}"
