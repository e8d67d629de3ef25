"""The same workflow as jobs of a real Slurm, on three nodes."""

import os
import shutil
import subprocess

import pytest
from cluster import no_mounts
from on_cluster import OnCluster, begun

from faults import long
from workspace import ROOT, wait_for

pytestmark = pytest.mark.slurm


def every_artifact(library) -> dict[str, bytes]:
    """All that a run makes, but what tells times and who made it."""
    left_out = ("jobs", "manifest.json", ".snakemake_timestamp")
    return {
        str(path.relative_to(library.folder)): path.read_bytes()
        for path in sorted(library.folder.glob("results/*/**/*"))
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
    other.cluster, other.config, other.logger = library.cluster, library.config, library.logger
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
