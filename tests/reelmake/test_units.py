"""Quantities as people write them."""

import pytest

from reelmake import units
from reelmake.errors import UserError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("90s", 90), ("15m", 900), ("1.5h", 5400), ("24h", 86400), ("7d", 604800)],
)
def test_a_duration(text, seconds):
    assert units.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "24", "h", "-1h", "1 h", "1w", "1h30m", "١h", "1e3s"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(UserError, match="write it like"):
        units.seconds(text)
