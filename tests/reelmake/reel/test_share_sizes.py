"""How many videos a job of a cluster gets."""

import pytest

from recorded_library import STAGES, Library
from reelmake.reel import share_sizes

JOBS = dict.fromkeys(STAGES, 100)
"""A hundred videos that were never looked into."""
WORK = 12.0 * len(STAGES)
"""Seconds that each of the finished ones took: its stages took 12 s each, one after the other."""


def finish(library: Library, video: str, began: float, host: str) -> None:
    library.fingerprints(video)
    for number, stage in enumerate(STAGES):
        started = began + 12 * number
        times = {"started": started, "ended": started + 12.0, "host": host}
        last = {"totals": library.totals(video)} if stage == "manifest" else {}
        library.record(video, stage, **times, **last)


def films(library: Library, minutes: float) -> int | None:
    return share_sizes.films(library.results, JOBS, 100, minutes)


def test_nobody_knows_before_a_video_is_finished(tmp_path):
    library = Library(tmp_path)
    assert films(library, 45) is None
    library.fingerprints("one")
    assert films(library, 45) is None


def test_a_share_takes_about_as_long_as_it_should(tmp_path):
    library = Library(tmp_path)
    finish(library, "one", 1000.0, "n1")
    assert films(library, 45) == round(45 * 60 / WORK)
    assert films(library, 0.1) == 1


def test_what_many_machines_did_at_once_says_nothing_of_one(tmp_path):
    library = Library(tmp_path)
    for number in range(4):
        finish(library, str(number), 1000.0, f"n{number}")
    assert films(library, 45) == round(45 * 60 / WORK)


def test_a_machine_that_does_several_at_once_gets_as_many_more(tmp_path):
    library = Library(tmp_path)
    for number in range(4):
        finish(library, str(number), 1000.0, "n1")
    assert films(library, 45) == pytest.approx(4 * 45 * 60 / WORK, abs=1)


def test_what_is_made_already_takes_no_time(tmp_path):
    library = Library(tmp_path)
    finish(library, "one", 1000.0, "n1")
    half = dict.fromkeys(STAGES[: len(STAGES) // 2], 100)
    found = share_sizes.films(library.results, half, 100, 45)
    assert found == round(45 * 60 / (12 * len(half)))
