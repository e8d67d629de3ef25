"""What a job leaves behind: record, log, exit status, one sentence on the terminal."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from reelmake.foundation import artifact_files
from reelmake.library import config, fingerprints, sources

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"


@pytest.fixture
def run(tmp_path):
    """Run a block of code as the media job of the video V; returns process and record."""
    settings = fingerprints.settings(config.load({}))
    film = tmp_path / "a\nb.mp4"
    film.write_bytes(b"x")
    identity = sources.identify(str(film))
    wanted = fingerprints.compute(settings, identity)["media"]
    sidecar = tmp_path / "results" / "V" / "fingerprints" / "media.json"
    artifact_files.write_json(sidecar, wanted)
    record = tmp_path / "results" / "V" / "jobs" / "media.json"

    def start(block, log="logs/media/V.log"):
        code = (
            "import errno, os, sys, time\n"
            "from reelmake.foundation.errors import StageError\n"
            "from reelmake.jobs.runner import job\n"
            f"with job({str(sidecar)!r}, {log!r}, {{}}) as this:\n"
            + textwrap.indent(textwrap.dedent(block), "    ")
        )
        return subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(block):
        process = start(block)
        _, process.terminal = process.communicate(timeout=30)
        process.log = (tmp_path / "logs" / "media" / "V.log").read_text()
        return process, json.loads(record.read_bytes())

    finish.start, finish.record = start, record
    return finish


def test_a_job_that_ends_well(run):
    process, record = run("this.progress(3, 3); print('working'); os.write(2, b'engine')")
    assert process.returncode == 0
    assert record["state"] == "done"
    assert record["attempt"] == 1
    assert record["items_done"] == record["items_total"] == 3
    assert record["started"] <= record["ended"] <= time.time()
    assert "av" in record["engines"]
    assert "working" in process.log
    assert "engine" in process.log
    assert process.terminal == ""


@pytest.mark.parametrize(
    ("block", "kind", "says"),
    [
        ("raise StageError('a.mp4: it is empty')", "input", "a.mp4: it is empty"),
        ("raise StageError('no network', kind='transient')", "transient", "no network"),
        ("raise MemoryError", "resources", "out of memory"),
        ("raise OSError(errno.ENOSPC, 'No space left on device')", "resources", "disk is full"),
        (
            "raise OSError(errno.EROFS, 'Read-only', 'x')",
            "resources",
            "x: Read-only; check the disk",
        ),
        ("raise OSError(errno.EACCES, 'denied', 'x')", "resources", "x: denied; check the disk"),
        ("raise OSError(errno.EIO, 'unreadable', 'x')", "engine", "unreadable"),
        ("{}['nobody foresaw']", "engine", "nobody foresaw"),
        ("os.kill(os.getpid(), 15)\ntime.sleep(5)", "killed", "stopped from outside"),
        ("os.kill(os.getpid(), 2)\ntime.sleep(5)", "killed", "stopped from outside"),
    ],
)
def test_a_job_that_fails_says_why_in_one_sentence(run, block, kind, says):
    process, record = run(block)
    assert process.returncode == 1
    assert (record["state"], record["class"]) == ("failed", kind)
    assert says in record["error"]
    assert record["error"].startswith("V: media: ")
    assert says in process.terminal
    assert process.terminal.count("\n") == 1  # whatever the file's name holds
    assert "Traceback" not in process.terminal
    assert says in process.log
    assert ("Traceback" in process.log) == (kind in {"engine"} or "disk" in says)


def test_why_it_failed_is_said_though_the_log_has_no_room(run):
    for block in ("raise StageError('x.mp4: it is empty')", "print('working' * 10_000)"):
        process = run.start(block, log="/dev/full")
        _, terminal = process.communicate(timeout=30)
        assert process.returncode == 1
        record = json.loads(run.record.read_bytes())
        assert terminal == f"reelmake: {record['error']}\n"
        assert record["state"] == "failed"
        assert "it is empty" in terminal or "the disk is full; free some space" in terminal


def test_a_source_that_is_gone_is_not_called_broken(run):
    block = "os.unlink(this.fingerprint['source']['path'])\nraise StageError('cannot be decoded')"
    _, record = run(block)
    assert "is gone" in record["error"]


def test_attempts_are_counted_until_one_ends_well(run):
    assert run("raise StageError('x')")[1]["attempt"] == 1
    assert run("raise StageError('x')")[1]["attempt"] == 2
    assert run("pass")[1]["attempt"] == 3
    assert run("pass")[1]["attempt"] == 1


def test_a_killed_job_leaves_running_with_its_owner(run):
    process = run.start("print('x'); time.sleep(60)")
    for _ in range(100):
        if run.record.exists():
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()
    record = json.loads(run.record.read_bytes())
    assert record["state"] == "running"
    assert record["pid"] == process.pid


def test_a_job_that_starts_again_after_its_end_stays_done_whatever_stops_it(run):
    """Its run was killed before it took note of the end: the artifact is what it should be."""
    results = run.record.parents[1]
    run("os.close(os.open(this.results / 'media.json', os.O_CREAT))")
    for newer, state in ((None, "done"), ("fingerprints/media.json", "running")):
        if newer:  # what it is made from: then it is made again
            os.utime(results / newer, ns=(2**62, 2**62))
        process = run.start("os.kill(os.getpid(), 9)")
        process.communicate(timeout=30)
        assert json.loads(run.record.read_bytes())["state"] == state


def test_progress_is_written_at_most_once_a_second(run):
    block = """
        record = this.results / "jobs" / "media.json"
        first = os.stat(record).st_ino
        for n in range(1000):
            this.progress(n, 1000)
        assert os.stat(record).st_ino == first
    """
    assert run(block)[0].returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_an_item_finish_and_a_second_one_does_not(run, number):
    block = f"""
        for item in range(3):
            with this.item():
                if item == 1:
                    for _ in range({{times}}):
                        # Ctrl+C, which the run passes on, comes twice.
                        for _ in range(2):
                            os.kill(os.getpid(), {int(number)})
                            time.sleep(0.01)
                        time.sleep(0.6)
                print("finished", item)
            print("after", item)
    """
    process, record = run(block.format(times=1))
    assert process.returncode == 1
    assert record["class"] == "killed"
    assert "finished 1" in process.log
    assert "after 1" not in process.log
    process, record = run(block.format(times=2))
    assert process.returncode == 1
    assert record["class"] == "killed"
    assert "after 0" in process.log
    assert "finished 1" not in process.log


def test_an_item_that_fails_says_why_though_a_signal_came(run):
    _, record = run("""
        with this.item():
            os.kill(os.getpid(), 15)
            raise StageError("the model is gone")
    """)
    assert "the model is gone" in record["error"]


def test_a_journal_lasts_until_the_block_ends_well(run):
    block = """
        with this.journal() as journal:
            this.progress(len(journal.records), 3)
            for item in range(len(journal.records), 3):
                journal.append(item)
                this.progress(item + 1, 3)
                if {stop} == item:
                    raise StageError("x")
            print(journal.records)
    """
    folder = run.record.parents[1] / "journal"
    _, record = run(block.format(stop=1))
    assert (record["items_resumed"], record["items_done"]) == (0, 2)
    assert [path.name for path in folder.iterdir()] == [f"media.{record['key']}.msgpack"]
    process, record = run(block.format(stop=None))
    assert (record["items_resumed"], record["items_done"]) == (2, 3)
    assert "[0, 1]" in process.log
    assert not folder.exists()


def test_a_journal_that_cannot_be_written_is_no_engines_fault(run):
    folder = run.record.parents[1] / "journal"
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.symlink_to("/sys")  # where nobody makes a file, root included
    process, record = run("with this.journal(): pass")
    assert process.returncode == 1
    assert record["class"] == "resources", record
    assert "Traceback" not in process.terminal
