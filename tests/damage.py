"""What happens to the bytes of a file: on a worn disk, in a download, in a recorder that lost its
power."""

import random
from collections.abc import Callable

Damage = Callable[[bytes, random.Random], bytes]

HEAD = 4096
"""Bytes at either end, where containers keep what they are."""


def flipped(content: bytes, chance: random.Random) -> bytes:
    """Bits anywhere."""
    found = bytearray(content)
    for _ in range(chance.choice((1, 8, 64, 512))):
        found[chance.randrange(len(found))] ^= 1 << chance.randrange(8)
    return bytes(found)


def flipped_in_index(content: bytes, chance: random.Random) -> bytes:
    """Bits where containers keep what they are."""
    found = bytearray(content)
    for _ in range(chance.choice((1, 4, 16))):
        found[_place(found, chance)] ^= 1 << chance.randrange(8)
    return bytes(found)


def cut(content: bytes, chance: random.Random) -> bytes:
    """The beginning alone."""
    return content[: chance.randrange(1, len(content))]


def headless(content: bytes, chance: random.Random) -> bytes:
    """The end alone."""
    return content[chance.randrange(1, len(content)) :]


def zeroed(content: bytes, chance: random.Random) -> bytes:
    """Zeros in a piece of it: a box, a cluster, a sector."""
    at = _place(content, chance)
    size = chance.choice((4, 64, 512, 8192))
    return content[:at] + bytes(min(size, len(content) - at)) + content[at + size :]


def wrong_number(content: bytes, chance: random.Random) -> bytes:
    """A size, a count or a time that says something else."""
    at = _place(content, chance) & ~3
    number = chance.choice(
        (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\1", chance.randbytes(4))
    )
    return content[:at] + number + content[at + 4 :]


def without(content: bytes, chance: random.Random) -> bytes:
    """A piece is missing."""
    at = _place(content, chance)
    return content[:at] + content[at + chance.choice((1, 4, 188, 2048)) :]


def doubled(content: bytes, chance: random.Random) -> bytes:
    """A piece stands there twice."""
    at = chance.randrange(len(content))
    end = min(len(content), at + chance.choice((4, 188, 2048)))
    return content[:end] + content[at:end] + content[end:]


DAMAGES: tuple[Damage, ...] = (
    *(flipped, flipped_in_index, flipped_in_index, cut, headless, zeroed),
    *(wrong_number, wrong_number, without, doubled),
)


def damaged(content: bytes, seed: str) -> bytes:
    """The content after one or two of them; the same seed, the same damage."""
    chance = random.Random(seed)
    for _ in range(chance.choice((1, 1, 2))):
        content = chance.choice(DAMAGES)(content, chance) or b"\0"
    return content


def _place(content: bytes | bytearray, chance: random.Random) -> int:
    """In the first or last HEAD bytes; sometimes anywhere."""
    size = len(content)
    at = chance.randrange(min(HEAD, size))
    return chance.choice((at, size - 1 - at, chance.randrange(size)))
