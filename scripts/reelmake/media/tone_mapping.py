"""Pictures of high dynamic range (PQ and HLG of ITU-R BT.2100) as others, for players and models
that know nothing of it.

Graphics white, 203 cd/m2 (ITU-R BT.2408), becomes white; what is darker than KNEE of it keeps its
brightness, what is brighter is compressed, in all three colors alike, so that hues stay. ffmpeg
does it for clips and trailer, numpy for keyframes, by the same formulas.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

WHITE = 203
"""Graphics white, cd/m2."""
BRIGHTEST = 1000
"""cd/m2: what most films are graded for, and what HLG shows at its reference."""
PEAK = BRIGHTEST / WHITE
KNEE = 0.6
"""Of white."""
GAMMA = 2.4
"""Of a display of BT.709 (ITU-R BT.1886)."""

PRIMARIES = 9
"""Those of BT.2020 in ITU-T H.273."""

TRANSFERS = {16: "pq", 18: "hlg"}
"""By their numbers in ITU-T H.273."""

# From BT.2020's linear colors to BT.709's (ITU-R BT.2087, inverted).
FROM_BT2020 = (
    (1.660491, -0.587641, -0.072850),
    (-0.124550, 1.132900, -0.008349),
    (-0.018151, -0.100579, 1.118730),
)


def filters(hdr: str, is_odd: bool = False) -> list[str]:
    """ffmpeg's filters. hdr: pq or hlg, as media.json has it. is_odd: whether the pictures' width
    or height is."""
    transfer = {"pq": "smpte2084", "hlg": "arib-std-b67"}[hdr]
    # zscale refuses samples of color that stand for more pixels than there are.
    before, after = (["format=yuv444p10le"], ["format=yuv444p"]) if is_odd else ([], [])
    return [
        *before,
        # By default zscale does without the OOTF of HLG, which is of all three colors together.
        f"zscale=transferin={transfer}:transfer=linear:npl={WHITE}:agamma=0",
        "format=gbrpf32le",
        "zscale=primaries=bt709",
        f"tonemap=mobius:param={KNEE}:peak={PEAK:.6f}:desat=0",
        "zscale=transfer=bt709:matrix=bt709:range=tv",
        *after,
        "format=yuv420p",
        # Else players that know it would be told of a brightness that is gone.
        "sidedata=delete:MASTERING_DISPLAY_METADATA",
        "sidedata=delete:CONTENT_LIGHT_LEVEL",
    ]


def mapped(image: "np.ndarray", hdr: str | None) -> "np.ndarray":
    """A picture of BT.2020's colors as BT.709's: uint8.

    image: height x width x 3, uint16 of full range, in the order of its colors. hdr: pq or hlg;
    None for one of standard dynamic range.
    """
    import numpy as np

    signal = image.astype(np.float32) / np.float32(65535)
    linear = {"pq": _pq, "hlg": _hlg, None: _sdr}[hdr](signal)
    linear = linear @ np.array(FROM_BT2020, np.float32).T
    if hdr:
        brightest = np.maximum(linear.max(axis=2, keepdims=True), 1e-6)
        linear *= _mobius(brightest) / brightest
    shown = np.clip(linear, 0, 1) ** np.float32(1 / GAMMA)
    return np.asarray(np.rint(shown * 255), np.uint8)


def _sdr(signal: "np.ndarray") -> "np.ndarray":
    """Brightness, of white (ITU-R BT.1886)."""
    import numpy as np

    return np.asarray(signal ** np.float32(GAMMA))


def _pq(signal: "np.ndarray") -> "np.ndarray":
    """Brightness in graphics whites (ITU-R BT.2100, table 4: the EOTF)."""
    import numpy as np

    power = signal ** np.float32(1 / 78.84375)
    bright = np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)
    return np.asarray(bright ** np.float32(1 / 0.1593017578125) * np.float32(10000 / WHITE))


def _hlg(signal: "np.ndarray") -> "np.ndarray":
    """Brightness in graphics whites on a display of 1000 cd/m2 (ITU-R BT.2100, table 5: the inverse
    OETF, and the OOTF with a gamma of 1.2)."""
    import numpy as np

    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    luminance = scene @ np.array((0.2627, 0.6780, 0.0593), np.float32)
    gain = np.maximum(luminance, 1e-9)[:, :, None] ** np.float32(0.2)
    return np.asarray(scene * gain * np.float32(PEAK))


def _mobius(bright: "np.ndarray") -> "np.ndarray":
    """Brightness up to 1: linear up to KNEE, from there a curve that reaches 1 at PEAK, with the
    same slope at both its beginning and the line's end."""
    import numpy as np

    a = -KNEE * KNEE * (PEAK - 1) / (KNEE * KNEE - 2 * KNEE + PEAK)
    b = (KNEE * KNEE - 2 * KNEE * PEAK + PEAK) / (PEAK - 1)
    scale = (b * b + 2 * b * KNEE + KNEE * KNEE) / (b - a)
    curve = scale * (bright + a) / (bright + b)
    return np.where(bright <= KNEE, bright, curve)
