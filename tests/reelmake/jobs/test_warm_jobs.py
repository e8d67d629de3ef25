"""A model stays loaded for the next job that needs it, and goes when it should."""

import os
import signal
import threading
import time
from pathlib import Path

import psutil
import pytest

from reelmake.jobs import executor, warm_jobs
from workspace import wait_for

JOB = """
import os, time
from pathlib import Path
from types import SimpleNamespace
from reelmake.jobs import gpus
from reelmake.models import kept
run = snakemake.params.run
this = SimpleNamespace(record={}, save=lambda: None)
with (
    gpus.one(this, run["device"], run["gpus_at_once"]),
    kept.model("key", [Path(name) for name in run["models"].values()], object) as model,
):
    with open(snakemake.output[0], "a") as file:
        print(os.getpid(), id(model), this.record.get("gpu"), file=file)
    while Path(snakemake.output[0] + ".wait").exists():
        time.sleep(0.02)
if Path(snakemake.output[0] + ".fail").exists():
    os._exit(1)
if Path(snakemake.output[0] + ".raise").exists():
    raise OSError("the log can't be opened")
"""


class Jobs:
    """Jobs with models, of one run."""

    def __init__(self, folder: Path):
        self.folder, self.connection = folder, executor._Connection()
        (folder / "job.py").write_text(JOB)
        for name in ("a", "b"):
            (folder / name).write_bytes(b"weights")
        self.out = folder / "out"

    def run(self, model: str = "a", keep_warm: float = 60.0, **run) -> tuple[int, str]:
        """Do a job; its status, and what kept it from being done."""
        run = {"models": {"text_model.model": str(self.folder / model)}, "device": "cpu"} | run
        run |= {"keep_warm": keep_warm, "gpus_at_once": run.get("gpus_at_once", 1)}
        request = {name: [[], {}] for name in ("input", "wildcards", "resources", "log")} | {
            "script": str(self.folder / "job.py"),
            "environment": {},
            "output": [[str(self.out)], {}],
            "params": [[run], {"run": [0, None]}],
            "threads": 1,
            "config": {},
            "rule": "make",
        }
        return self.connection.ask(request)

    def start(self, *args, **run) -> threading.Thread:
        """Do a job that waits until `go`."""
        before = len(self.done())
        Path(f"{self.out}.wait").touch()
        thread = threading.Thread(target=self.run, args=args, kwargs=run)
        thread.start()
        wait_for(lambda: len(self.done()) > before)
        return thread

    def go(self) -> None:
        Path(f"{self.out}.wait").unlink()

    def done(self) -> list[tuple[int, int, str]]:
        """Of each job: its process, which model it had, and its GPU."""
        lines = self.out.read_text().splitlines() if self.out.exists() else []
        return [(int(pid), int(model), gpu) for pid, model, gpu in map(str.split, lines)]

    def children(self) -> set[int]:
        return {child.pid for child in psutil.Process(self.connection._process.pid).children()}


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    Path(".snakemake").mkdir()
    found = Jobs(tmp_path)
    yield found
    found.connection.close()


def test_the_next_job_of_the_same_model_finds_it_loaded(jobs):
    for _ in range(3):
        assert jobs.run() == (0, "")
    assert len(set(jobs.done())) == 1
    (note,) = warm_jobs.loaded()
    assert (note["models"], note["jobs"]) == (["a"], 3)


def test_another_model_has_another_process_and_both_stay(jobs):
    for model in ("a", "b", "a", "b"):
        assert jobs.run(model) == (0, "")
    first, second, third, fourth = jobs.done()
    assert first == third and second == fourth and first[0] != second[0]


def test_a_file_that_was_replaced_is_loaded_again(jobs):
    jobs.run()
    (jobs.folder / "a").write_bytes(b"other weights")
    jobs.run()
    (_, before, _), (_, after, _) = jobs.done()
    assert before != after


def test_it_is_loaded_each_time_where_nothing_is_to_be_kept(jobs):
    for _ in range(2):
        assert jobs.run(keep_warm=0.0) == (0, "")
    (first, _, _), (second, _, _) = jobs.done()
    assert first != second
    assert not jobs.children() & {first, second}


