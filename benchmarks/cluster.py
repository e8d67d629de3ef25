"""What a cluster costs beside one machine: shares of several sizes, and a job a stage.

    python benchmarks/cluster.py [FILMS [SHARE …]]

A private Slurm of three nodes, all of them on this one machine: so CPU time is what counts, of all
that belongs to the run and the cluster, and wall time shows only what waits. Every Snakemake that
does films has two cores, in a share as on one machine: more than there are would spin. The films
(12) are 10 s long, with every stage and the demo's models; the plain script calls ffmpeg,
faster-whisper, scenedetect and llama.cpp for them, one after the other, up to the descriptions.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
from measure import ROOT, WORK, command

sys.path.insert(0, str(ROOT / "demo" / "training"))
sys.path.insert(0, str(ROOT / "tests" / "slurm"))

from cluster import NODES, Cluster, missing

from make_video import make_video, random_story

FOLDER = WORK / "cluster"
PLUGINS = Path(sys.prefix) / "cluster"
CONFIG = ("cache=false", "min_free=1 MB", "settle_seconds=0")


def count_apart() -> Path | None:
    """Have the kernel count the CPU time of this process and its descendants: the file with it, in
    nanoseconds. None where it can't (cgroups, root's rights): then all of the machine counts."""
    group = Path("/sys/fs/cgroup/cpuacct") / f"reelmake.benchmark.{os.getpid()}"
    try:
        group.mkdir()
        (group / "tasks").write_text(str(os.getpid()))
    except OSError:
        return None
    return group / "cpuacct.usage"


COUNTED = count_apart()


def busy() -> float:
    """Seconds of CPU that were spent until now."""
    if COUNTED is not None:
        return int(COUNTED.read_text()) / 1e9
    times = psutil.cpu_times()
    return float(times.user + times.system)


def run(cluster: Cluster, *options: str, config: tuple[str, ...] = ()) -> tuple[float, float, int]:
    """Wall and CPU seconds of a run over films that were never run, and how many jobs it had."""
    folder = FOLDER / "run"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "models").symlink_to(ROOT / "demo" / "models")
    given = [
        *(sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--nocolor"),
        *("--configfile", ROOT / "demo" / "config.yaml", *options),
        *("--config", f"videos={FOLDER / 'films'}", *CONFIG, *config),
    ]
    environment = cluster.environment | {"HF_HUB_OFFLINE": "1"}
    environment["PYTHONPATH"] = os.pathsep.join([str(PLUGINS), str(ROOT / "scripts")])
    jobs = len(cluster.jobs("all"))
    before, began = busy(), time.monotonic()
    done = subprocess.run(
        list(map(str, given)), cwd=folder, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stdout[-3000:] + done.stderr[-3000:])
    return time.monotonic() - began, busy() - before, len(cluster.jobs("all")) - jobs


def submitted(profile: str, jobs: int) -> tuple[str, ...]:
    """The options of a run by one of `profiles/`."""
    own = () if profile != "slurm" else ("--slurm-status-command", "squeue")
    return (
        *("--profile", str(ROOT / "profiles" / profile), "--jobs", str(jobs)),
        *("--latency-wait", "30", "--seconds-between-status-checks", "1", *own),
        *("--set-threads", "run_share=2", "--set-resources"),
        *("run_share:mem_mb=3000", "run_share:runtime=60"),
    )


def main() -> None:
    """Print the table."""
    if lacking := missing():
        raise SystemExit(f"no Slurm on this machine: it lacks {lacking}")
    number, *sizes = [int(word) for word in sys.argv[1:]] or [12]
    shutil.rmtree(FOLDER, ignore_errors=True)
    (FOLDER / "films").mkdir(parents=True)
    for film in range(number):
        story = random_story(seed=200 + film, seconds=10)
        make_video(FOLDER / "films" / f"{film:02}.mp4", *story, 320, 180)
    cluster = Cluster(FOLDER / "slurm")
    cluster.start()
    try:
        print(f"\n**{number} films of 10 s, every stage, on two cores** (aim: shares <= 1.5 x)\n")
        print("| | Slurm jobs | wall, s | CPU, s |\n|---|---|---|---|")
        began, before = time.monotonic(), busy()
        command(sys.executable, ROOT / "benchmarks/plain.py", FOLDER / "films", FOLDER / "plain")()
        wall, cpu = time.monotonic() - began, busy() - before
        print(f"| the plain script, on one machine | | {wall:.0f} | {cpu:.0f} |", flush=True)
        wall, floor, _ = run(cluster, "--cores", "2")
        print(f"| one machine, `--cores 2` | | {wall:.0f} | {floor:.0f} (1.00 x) |", flush=True)
        for profile in ("cluster-generic", "slurm"):
            for films in sizes or (1, 2, 4):
                ways = (1, 2, 3) if films == 2 and profile == "slurm" else (3,)
                for nodes in ways:
                    for node in NODES[nodes:]:
                        cluster.ask(
                            *("scontrol", "update", f"nodename={node}", "state=drain"),
                            "reason=benchmark",
                        )
                    size = (f"share={{films: {films}}}",)
                    some = run(cluster, *submitted(profile, -(-number // films)), config=size)
                    name = f"shares of {films}, {profile}, {nodes} node{'s' * (nodes > 1)}"
                    print(
                        f"| {name} | {some[2]} | {some[0]:.0f} | {some[1]:.0f} "
                        f"({some[1] / floor:.2f} x) |",
                        flush=True,
                    )
                    for node in NODES[nodes:]:
                        cluster.ask("scontrol", "update", f"nodename={node}", "state=resume")
        if sizes:  # only these were asked for
            return
        each = submitted("cluster-generic", 50)
        each = (*each, "--default-resources", "mem_mb=500", "disk_mb=1000", "runtime=60")
        wall, cpu, jobs = run(cluster, *each, config=("share={films: null}",))
        print(f"| a job a stage, cluster-generic | {jobs} | {wall:.0f} | {cpu:.0f} "
              f"({cpu / floor:.2f} x) |")  # fmt: skip
    finally:
        cluster.stop()


if __name__ == "__main__":
    main()
