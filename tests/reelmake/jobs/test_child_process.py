"""An engine in a child process: whatever ends it, the job goes on, and says why."""

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
from reelmake.library import config, fingerprints, job_records, sources

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"


@pytest.fixture
def start(tmp_path):
    """Start the job of the stage speakers of the video V, in which a child runs a block."""
    film = tmp_path / "V.mp4"
    film.write_bytes(b"x")
    settings = fingerprints.settings(config.load({}))
    wanted = fingerprints.compute(settings, sources.identify(str(film)))["speakers"]
    sidecar = tmp_path / "results" / "V" / "fingerprints" / "speakers.json"
    artifact_files.write_json(sidecar, wanted)

    def begin(block: str, before: str = "") -> subprocess.Popen:
        code = f"""
import os, sys, time
from pathlib import Path
from reelmake.foundation.errors import StageError
from reelmake.jobs import child_process
from reelmake.jobs.runner import job

def instead(this, message, kind):
    Path("instead").write_text(kind)

def work():
{textwrap.indent(textwrap.dedent(block), "    ")}

{textwrap.dedent(before)}
with job({str(sidecar)!r}, "logs/V.log", {{}}, instead=instead) as this:
    print(child_process.run(this, work, "the engine"))
"""
        return subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
            stderr=subprocess.PIPE,
            text=True,
        )

    begin.results = sidecar.parent.parent
    return begin


def record(results: Path) -> dict:
    return job_records.read(results, "speakers")


def test_what_it_finds_comes_back_and_so_does_its_progress(start):
    process = start("this.progress(3, 4)\nreturn [1, [2.5, 'ä']]")
    _, said = process.communicate(timeout=30)
    found = record(start.results)
    assert (process.returncode, found["state"], said) == (0, "done", "")
    assert (found["items_done"], found["items_total"]) == (3, 4)
    assert found["pid"] == process.pid
    assert (start.results / "../../logs/V.log").read_text() == "[1, [2.5, 'ä']]\n"


@pytest.mark.parametrize(
    ("block", "kind", "says"),
    [
        ("os.kill(os.getpid(), 9)", "resources", "was killed, most likely by the kernel for want"),
        ("os.abort()", "engine", r"ended its process (SIGABRT)"),
        ("os.kill(os.getpid(), 11)", "engine", "ended its process (SIGSEGV)"),
        ("os._exit(255)", "engine", "ended its process (status 255)"),
        ("sys.exit('no')", "engine", "ended its process (status 1)"),
        ("raise MemoryError", "resources", "out of memory"),
        ("raise RuntimeError('std::bad_alloc')", "resources", "out of memory"),
        ("raise StageError('no network', 'transient')", "transient", "no network"),
        ("raise StageError('a model is missing', 'engine')", "engine", "a model is missing"),
        ("raise OSError(28, 'No space left on device')", "resources", "the disk is full"),
        ("import nothing_like_it", "engine", "ModuleNotFoundError: No module named"),
    ],
)
def test_whatever_ends_it_the_job_ends_well_and_says_that_it_failed(start, block, kind, says):
    process = start(block)
    _, said = process.communicate(timeout=30)
    found = record(start.results)
    assert process.returncode == 0
    assert (found["state"], found["class"]) == ("failed", kind)
    assert says in found["error"] and found["error"].startswith("V: speakers: ")
    assert (start.results / "../../instead").read_text() == kind
    assert said.startswith("reelmake: without speakers: V: ") and said.count("\n") == 1


def test_a_film_goes_on_without_an_engine_that_is_not_installed(start):
    missing = """
    import importlib.metadata

    def version(name):
        raise importlib.metadata.PackageNotFoundError(name)

    importlib.metadata.version = version
    """
    block = """
    from reelmake.models import sherpa
    with sherpa.errors(Path("a"), Path("b")):
        sherpa.provider("auto")
    """
    process = start(block, before=missing)
    _, said = process.communicate(timeout=30)
    found = record(start.results)
    assert process.returncode == 0 and "Traceback" not in said
    assert (found["state"], found["class"]) == ("failed", "engine")
    assert "sherpa-onnx is not installed" in found["error"] and "make setup" in found["error"]
    assert (start.results / "../../instead").read_text() == "engine"


def test_what_it_can_not_send_is_in_the_log(start):
    start("return object()").communicate(timeout=30)
    assert "ended its process (status 1); the log may say why" in record(start.results)["error"]
    assert "TypeError" in (start.results / "../../logs/V.log").read_text()


def test_a_signal_stops_it_after_its_item_and_nothing_stands_for_the_artifact(start):
    block = """
    with this.item():
        Path("begun").touch()
        time.sleep(1)
        Path("ended").touch()
    Path("after").touch()
    """
    process = start(block)
    folder = start.results.parent.parent
    while not (folder / "begun").exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 1 and record(start.results)["class"] == "killed"
    assert (folder / "ended").exists() and not (folder / "after").exists()
    assert not (folder / "instead").exists()


def test_it_ends_with_its_job(start):
    process = start("Path('child').write_text(str(os.getpid()))\ntime.sleep(30)")
    path = start.results.parent.parent / "child"
    while not (path.exists() and path.read_text()):
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.communicate(timeout=30)
    for _ in range(100):
        try:
            os.kill(int(path.read_text()), 0)
        except ProcessLookupError:
            return
        status = Path(f"/proc/{path.read_text()}/stat").read_text().rpartition(")")[2]
        if status.split()[0] == "Z":  # nobody here reaps it
            return
        time.sleep(0.05)
    pytest.fail("the child lives on")


def test_what_was_made_for_the_same_stays_where_it_is_forced_and_fails(start):
    results = start.results
    key = json.loads((results / "fingerprints" / "speakers.json").read_bytes())["key"]
    job_records.write(results, "speakers", {"state": "done", "key": key})
    (results / "speakers.json").write_text('{"failure": null}')
    os.utime(results / "speakers.json", (1, 1))  # older than what it is made from
    process = start("raise MemoryError")
    process.communicate(timeout=30)
    assert process.returncode == 1
    assert not (results.parent.parent / "instead").exists()