def test_two_jobs_at_once_have_a_process_each(jobs):
    waiting = jobs.start()
    other = jobs.start()
    jobs.go()
    waiting.join()
    other.join()
    (first, _, _), (second, _, _) = jobs.done()
    assert first != second
    jobs.run()
    assert jobs.done()[-1][0] in (first, second)


def test_it_goes_when_it_has_waited_long_enough(jobs):
    jobs.run(keep_warm=0.3)
    wait_for(lambda: not jobs.children())
    assert warm_jobs.loaded() == []
    assert not list(warm_jobs.FOLDER.iterdir())
    assert jobs.run(keep_warm=0.3) == (0, "")


def test_it_goes_when_the_run_ends(jobs):
    jobs.run()
    (pid,) = jobs.children()
    jobs.connection.close()
    assert not psutil.pid_exists(pid)


def test_it_goes_when_the_run_is_killed(jobs):
    """Nothing outlives a run, nor what a cluster allows it."""
    jobs.run()
    (pid,) = jobs.children()
    jobs.connection._process.kill()
    wait_for(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie")


def test_it_goes_when_memory_is_wanted_for_another(jobs):
    jobs.run("a")
    with (jobs.folder / "b").open("wb") as file:
        file.truncate(1 << 42)  # 4 TB, of which the disk has none
    assert jobs.run("b") == (0, "")
    (first, _, _), (second, _, _) = jobs.done()
    assert jobs.children() == {second}
    assert jobs.run("a") == (0, "")
    assert jobs.done()[-1][0] not in (first, second)


def test_a_stop_ends_it(jobs):
    jobs.run()
    (pid,) = jobs.children()
    os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not jobs.children())
    assert jobs.run() == (0, "")


def test_one_that_is_killed_is_replaced(jobs):
    jobs.run()
    os.kill(jobs.done()[-1][0], signal.SIGKILL)
    assert jobs.run() == (0, "")  # whether that was noticed by now or not
    waiting = jobs.start()
    os.kill(jobs.done()[-1][0], signal.SIGKILL)
    waiting.join()
    jobs.go()
    assert jobs.run() == (0, "")


def test_one_that_is_killed_with_a_job_on_its_way_is_replaced(jobs):
    jobs.run()
    pid = jobs.done()[-1][0]
    os.kill(pid, signal.SIGSTOP)
    told = []
    thread = threading.Thread(target=lambda: told.append(jobs.run()))
    thread.start()
    time.sleep(0.2)
    os.kill(pid, signal.SIGKILL)
    thread.join(30)
    assert told == [(0, "")]
    assert jobs.done()[-1][0] != pid


def test_a_job_that_fails_ends_its_process(jobs):
    jobs.run()
    Path(f"{jobs.out}.fail").touch()
    assert jobs.run() == (1, "")
    Path(f"{jobs.out}.fail").unlink()
    assert jobs.children() == set()
    assert jobs.run() == (0, "")


def test_each_stays_on_its_gpu_and_another_takes_what_is_free(jobs, monkeypatch):
    names = [f"GPU-{os.getpid()}-{number}" for number in range(2)]
    visible = {"CUDA_VISIBLE_DEVICES": ",".join(names)}
    jobs.connection.close()
    monkeypatch.setenv(*next(iter(visible.items())))
    jobs.connection = executor._Connection()
    given = {"device": "cuda", "gpus_at_once": 2}
    jobs.run("a", **given)
    first = jobs.done()[-1]
    waiting = jobs.start("b", **given)  # on the same device, which is free
    assert jobs.done()[-1][2] == first[2]
    # Another job of the first model does not wait for that device.
    thread = jobs.start("a", **given)
    assert jobs.done()[-1][0] != first[0]
    assert {jobs.done()[-1][2], first[2]} == set(names)
    jobs.go()
    waiting.join()
    thread.join()
    jobs.run("a", **given)
    assert jobs.done()[-1][0] in {pid for pid, _, _ in jobs.done()[:-1]}


def test_an_error_in_a_later_job_of_a_process_is_one_of_that_job(jobs):
    jobs.run()
    Path(f"{jobs.out}.raise").touch()
    assert jobs.run() == (1, "")
    assert len({pid for pid, _, _ in jobs.done()}) == 1
