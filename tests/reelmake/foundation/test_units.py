"""Durations and sizes as people write them."""

import pytest

from reelmake.foundation import units
from reelmake.foundation.errors import UserError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("24h", 86400), ("7d", 604800), ("1.5h", 5400), (" 2 d ", 172800)],
)
def test_durations(text, seconds):
    assert units.seconds(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"), [("500 MB", 5e8), ("10GB", 1e10), ("1.5 tb", 1.5e12), ("7 B", 7)]
)
def test_sizes(text, size):
    assert units.size_bytes(text) == size


@pytest.mark.parametrize("text", ["", "7", "d", "-1d", "1w", "1 0d", "nan", "1e3s"])
def test_what_is_neither_is_refused(text):
    for parse in (units.seconds, units.size_bytes):
        with pytest.raises(UserError, match="is not a"):
            parse(text)


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 KB"), (12.3e9, "12.3 GB")]
)
def test_sizes_for_people(size, text):
    assert units.show_bytes(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.6, "1 min"), (3599, "59 min 59 s"), (3900, "1 h 5 min"), (93600, "1 d 2 h")],
)
def test_durations_for_people(seconds, text):
    assert units.show_seconds(seconds) == text
