"""What was packed is unpacked, or Damaged; and no more of it than was recorded."""

import io
import json
import random
import tracemalloc
import zlib

import pytest

from reelmake.cache import entry
from reelmake.cache.entry import BLOB_LIMIT, Damaged, Entry, Payload

ONE = Entry("ab" * 32, "scenes", 1, 1.5, 2.5, "content", {"av": "1"}, (Payload(*"nsd", "", 3, ""),))


@pytest.mark.parametrize("size", [0, 1, BLOB_LIMIT, BLOB_LIMIT + 1, 3_000_000])
@pytest.mark.parametrize("text", [True, False])
def test_what_was_packed_is_unpacked(tmp_path, size, text):
    content = random.Random(1).randbytes(size)
    content = content.hex()[:size].encode() if text else content
    packed = entry.pack("x", io.BytesIO(content), lambda: tmp_path / "new")
    assert (packed.temporary is None) == (size <= BLOB_LIMIT)
    stored = packed.temporary.read_bytes() if packed.temporary else packed.data
    assert len(stored) == packed.payload.stored <= size
    pieces = list(entry.pieces(io.BytesIO(stored), packed.payload))
    assert b"".join(entry.unpack(packed.payload, pieces)) == content
    if stored:
        half = len(stored) // 2
        flipped = stored[:half] + bytes([stored[half] ^ 1]) + stored[half + 1 :]
        for wrong in (flipped, stored[:half]):
            with pytest.raises(Damaged):
                entry.exhaust(entry.unpack(packed.payload, [wrong]))


def test_a_header_is_read_back_or_damaged():
    assert entry.parse(ONE.header()) == ONE
    assert b"\n" not in ONE.header()
    for at in range(0, len(ONE.header()), 7):
        broken = bytearray(ONE.header())
        broken[at] ^= 1
        with pytest.raises(Damaged, match="SHA-256"):
            entry.parse(bytes(broken))
    assert json.loads(ONE.header().partition(b" ")[2])[0] == ONE.key


def test_nothing_is_inflated_beyond_its_recorded_size():
    """A forged entry: 100 bytes recorded, 200 MB in it."""
    bomb = zlib.compress(bytes(200_000_000), 9)
    payload = Payload("x", 100, "0" * 64, "zlib", len(bomb), "")
    tracemalloc.start()
    try:
        with pytest.raises(Damaged, match="larger than the 100 bytes"):
            list(entry.unpack(payload, [bomb]))
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "name",
    ["x", "k/", "k/x", "{video}.x", "..x"],
)
def test_names_that_stay_in_the_results(name):
    assert entry.is_safe(name)


@pytest.mark.parametrize("name", ["", ".", "..", "k/..", "/x", "a/b/c", "a//b", "\0"])
def test_names_that_do_not(name):
    assert not entry.is_safe(name)
