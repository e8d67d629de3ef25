"""Each job has a GPU of its own, as long as there are enough. The devices are made up, the
processes and their locks are not."""

import contextlib
import json
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

import describe_scenes
import transcribe
from reelmake.foundation.errors import StageError
from reelmake.jobs import gpus, model_answers
from reelmake.jobs.run_context import RunContext
from reelmake.library import config
from reelmake.library.stages import STAGES
from reelmake.models import audio_chunks, transcription

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"
UUIDS = ("GPU-aaaa-1", "GPU-bbbb-2", "GPU-cccc-3")

JOB = """
import sys, types
from reelmake.jobs import gpus
gpus.POLL, gpus.LIMIT = 0.02, float(sys.argv[3])
this = types.SimpleNamespace(record={}, save=lambda: None)
with gpus.one(this, sys.argv[1], int(sys.argv[2])):
    import os
    assert this.record.get("gpu") in (None, os.environ.get("CUDA_VISIBLE_DEVICES"))
    print("has", this.record.get("gpu"), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def machine(tmp_path):
    """`machine.start(…)` starts a job on a machine of three GPUs; `machine.has(job)` is its."""
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    lines = [f"GPU {n}: NVIDIA H200 (UUID: {uuid})" for n, uuid in enumerate(UUIDS)]
    program.write_text("#!/bin/sh\ntouch asked\ncat <<.\n" + "\n".join(lines) + "\n.\n")
    program.chmod(0o755)
    started = []

    def start(visible=None, device="cuda", at_once=1, limit=20, **environment):
        environment = {"PYTHONPATH": str(SCRIPTS), "TMPDIR": str(tmp_path)} | environment
        environment["PATH"] = f"{program.parent}:{os.environ['PATH']}"
        if visible is not None:
            environment["CUDA_VISIBLE_DEVICES"] = visible
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", JOB, device, str(at_once), str(limit)],
                env=environment,
                cwd=tmp_path,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield types.SimpleNamespace(start=start, folder=tmp_path, program=program)
    for job in started:
        job.kill()
        job.communicate()


def said(job) -> str:
    return job.stdout.readline().strip()


def has(job) -> str:
    """The device that the job has; waits for it."""
    line = said(job)
    return line.removeprefix("has ") if line.startswith("has ") else has(job)


def end(job) -> None:
    job.communicate(timeout=30)
    assert job.returncode == 0


def test_each_job_has_a_device_of_its_own_and_the_next_waits(machine):
    jobs = [machine.start() for _ in UUIDS]
    assert {has(job) for job in jobs} == set(UUIDS)
    fourth = machine.start()
    assert said(fourth) == "every GPU is busy: waiting for one"
    end(jobs[1])
    assert has(fourth) in UUIDS


def test_a_killed_job_frees_its_device(machine):
    first, second = machine.start("0"), machine.start("1")
    assert (has(first), has(second)) == ("0", "1")
    third = machine.start("0,1")
    assert said(third) == "every GPU is busy: waiting for one"
    second.kill()
    assert has(third) == "1"


def test_only_devices_that_the_scheduler_set_are_taken(machine):
    jobs = [machine.start("2,0") for _ in range(2)]
    assert {has(job) for job in jobs} == {"2", "0"}
    third = machine.start("2,0")
    assert said(third) == "every GPU is busy: waiting for one"
    # Who calls the same device by its UUID finds it taken, too.
    assert has(machine.start(",".join((UUIDS[2], UUIDS[1])))) == UUIDS[1]


@pytest.mark.parametrize("hidden", ["", "-1", "NoDevFiles"])
def test_a_machine_whose_devices_are_hidden_has_none(machine, hidden):
    assert has(machine.start(hidden)) == "None"
    assert has(machine.start(f"1,{hidden},2")) == "1"


def test_a_run_that_starts_more_jobs_than_there_are_devices_shares_them(machine):
    jobs = [machine.start("0,1", at_once=4) for _ in range(4)]
    assert sorted(has(job) for job in jobs) == ["0", "0", "1", "1"]
    assert said(machine.start("0,1", at_once=4)) == "every GPU is busy: waiting for one"


def test_who_waited_long_enough_shares(machine):
    assert has(machine.start("1")) == "1"
    patient = machine.start("1", limit=0.2)
    assert "waiting" in said(patient)
    assert "sharing 1" in said(patient)
    assert has(patient) == "1"


def test_on_the_cpu_nothing_is_asked_nor_taken(machine):
    assert has(machine.start(device="cpu")) == "None"
    assert not (machine.folder / "asked").exists()
    assert not list(machine.folder.glob("*.lock"))


def test_a_machine_without_gpus_or_with_a_broken_driver(machine):
    machine.program.write_text("#!/bin/sh\nexit 9\n")
    assert has(machine.start()) == "None"


def test_locks_that_cannot_be_opened_lock_nobody_out(machine):
    assert has(machine.start("1", TMPDIR=str(machine.folder))) == "1"
    for lock in machine.folder.glob("*.lock"):
        lock.unlink()
        lock.symlink_to("elsewhere")  # what somebody else may put into /tmp
    assert has(machine.start("1")) == "1"
    assert not (machine.folder / "elsewhere").exists()


@pytest.fixture
def this(tmp_path, monkeypatch):
    """A job on a machine with one GPU, and what the variable said when its engine was asked for."""
    monkeypatch.setenv(gpus.VISIBLE, "7")
    monkeypatch.setattr(gpus.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(gpus, "devices", lambda: {"GPU-x": "GPU-x"})
    this = types.SimpleNamespace(record={}, settings={"batch_size": 0}, visible=None, item=None)
    this.progress = this.save = lambda *args: None
    this.journal = lambda: contextlib.nullcontext(types.SimpleNamespace(records=[]))

    def engine(*args):
        this.visible = os.environ[gpus.VISIBLE]
        raise StageError("far enough")

    monkeypatch.setattr(transcription, "transcribe", engine)
    monkeypatch.setattr(audio_chunks, "WavFile", lambda path: path)
    monkeypatch.setattr(model_answers.vision_model, "loaded", engine)
    monkeypatch.setattr(model_answers.model_files, "local_file", lambda *args: "")
    return this


def test_the_device_is_chosen_before_an_engine_is_imported(this, tmp_path):
    audio, keyframes = tmp_path / "audio.wav", tmp_path / "keyframes.json"
    audio.write_bytes(b"RIFF")
    picture = {"scene_id": 0, "frame": 0, "timestamp": 0, "file": "a.jpg", "sharpness": 1}
    picture |= {"width": 1, "height": 1, "faces": None}
    keyframes.write_text(json.dumps({"keyframes": [picture], "skipped_scenes": 0}))
    this.run = RunContext(device="cuda", models={"transcription.model": "small"})
    for stage in (
        lambda: transcribe.transcribe(this, audio, tmp_path),
        lambda: describe_scenes.describe_scenes(this, keyframes, tmp_path, None, tmp_path),
    ):
        os.environ[gpus.VISIBLE], this.visible = "7", None
        with pytest.raises(StageError):
            stage()
        assert this.visible == this.record.pop("gpu") == "GPU-x"


def test_what_is_free_on_the_devices_that_a_job_may_choose_from(tmp_path, monkeypatch):
    """In the driver's words, as `nvidia-smi` prints them."""
    program = tmp_path / "nvidia-smi"
    program.write_text(
        "#!/bin/sh\ncase $1 in\n"
        '-L) for n in 0 1 2; do echo "GPU $n: NVIDIA H200 (UUID: GPU-$n)"; done;;\n'
        '*) for n in 0 1 2; do echo "GPU-$n, ${n}000"; done;;\nesac\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert gpus.free_memory() == [0, 1000 * 2**20, 2000 * 2**20]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2")
    assert gpus.free_memory() == [2000 * 2**20]
    program.write_text("#!/bin/sh\necho '[N/A], [Not Supported]'\n")
    assert gpus.free_memory() == []
    program.write_text("#!/bin/sh\nexit 9\n")
    assert gpus.free_memory() == []


def test_a_job_whose_model_a_server_has_asks_snakemake_for_none():
    given = {"hardware": {"device": "cuda"}, "text_model": {"endpoint": "http://a/v1"}}
    complete = config.load(given)
    taken = [name for name in STAGES if gpus.takes_gpus(complete, STAGES[name])]
    assert taken == ["transcript", "scenedesc"]
    cpu = config.load({"hardware": {"device": "cpu"}})
    assert not any(gpus.takes_gpus(cpu, stage) for stage in STAGES.values())


def test_where_a_server_has_the_model_no_device_is_taken(this, tmp_path, monkeypatch):
    audio, keyframes = tmp_path / "audio.wav", tmp_path / "keyframes.json"
    audio.write_bytes(b"RIFF")
    picture = {"scene_id": 0, "frame": 0, "timestamp": 0, "file": "a.jpg", "sharpness": 1}
    picture |= {"width": 1, "height": 1, "faces": None}
    keyframes.write_text(json.dumps({"keyframes": [picture], "skipped_scenes": 0}))

    def engine(*args):
        raise StageError("far enough")

    monkeypatch.setattr(model_answers, "ServedVisionModel", engine)
    this.stage = "scenedesc"
    this.run = RunContext(
        device="cuda", models={"transcription.model": "b"}, endpoint="http://127.0.0.1:9/v1"
    )
    for stage in (
        lambda: transcribe.transcribe(this, audio, tmp_path),
        lambda: describe_scenes.describe_scenes(this, keyframes, tmp_path, None, tmp_path),
    ):
        with pytest.raises(StageError, match="far enough"):
            stage()
        assert "gpu" not in this.record
