"""Locks that end with whoever holds them."""

import pytest

from reelmake import lock
from reelmake.errors import UserError


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_library_is_held_once():
    first = lock.hold_library()
    with pytest.raises(UserError, match="another run"):
        lock.hold_library()
    first.close()
    lock.hold_library().close()


def test_a_job_that_outlives_its_run_keeps_others_out():
    job, other = lock.hold_job(), lock.hold_job()
    with pytest.raises(UserError, match="earlier run"):
        lock.hold_library()
    job.close()
    other.close()
    lock.hold_library().close()


def test_jobs_of_the_run_itself_are_welcome():
    with lock.hold_library(), lock.hold_job(), lock.hold_job():
        pass
