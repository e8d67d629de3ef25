"""What Slurm says of jobs. (tests/slurm asks a real one; here it says what that will not.)"""

import os
import signal

import pytest

from reelmake.foundation import process_identity, slurm


@pytest.fixture
def says(tmp_path, monkeypatch):
    """Have a program of Slurm's print something; None: it fails. `asked` has what it was told."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")
    slurm._active.cache_clear()

    def set_up(program: str, text: str | None) -> None:
        file = tmp_path / program
        answer = "exit 1" if text is None else f"cat <<'END'\n{text}\nEND"
        file.write_text(f'#!/bin/sh\necho "{program} $*" >> {tmp_path}/asked\n{answer}\n')
        file.chmod(0o755)

    set_up.asked = lambda: (tmp_path / "asked").read_text().splitlines()
    for program in ("squeue", "sacct", "scontrol", "scancel"):
        set_up(program, None)
    yield set_up
    slurm._active.cache_clear()


def test_jobs_of_a_library_are_those_that_were_submitted_in_it(says, tmp_path, monkeypatch):
    lines = [
        f"1|RUNNING|{'0' * 8}|rule_run_share_wildcards_1|{tmp_path}",
        f"2|PENDING|snakejob.run_share.2.sh||{tmp_path}",
        "3|RUNNING|snakejob.run_share.3.sh||/elsewhere",
        f"4|RUNNING|bash|(null)|{tmp_path}",  # a shell of somebody's
        f"5|COMPLETING|snakejob.run_share.5.sh||{tmp_path}",
        f"7|RUNNING|snakejob.all.7.sh||{tmp_path}",  # the run itself
        "?",
    ]
    says("squeue", "\n".join(lines))
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    found = slurm.jobs(tmp_path)
    assert [(job.id, job.state in slurm.WAITING) for job in found] == [("1", False), ("2", True)]


def test_nobody_knows_where_it_does_not_answer(says, tmp_path):
    assert slurm.jobs(tmp_path) == []
    assert slurm.is_over(f"1 of {os.getuid()}") is None
    assert slurm.why_ended("1") is None
    slurm.cancel(["1"])
    slurm.tell([], signal.SIGTERM)
    assert not any("signal" in line for line in says.asked())


def test_a_process_elsewhere_is_dead_where_its_job_is_over(says):
    me = os.getuid()
    owner = {"host": "elsewhere", "pid": 1, "slurm": f"7 of {me}"}
    assert process_identity.is_alive(owner) is None
    says("squeue", "7\n8")
    slurm._active.cache_clear()
    assert process_identity.is_alive(owner) is None
    assert process_identity.is_alive(owner | {"slurm": f"9 of {me}"}) is False
    assert process_identity.is_alive(owner | {"slurm": f"9 of {me + 1}"}) is None


@pytest.mark.parametrize(
    ("queue", "accounting", "printed", "why"),
    [
        ("TIMEOUT|TimeLimit", None, "", "its time was up (Slurm: TIMEOUT)"),
        ("", "CANCELLED by 0|None", "", "it was cancelled (Slurm: CANCELLED)"),
        ("COMPLETED|None", None, "", None),
        ("FAILED|NonZeroExitCode", None, "", None),
        ("FAILED|NonZeroExitCode", None, "Exceeded job memory limit", "OUT_OF_MEMORY"),
        ("FAILED|NonZeroExitCode", None, "detected 1 oom_kill event", "OUT_OF_MEMORY"),
        ("FAILED|JobLaunchFailure", None, "", "its node was lost (Slurm: JobLaunchFailure)"),
    ],
)
def test_why_a_job_was_ended(says, tmp_path, queue, accounting, printed, why):
    says("squeue", queue)
    says("sacct", accounting)
    (tmp_path / "a log").write_text(printed)
    says("scontrol", f"JobId=1 StdErr=/dev/null StdOut={tmp_path}/a log Power=")
    found = slurm.why_ended("1")
    assert found is None if why is None else why in found
