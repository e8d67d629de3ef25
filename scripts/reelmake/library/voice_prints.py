"""Voice prints as speakers.json has them: base64 of little-endian float16 numbers."""

import base64
import binascii
import math
import struct
from collections.abc import Sequence


def encode(numbers: Sequence[float]) -> str:
    """A vector as text."""
    return base64.b64encode(struct.pack(f"<{len(numbers)}e", *numbers)).decode("ascii")


def decode(text: object) -> list[float] | None:
    """The vector that a text holds, made one of unit length; None where it holds none."""
    if not isinstance(text, str):
        return None
    try:
        packed = base64.b64decode(text, validate=True)
        numbers = struct.unpack(f"<{len(packed) // 2}e", packed)
    except (ValueError, binascii.Error, struct.error):
        return None
    length = math.sqrt(sum(number * number for number in numbers))
    return [number / length for number in numbers] if 0 < length < math.inf else None
