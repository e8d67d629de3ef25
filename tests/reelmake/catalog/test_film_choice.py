"""Ages of films, as they are given."""

import datetime

import pytest

from reelmake.catalog.film_choice import parse_since
from reelmake.foundation.errors import UserError


def test_a_date_is_of_here_and_an_age_is_from_now():
    assert parse_since("2026-01-31") == datetime.datetime(2026, 1, 31).astimezone()
    assert parse_since("2026-01-31T12:30:00Z").hour is not None
    now = datetime.datetime.now(datetime.UTC)
    assert abs(now - datetime.timedelta(days=30) - parse_since("30d")) < datetime.timedelta(60)


def test_what_is_very_long_ago_is_an_answer():
    assert parse_since("999999999999999d").year == 1


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "-3d", "\0"])
def test_what_is_no_time_is_said(text):
    with pytest.raises(UserError, match=r"--since .*: give a date"):
        parse_since(text)
