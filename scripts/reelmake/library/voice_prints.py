"""Voice prints as speakers.json has them: base64 of little-endian float16 numbers."""

import base64
import struct
from collections.abc import Sequence

DTYPE = "<f2"
"""Of the numbers, as numpy calls it."""


def encode(numbers: Sequence[float]) -> str:
    """A vector as text."""
    return base64.b64encode(struct.pack(f"<{len(numbers)}e", *numbers)).decode("ascii")


def packed(text: object) -> bytes:
    """The numbers that a text holds, packed. Raises ValueError where it holds none."""
    if not isinstance(text, str):
        raise ValueError("a voice print is a text")
    return base64.b64decode(text, validate=True)
