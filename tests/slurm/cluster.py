"""A private Slurm on this one machine: a controller, three nodes, each with a host name of its own.

Nothing but what it starts is touched: it has a configuration, ports and a state folder of its own,
and ends with `stop`.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "scancel", "sinfo", "squeue", "unshare")
NODE = """
hostname {name}
if [ -n "{shared}" ]; then
    mount -t tmpfs tmpfs "{local}"
    bindfs -f "{shared}" "{shared}" &
    until mountpoint -q "{shared}"; do sleep 0.05; done
fi
exec slurmd -D -N {name}
"""
"""What a node runs, where its host name and its mounts are its own."""
NODES = ("n1", "n2", "n3")
CPUS, MEMORY = 4, 4000
"""Of each node; Slurm is told that it has them. Memory in MB."""

CONFIGURATION = """
ClusterName=reelmake
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={controller}
SlurmUser=root
SlurmdUser=root
AuthType=auth/none
CredType=cred/none
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/completed
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,bf_interval=1
ReturnToService=2
MpiDefault=none
MinJobAge=3600
KillWait=5
SlurmdTimeout={patience}
GresTypes=gpu
{nodes}
PartitionName=all Nodes=n[1-3] Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str:
    """What of Slurm this machine lacks; empty where it has all."""
    lacking = [name for name in PROGRAMS if shutil.which(name) is None]
    if os.geteuid() != 0:
        lacking.append("root's rights, for the host names of nodes")
    return ", ".join(lacking)


def no_mounts() -> str:
    """What this machine lacks for mounts of each node's own; empty where it has all."""
    lacking = [name for name in ("bindfs", "mountpoint") if shutil.which(name) is None]
    return ", ".join([*lacking, *([] if Path("/dev/fuse").exists() else ["/dev/fuse"])])


class Cluster:
    """folder: of its configuration, state and logs. patience: seconds without a word from a node
    until it counts as lost.

    shared: a folder that each node sees through a mount of its own, so with file locks and caches
    of its own, as on a network file system that keeps locks to each machine; None: as it is.
    local: a folder that is another one on each node, as its own disk.
    """

    def __init__(
        self,
        folder: Path,
        patience: int = 60,
        shared: Path | None = None,
        local: Path | None = None,
    ):
        self.folder, self.shared, self.local = folder, shared, local
        self._processes: dict[str, subprocess.Popen] = {}
        (folder / "state").mkdir(parents=True)
        controller, *ports = free_ports(1 + len(NODES))
        nodes = "\n".join(
            f"NodeName={name} NodeHostname=localhost NodeAddr=127.0.0.1 Port={port} "
            f"CPUs={CPUS} RealMemory={MEMORY} Gres=gpu:1"
            for name, port in zip(NODES, ports, strict=True)
        )
        self.configuration = folder / "slurm.conf"
        self.configuration.write_text(
            CONFIGURATION.format(
                controller=controller, folder=folder, nodes=nodes, patience=patience
            )
        )
        # Any character device will do: no job of a test computes on it.
        (folder / "gres.conf").write_text(
            "".join(f"NodeName={name} Name=gpu Count=1 File=/dev/null\n" for name in NODES)
        )
        self.environment = os.environ | {"SLURM_CONF": str(self.configuration)}
        # The executor's inner srun has lost the variable.
        programs = folder / "bin"
        programs.mkdir()
        wrapper = programs / "srun"
        command = f'SLURM_CONF={self.configuration} exec {shutil.which("srun")} "$@"'
        wrapper.write_text(f"#!/bin/sh\n{command}\n")
        wrapper.chmod(0o755)
        self.environment["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"

    def start(self) -> None:
        """Start it, and wait until every node can take jobs."""
        self._start("slurmctld", [shutil.which("slurmctld"), "-D"])
        for name in NODES:
            self.start_node(name)
        self.wait(lambda: len(self.idle()) == len(NODES), "no node can take jobs")

    def start_node(self, name: str) -> None:
        """Start a node: a daemon where host name and mounts are those of the node."""
        command = NODE.format(name=name, shared=self.shared or "", local=self.local or "")
        self._start(name, [shutil.which("unshare"), "-u", "-m", "sh", "-ec", command])

    def kill_node(self, name: str) -> None:
        """Lose a node with everything on it, at once."""
        import psutil

        there = self._running(name)
        daemon = psutil.Process(self._processes[name].pid)
        for process in [daemon, *daemon.children(recursive=True), *there]:
            with contextlib.suppress(psutil.Error):
                process.kill()
        self._processes.pop(name).wait()

    def signal_processes(self, number: signal.Signals) -> None:
        """Signal what jobs run, on all nodes."""
        import psutil

        for name in NODES:
            for process in self._running(name):
                with contextlib.suppress(psutil.Error):
                    process.send_signal(number)

    def _running(self, node: str) -> list:
        """The processes of jobs on a node: no children of the daemon's any more, but where its
        host name is. (Other tests may have a cluster of their own.)"""
        import psutil

        here, found = _namespace(self._processes[node].pid), []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                is_here = here is not None and _namespace(process.pid) == here
                if is_here and process.environ().get("SLURMD_NODENAME"):
                    found.append(process)
        return found

    def _start(self, name: str, command: list) -> None:
        with (self.folder / f"{name}.out").open("ab") as output:
            self._processes[name] = subprocess.Popen(
                command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
                start_new_session=True,
            )

    def idle(self) -> list[str]:
        """The nodes that can take jobs."""
        return self.ask("sinfo", "-h", "-N", "-t", "idle,mix,alloc", "-o", "%N").split()

    def jobs(self, *states: str) -> list[list[str]]:
        """[id, state, name, node] of each job in these states; none given: pending and running."""
        given = ",".join(states or ("PENDING", "RUNNING", "COMPLETING"))
        said = self.ask("squeue", "-h", "-t", given, "-o", "%i|%T|%j|%N")
        return [line.split("|") for line in said.splitlines()]

    def ask(self, *command: str) -> str:
        """What a program of Slurm's prints; empty where it fails."""
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )
        return done.stdout

    def wait(self, condition, why: str, seconds: float = 60) -> None:
        """Until something is so; raises AssertionError with the logs where it never is."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                logs = [path.read_text(errors="replace") for path in self.folder.glob("*.log")]
                raise AssertionError(f"{why}\n" + "\n".join(log[-1500:] for log in logs))
            time.sleep(0.1)

    def stop(self) -> None:
        """Cancel what is left, and end it."""
        import psutil

        self.ask("scancel", "--user=root", "--signal=KILL", "--full")
        for name in [*reversed(self._processes)]:
            process = self._processes.pop(name)
            mounts = psutil.Process(process.pid).children()
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for mount in mounts:
                with contextlib.suppress(psutil.Error):
                    mount.kill()


def _namespace(process: int) -> str | None:
    """What the host name of a process belongs to; None where that can't be seen."""
    try:
        return str(Path(f"/proc/{process}/ns/uts").readlink())
    except OSError:
        return None


def free_ports(number: int) -> list[int]:
    """Ports on loopback that nobody listens on now."""
    sockets = [socket.socket() for _ in range(number)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
