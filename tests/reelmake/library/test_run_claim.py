"""A claim that machines see whose file locks are each their own."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reelmake.foundation.errors import UserError
from reelmake.library import run_claim, run_lock
from workspace import ROOT, wait_for

HOLD = """
import os, sys, time
from reelmake.library import run_claim, run_lock
run_claim.BEAT = 0.2
os.chdir(sys.argv[1])
held = run_lock.hold_library()
print("held", flush=True)
time.sleep(float(sys.argv[2]))
held.close()
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path(".snakemake").mkdir()
    return Path(".snakemake")


def claimed(folder: Path, age: float, **owner) -> None:
    """A claim of another machine, renewed so many seconds ago."""
    found = {"host": "elsewhere", "pid": 1, "since": 0, "token": "other"} | owner
    (folder / run_claim.NAME).write_text(json.dumps(found))
    then = time.time() - age
    os.utime(folder / run_claim.NAME, (then, then))


def nothing() -> None:
    raise AssertionError("it was lost")


def test_another_machines_run_keeps_this_one_out_while_it_renews_its_claim(folder):
    claimed(folder, age=run_claim.STALE / 2)
    with pytest.raises(UserError, match="process 1 on elsewhere"):
        run_claim.Claim(folder, nothing)
    assert json.loads((folder / run_claim.NAME).read_bytes())["token"] == "other"
    assert os.listdir(folder) == [run_claim.NAME]


def test_one_that_nobody_renews_is_taken(folder):
    claimed(folder, age=run_claim.STALE * 2)
    claim = run_claim.Claim(folder, nothing)
    assert claim.took_over
    claim.release()
    assert os.listdir(folder) == []


def test_one_of_a_process_that_is_gone_here_is_taken_at_once(folder):
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                          capture_output=True, check=True, text=True)  # fmt: skip
    me = run_claim.process_identity.this_process()
    claimed(folder, age=0, **(me | {"pid": int(gone.stdout)}))
    claim = run_claim.Claim(folder, nothing)
    assert not claim.took_over
    claim.release()


def test_a_run_whose_claim_was_taken_is_told(folder, monkeypatch):
    monkeypatch.setattr(run_claim, "BEAT", 0.05)
    lost = []
    claim = run_claim.Claim(folder, lambda: lost.append(True))
    claimed(folder, age=0)
    wait_for(lambda: lost)
    claim.release()
    assert json.loads((folder / run_claim.NAME).read_bytes())["token"] == "other"


def test_it_is_renewed(folder, monkeypatch):
    monkeypatch.setattr(run_claim, "BEAT", 0.05)
    claim = run_claim.Claim(folder, nothing)
    os.utime(folder / run_claim.NAME, (1, 1))
    wait_for(lambda: os.stat(folder / run_claim.NAME).st_mtime > 1)
    claim.release()


def test_a_claim_that_cannot_be_read_for_a_moment_is_not_lost(folder, monkeypatch):
    monkeypatch.setattr(run_claim, "BEAT", 0.05)
    claim = run_claim.Claim(folder, nothing)
    path = folder / run_claim.NAME
    content = path.read_bytes()
    path.write_bytes(b"")
    time.sleep(0.3)
    path.write_bytes(content)
    os.utime(path, (1, 1))
    wait_for(lambda: os.stat(path).st_mtime > 1)
    claim.release()


def test_without_links_a_claim_of_another_is_not_written_over(folder, monkeypatch):
    def link(*_):
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", link)
    run_claim.Claim(folder, nothing).release()
    claimed(folder, age=0)
    with pytest.raises(UserError, match="elsewhere"):
        run_claim.Claim(folder, nothing)
    assert json.loads((folder / run_claim.NAME).read_bytes())["token"] == "other"


@pytest.fixture
def two_mounts(tmp_path):
    """One folder, mounted twice, each with locks of its own, as two nodes have it."""
    if os.geteuid() != 0 or not shutil.which("bindfs") or not Path("/dev/fuse").exists():
        pytest.skip("needs bindfs, FUSE and root's rights")
    (tmp_path / "shared" / ".snakemake").mkdir(parents=True)
    mounts = [tmp_path / name for name in ("a", "b")]
    try:
        for mount in mounts:
            mount.mkdir()
            subprocess.run(["bindfs", tmp_path / "shared", mount], check=True)
        yield mounts
    finally:
        for mount in mounts:
            subprocess.run(["umount", "-l", mount], check=False)


def test_two_machines_that_share_no_locks_do_not_both_hold_a_library(two_mounts, monkeypatch):
    one, other = two_mounts
    command = [sys.executable, "-c", HOLD, str(one), "60"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
    elsewhere = ["unshare", "-u", "sh", "-c", 'hostname elsewhere && exec "$@"', "sh"]
    process = subprocess.Popen(
        elsewhere + command, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "held\n"
        monkeypatch.chdir(other)
        with pytest.raises(UserError, match="on elsewhere"):
            run_lock.hold_library()
        process.send_signal(signal.SIGKILL)
        process.wait()
        monkeypatch.setattr(run_claim, "STALE", 1.0)
        time.sleep(1.5)
        run_lock.hold_library().close()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.communicate()
