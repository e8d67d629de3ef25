"""Which frames of a film are looked at for text."""

import math
from collections.abc import Sequence


def times(keyframes: Sequence[float], duration: float, every: float | None) -> list[float]:
    """When the frames are shown, in order, s: the keyframes, and as many between them, before the
    first and after the last, evenly, that no gap is longer than `every` (s; None: no others): text
    that stays so long is in one of them.

    duration: of the film, s.
    """
    known = sorted({round(time, 6) for time in keyframes})
    if every is None or not known:
        return known
    found = []
    for start, end in zip([0.0, *known], [*known, max(duration, known[-1])], strict=True):
        parts = math.ceil(round((end - start) / every, 6))
        found += [round(start + part * (end - start) / parts, 6) for part in range(1, parts)]
    return sorted({*found, *known})
