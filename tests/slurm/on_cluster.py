"""A library whose runs are jobs of a cluster."""

import os
import signal
import sys
from pathlib import Path

from cluster import Cluster

from workspace import ROOT, Workspace, wait_for

PLUGINS = Path(sys.prefix) / "cluster"
"""Where `make setup` puts Snakemake's executors for clusters: each run would load them."""


class OnCluster(Workspace):
    """A library whose runs are submitted.

    cluster: where to. profile: which of `profiles/`.
    """

    cluster: Cluster
    profile = "slurm"
    jobs, threads, memory, minutes = 3, 2, "1200", 60

    def start(self, *args, local: bool = False, **options):
        """A run; local: on this machine."""
        if local:
            return super().start(*args, **options)
        environment = self.cluster.environment | {
            "PYTHONPATH": os.pathsep.join([str(PLUGINS), str(ROOT / "scripts")])
        }
        own = [
            *("--profile", str(ROOT / "profiles" / self.profile), "--latency-wait", "30"),
            *("--jobs", str(self.jobs)),
            *("--set-threads", f"run_share={self.threads}", "--set-resources"),
            f"run_share:mem_mb={self.memory}",
            f"run_share:runtime={self.minutes}",
            *("--seconds-between-status-checks", "1"),
        ]
        if self.profile == "slurm":
            own += ["--slurm-status-command", "squeue"]
            own += ["--slurm-init-seconds-before-status-checks", "1"]
        return super().start(*own, *args, env=environment, **options)

    def command(self, *args: str) -> list[str]:
        found = super().command(*args)
        if "--profile" in args:  # jobs, not cores
            place = found.index("--cores")
            del found[place : place + 2]
        return found


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
