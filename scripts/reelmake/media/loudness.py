"""How loud sound is, by EBU R128, and what brings it to a wanted loudness."""

import json
import math

from reelmake.foundation.errors import StageError
from reelmake.media import clip_audio, ffmpeg

PEAK = -1.5
"""The highest true peak that is left, dBTP: EBU R128 allows -1, and AAC adds a little."""

# Peaks between samples are seen at four times their rate, as EBU R128 measures them.
# Not ffmpeg's loudnorm: where a gain alone would exceed the peak, or where the loudness never
# changes, it turns to changing gains, and ended 5 LU off where peaks are far over the rest.
LIMIT = (
    f"aresample={4 * clip_audio.RATE},"
    f"alimiter=limit={10 ** (PEAK / 20):.4f}:attack=5:release=50:level=false:latency=true,"
    f"aresample={clip_audio.RATE}"
)

ROUNDS = 4
"""How often a gain is tried, at most: what the limiter takes away, the next adds."""

NEAR = 0.3
"""LU from the wanted loudness that are good enough."""


def filters(source: str, reading: list[str], samples: int, wanted: float, binary: str) -> str:
    """The filters that bring a piece's sound, as `soundtrack.placed` gives it, to `wanted` LUFS.

    source: what an error calls it. reading: the arguments for its input. It is read once to
    measure it, and once or a few times more if its peaks have to be limited. Silence stays
    silence. Raises StageError.
    """
    loudness, peak = _measure(source, reading, samples, "anull", binary)
    if not math.isfinite(loudness):
        return "anull"
    gain = wanted - loudness
    if peak + gain <= PEAK:
        return f"volume={gain:.2f}dB:precision=float"
    for _ in range(ROUNDS):
        chain = f"volume={gain:.2f}dB:precision=float,{LIMIT}"
        loudness, _ = _measure(source, reading, samples, chain, binary)
        if abs(wanted - loudness) <= NEAR:
            break
        gain += wanted - loudness
    return chain


def _measure(
    source: str, reading: list[str], samples: int, chain: str, binary: str
) -> tuple[float, float]:
    """Integrated loudness (LUFS; -inf: silence) and true peak (dBTP) of a piece's sound."""
    graph = f"{clip_audio.placed(0, samples)},{chain},loudnorm=print_format=json[a]"
    said = ffmpeg.run(
        binary,
        [
            *("-nostats", *reading),
            *("-filter_complex", graph, "-map", "[a]", "-f", "null", "-"),
        ],
        source,
        level="info",
    )
    try:
        found = json.loads(said[said.rindex("{") : said.rindex("}") + 1])
        return float(found["input_i"]), float(found["input_tp"])
    except (ValueError, LookupError):
        raise StageError(f"{source}: ffmpeg did not say how loud it is.", kind="engine") from None
