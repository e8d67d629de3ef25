"""One GPU a job, on machines with several.

A device is taken by a lock (flock) on a file in the system's temporary folder, where every
library and every user of the machine finds it. It ends with the process that holds it, however
that ends. `CUDA_VISIBLE_DEVICES` tells the engine; it has to be set before one is imported.
"""

import contextlib
import math
import os
import random
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.foundation import file_locks
from reelmake.library import config as configuration
from reelmake.library.config import Config
from reelmake.library.stages import Stage
from reelmake.models import kept

if TYPE_CHECKING:
    from reelmake.jobs.job import Job

VISIBLE = "CUDA_VISIBLE_DEVICES"
LIMIT = 1800.0
"""Seconds that a job waits for a free device. Then it shares one: memory may suffice."""
POLL = 1.0
"""Seconds between two looks."""

_chosen: tuple[dict[str, str], str] | None = None
"""What a process that keeps its model chose from, and what: CUDA can't be moved to another."""

_DRIVER = Path("/proc/driver/nvidia/gpus")


def uses_gpu(device: str) -> bool:
    """Whether jobs with the setting `hardware.device` take a GPU on this machine.

    `auto` looks for NVIDIA's device files: asking an engine would mean importing it.
    """
    return device == "cuda" or (device == "auto" and any(Path("/dev").glob("nvidia[0-9]*")))


def takes_gpus(config: Config, stage: Stage) -> int:
    """How many GPUs a job of the stage takes on this machine: none where a server has its model."""
    served = stage.endpoint and configuration.get(config, stage.endpoint)
    return int(stage.gpu and not served and uses_gpu(config["hardware"]["device"]))


@contextlib.contextmanager
def one(this: "Job", device: str, at_once: int) -> Iterator[None]:
    """Have a GPU for the block, if the setting `hardware.device` says one; the record's `gpu`.

    at_once: how many such jobs the run starts at once. If it is more than there are devices
    (`--resources gpu=4` with two), a device takes several; otherwise one, and who finds none
    free waits.
    """
    global _chosen
    choice, mine = _chosen or (devices() if uses_gpu(device) else {}, None)
    if not choice:  # none, or not NVIDIA's: the engine knows better
        yield
        return
    some = {mine: choice[mine]} if mine else choice
    with _take(some, _slots(at_once, choice)) as name:
        os.environ[VISIBLE] = this.record["gpu"] = name
        this.save()
        if kept.is_keeping():
            _chosen = choice, name
        yield


def is_taken_by_another(at_once: int) -> bool:
    """Whether the GPU that this process keeps a model on is at work for other jobs.

    at_once: how many jobs with a GPU the run has at a time.
    """
    if _chosen is None:
        return False
    choice, mine = _chosen
    with _free({mine: choice[mine]}, _slots(at_once, choice)) as name:
        return name is None


def free_bytes() -> int | None:
    """The memory that is free on the GPU that this process was given; None where it has none, or
    nobody knows."""
    return None if _chosen is None else min(free_memory(), default=None)


def devices() -> dict[str, str]:
    """The devices that a job may choose from: the name that CUDA knows it by -> its UUID.

    Those that the scheduler (Slurm, say) has set, or else all of the machine. A UUID that is
    not known is the name itself. No engine is asked.
    """
    there = _uuids()
    given = os.environ.get(VISIBLE)
    if given is None:
        return {uuid: uuid for uuid in there}
    names: dict[str, str] = {}
    for name in (part.strip() for part in given.split(",")):
        if not name or name.startswith("-") or name == "NoDevFiles":  # as CUDA: the rest is hidden
            break
        known = name.isdigit() and int(name) < len(there)
        names[name] = there[int(name)] if known else name
    return names


def free_memory() -> list[int]:
    """The bytes of video memory that nobody takes, of each of the machine's devices that jobs may
    choose from; empty where nobody knows."""
    with contextlib.suppress(OSError, subprocess.SubprocessError, ValueError):
        asked = ["nvidia-smi", "--query-gpu=uuid,memory.free", "--format=csv,noheader,nounits"]
        said = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True).stdout
        free = dict(line.split(", ") for line in said.splitlines())
        return [int(free[uuid]) * 2**20 for uuid in devices().values() if uuid in free]
    return []


def _uuids() -> list[str]:
    """The UUIDs of the machine's devices, or their numbers, in the order of their bus."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        listed = subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True, text=True, timeout=60, check=True
        )
        return re.findall(r"^GPU \d+: .*\(UUID: (\S+)\)", listed.stdout, re.M)
    with contextlib.suppress(OSError):
        return [str(number) for number, _ in enumerate(os.listdir(_DRIVER))]
    return []


def _slots(at_once: int, choice: dict[str, str]) -> int:
    """How many jobs a device takes, where the run has so many at once."""
    return max(1, math.ceil(at_once / len(choice)))


@contextlib.contextmanager
def _free(choice: dict[str, str], slots: int) -> Iterator[str | None]:
    """Hold a device that has fewer than `slots` jobs on it now; its name, None where none has."""
    for slot in range(slots):
        for name, uuid in choice.items():
            with _open(f"{uuid}-{slot}") as descriptor:
                if descriptor is None or file_locks.try_lock(descriptor):
                    yield name
                    return
    yield None


@contextlib.contextmanager
def _take(choice: dict[str, str], slots: int) -> Iterator[str]:
    """Hold a device with fewer than `slots` jobs on it; its name."""
    end = time.monotonic() + LIMIT
    said = False
    while True:
        with _free(choice, slots) as found:
            if found is not None:
                yield found
                return
        if time.monotonic() > end:
            name = random.choice(list(choice))
            print(f"every GPU was busy for {LIMIT / 60:.0f} minutes: sharing {name}")
            yield name
            return
        if not said:
            print("every GPU is busy: waiting for one", flush=True)
            said = True
        time.sleep(POLL)


@contextlib.contextmanager
def _open(name: str) -> Iterator[int | None]:
    """A descriptor of the lock file; None where it can't be opened, which locks nobody out."""
    path = Path(tempfile.gettempdir(), f"reelmake-gpu-{re.sub(r'[^A-Za-z0-9-]', '_', name)}.lock")
    descriptor = None
    with contextlib.suppress(OSError):
        # Reading suffices for a lock; another user's file in /tmp can't be opened to create it.
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o644))
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        yield descriptor
    finally:
        if descriptor is not None:
            os.close(descriptor)
