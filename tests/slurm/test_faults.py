"""What ends a run on a cluster, or a part of it: nothing is lost, and nothing left in the queue."""

import os
import signal
import time

import pytest
from on_cluster import at_a_job, at_work, begun, finished

from faults import long
from reelmake.jobs import signals

pytestmark = pytest.mark.slurm


@pytest.mark.parametrize(
    ("profile", "number"),
    [
        ("slurm", signal.SIGINT),
        ("cluster-generic", signal.SIGTERM),
        long("slurm", signal.SIGTERM),
        long("cluster-generic", signal.SIGINT),
    ],
)
def test_a_stop_ends_what_runs_after_its_items_and_cancels_what_waits(library, profile, number):
    library.profile, library.threads, library.jobs = profile, 4, 6  # of which three fit
    process = at_work(library)
    os.kill(process.pid, number)
    output, _ = process.communicate(timeout=180)
    assert process.returncode != 0 and "Traceback" not in output
    assert "stopping after the items in work" in output
    library.cluster.wait(lambda: not library.cluster.jobs(), "jobs are left in the queue", 30)
    states = library.records("state")
    assert "running" not in states.values()
    assert len([job for job in states if job.endswith("/media")]) < 6
    library.run()
    assert finished(library) == 6


@pytest.mark.long
def test_a_second_stop_does_not_wait(library):
    process = at_work(library)
    os.kill(process.pid, signal.SIGTERM)
    time.sleep(signals.TOGETHER + 0.2)
    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=120)
    library.cluster.wait(lambda: not library.cluster.jobs(), "jobs are left in the queue", 30)
    library.run()
    assert finished(library) == 6


@pytest.mark.parametrize("profile", ["slurm", long("cluster-generic")])
def test_the_jobs_of_a_killed_run_are_ended_by_the_next_one_which_goes_on(library, profile):
    library.profile, library.threads, library.jobs = profile, 4, 6
    process = at_work(
        library, lambda library: begun(library) and len(library.cluster.jobs("PENDING")) > 1
    )
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    left = {job[0] for job in library.cluster.jobs()}
    assert len(left) > 3
    output = library.run()
    assert "jobs of a run that was killed" in output
    assert not left & {job[0] for job in library.cluster.jobs()}
    assert finished(library) == 6


@pytest.mark.long
def test_a_share_that_is_cancelled_is_said_and_tried_again(library):
    process = at_work(library)
    job = library.cluster.jobs("RUNNING")[0][0]
    library.cluster.ask("scancel", job)
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output
    assert "was ended: it was cancelled (Slurm: CANCELLED)" in output
    assert finished(library) == 6


def test_status_knows_that_a_job_of_a_lost_share_is_dead(library, monkeypatch):
    process = at_work(library)
    at_a_job(library)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    library.cluster.signal_processes(signal.SIGKILL)
    library.cluster.wait(lambda: not library.cluster.jobs(), "jobs are left in the queue", 30)
    assert "running" in library.records("state").values()
    time.sleep(6)
    monkeypatch.setenv("SLURM_CONF", library.cluster.environment["SLURM_CONF"])
    said = library.reel("status")
    assert "now running" not in said and "killed" in said


@pytest.mark.long
def test_a_share_that_needs_too_much_memory_is_said(library):
    library.memory = "170"  # two Snakemakes take most of it
    library.config["stages"] = ["descriptions"]
    output = library.run("--retries", "0", ok=False)
    assert "was ended: it needed more memory than it was given (Slurm: OUT_OF_MEMORY)" in output
    assert library.cluster.jobs() == []
    library.memory = "1200"
    library.run()
    assert finished(library) == 6


def test_a_share_whose_node_is_lost_goes_on_elsewhere(library):
    process = at_work(library)
    node = library.cluster.jobs("RUNNING")[0][3]
    try:
        library.cluster.kill_node(node)
        output, _ = process.communicate(timeout=280)
    finally:
        library.cluster.start_node(node)
        library.cluster.wait(lambda: node in library.cluster.idle(), "the node does not return")
    assert process.returncode == 0, output
    assert "was ended: its" in output and "node was lost (Slurm: " in output
    assert finished(library) == 6


@pytest.mark.long
def test_a_share_whose_time_is_up_goes_on_in_another_job(library):
    library.minutes = 1
    process = at_work(library)
    library.cluster.signal_processes(signal.SIGSTOP)  # as a film that takes too long
    output, _ = process.communicate(timeout=280)
    assert process.returncode == 0, output
    assert "was ended: its time was up (Slurm: TIMEOUT)" in output
    assert finished(library) == 6
