"""Locks that end with whoever holds them."""

import pytest

from reelmake.foundation.errors import UserError
from reelmake.library import run_lock


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_library_is_held_once():
    first = run_lock.hold_library()
    with pytest.raises(UserError, match="another run"):
        run_lock.hold_library()
    first.close()
    run_lock.hold_library().close()


def test_a_job_that_outlives_its_run_keeps_others_out():
    job, other = run_lock.hold_job(), run_lock.hold_job()
    with pytest.raises(UserError, match="earlier run"):
        run_lock.hold_library()
    job.close()
    other.close()
    run_lock.hold_library().close()


def test_jobs_of_the_run_itself_are_welcome():
    with run_lock.hold_library(), run_lock.hold_job(), run_lock.hold_job():
        pass
