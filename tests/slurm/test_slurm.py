"""The same workflow as jobs of a real Slurm, on three nodes."""

import os
import shutil
import signal
import subprocess
import time

import pytest
from cluster import no_mounts
from on_cluster import OnCluster

from faults import long
from reelmake.jobs import signals
from workspace import ROOT, wait_for

pytestmark = pytest.mark.slurm


def every_artifact(library) -> dict[str, bytes]:
    """All that a run makes, but what tells times and who made it."""
    left_out = ("jobs", "manifest.json", ".snakemake_timestamp")
    return {
        str(path.relative_to(library.folder)): path.read_bytes()
        for path in sorted(library.folder.glob("results/**/*"))
        if path.is_file() and not any(part in left_out for part in path.parts)
    }


def test_a_dry_run_asks_the_cluster_for_no_job(library, tmp_path, monkeypatch):
    programs, asked = tmp_path / "programs", tmp_path / "asked"
    programs.mkdir()
    for name in ("squeue", "sbatch", "sinfo", "scontrol", "sacct", "scancel"):
        (programs / name).write_text(f"#!/bin/sh\necho $0 $* >> {asked}\n")
        (programs / name).chmod(0o755)
    path = f"{programs}{os.pathsep}{library.cluster.environment['PATH']}"
    monkeypatch.setitem(library.cluster.environment, "PATH", path)
    library.config["share"] = {"films": 3}
    output = library.run("-n")
    assert "6 videos, in 2 shares of up to 3" in output and "of 6 videos" in output
    library.reel("plan")
    # That is Snakemake's plugin, which looks whether there is accounting as it is loaded.
    lines = asked.read_text().splitlines() if asked.exists() else []
    assert all(line.endswith("scontrol show config") for line in lines), lines
    assert not (library.folder / "results").exists()


def on_node(library, node: str, *command: object) -> subprocess.Popen:
    """A command on a node, as somebody runs it who is logged in there."""
    return subprocess.Popen(
        ["srun", "-w", node, "--mem=1500", "--overcommit", *map(str, command)],
        env=library.cluster.environment | {"PYTHONPATH": str(ROOT / "scripts")},
        cwd=library.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_nodes_have_file_locks_of_their_own(library):
    """Which is what all the tests here are run with: as on a network file system at its worst."""
    if library.cluster.shared is None:
        pytest.skip(f"no mounts of the nodes' own: this machine lacks {no_mounts()}")
    holds = on_node(library, "n1", "flock", "-n", "a lock", "sh", "-c", "echo held; sleep 60")
    assert holds.stdout.readline() == "held\n"
    for node, is_free in (("n1", False), ("n2", True)):
        asked = on_node(library, node, "flock", "-n", "a lock", "true")
        asked.communicate()
        assert (asked.returncode == 0) == is_free
    holds.terminate()
    holds.communicate()


def test_of_two_runs_on_two_machines_the_second_is_refused(library):
    command = library.command()
    first = on_node(library, "n1", *command)
    wait_for(lambda: begun(library), 60)
    said, _ = on_node(library, "n2", *command).communicate(timeout=60)
    assert "another run is processing this library (process " in said and "on n1" in said
    said, _ = first.communicate(timeout=200)
    assert first.returncode == 0 and "reelmake: 6 videos done" in said, said
    assert set(library.records("host").values()) == {"n1"}


def test_two_libraries_on_two_nodes_compute_the_same_once(library, tmp_path):
    other = OnCluster(tmp_path / "other", library.videos)
    other.cluster, other.config = library.cluster, library.config
    runs = [
        on_node(each, node, "env", "-C", each.folder, *each.command())
        for node, each in (("n1", library), ("n2", other))
    ]
    for run in runs:
        said, _ = run.communicate(timeout=280)
        assert run.returncode == 0, said
    for job, cache in library.records("cache").items():
        video, stage = job.split("/")
        assert {cache, other.record(video, stage).get("cache")} != {"miss"}, job
    assert every_artifact(library) == every_artifact(other)


def test_a_job_that_fails_leaves_the_artifact_that_was_there(library):
    """Also where each stage is a job of the cluster."""
    library.profile, library.config["share"] = "cluster-generic", {"films": None}
    library.config["stages"] = ["descriptions"]
    only = library.folder / "only"
    only.mkdir()
    shutil.copy(library.videos / "film 0.mp4", only)
    library.config["videos"] = str(only)
    library.run(local=True)
    (found,) = library.folder.glob("results/*/*.scenedesc.msgpack")
    before = found.read_bytes()
    broken = library.folder / "broken.gguf"
    broken.write_bytes(b"GGUF and no more")
    library.config["description"]["model"] = str(broken)
    output = library.run("--retries", "0", ok=False)
    assert "1 failed" in output, output
    assert found.read_bytes() == before


def begun(library) -> list:
    return list(library.folder.glob("results/*/jobs/scenes.json"))


def at_work(library, until=begun):
    """A run that has begun with its films, and will take a while."""
    library.config["keyframes"] = {"per_scene": 8, "strategy": "first"}
    process = library.start()
    wait_for(lambda: until(library), 120)
    return process


def at_a_job(library) -> None:
    """Stop the nodes in the middle of a job."""

    def stopped() -> bool:
        library.cluster.signal_processes(signal.SIGSTOP)
        if "running" in library.records("state").values():
            return True
        library.cluster.signal_processes(signal.SIGCONT)
        return False

    wait_for(stopped, 60)


def finished(library) -> int:
    """How many films are."""
    return len(list(library.folder.glob("results/*/manifest.json")))


@pytest.mark.parametrize("profile", ["slurm", "cluster-generic"])
def test_each_profile_makes_what_one_machine_makes(library, local, profile):
    library.profile = profile
    del library.config["stages"]
    output = library.run()
    assert "6 videos, in 3 shares of up to 2" in output
    assert "reelmake: 6 videos done" in output and "(6 of 6)" in output
    assert "Traceback" not in output
    assert every_artifact(library) == every_artifact(local)
    hosts = set(library.records("host").values())
    assert hosts <= {"n1", "n2", "n3"} and len(hosts) > 1
    assert "Nothing to be done" in library.run("--logger", "default")


@pytest.mark.parametrize("profile", ["slurm", long("cluster-generic")])
def test_a_broken_film_fails_alone_and_its_share_is_not_tried_again(library, profile):
    library.profile = profile
    library.config["stages"] = ["scenes"]
    own = library.folder / "films"
    shutil.copytree(library.videos, own)
    (own / "bad.mp4").write_text("no film")
    library.config["videos"] = str(own)
    before = len(library.cluster.jobs("all"))
    output = library.run(ok=False)
    assert "reelmake: 6 videos done, 1 failed" in output
    assert output.count("is not a video or audio file") == 2  # when it fails, and in the summary
    assert len(library.cluster.jobs("all")) - before == 3
    (failed,) = [name for name, state in library.records("state").items() if state == "failed"]
    assert failed.startswith("bad")
    assert library.records("attempt")[failed] == 1


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
