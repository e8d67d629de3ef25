"""Which process does something, and whether it still lives."""

import contextlib
import ctypes
import os
import socket
import time
from pathlib import Path
from typing import TypedDict

from reelmake.foundation import slurm

_SET_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG, of Linux's <sys/prctl.h>."""


class Owner(TypedDict, total=False):
    """A process that nothing else is mistaken for.

    boot: the machine's boot id. process: when the process started, in clock ticks after the boot.
    since: when it said so, in seconds since 1970. slurm: the job of Slurm's that it is part of.
    """

    pid: int
    host: str
    boot: str | None
    process: int | None
    since: float
    slurm: str


def this_process() -> Owner:
    """The process that asks."""
    me: Owner = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "boot": _boot(),
        "process": _started(os.getpid()),
        "since": round(time.time(), 3),
    }
    if (job := slurm.this_owner()) is not None:
        me["slurm"] = job
    return me


def is_alive(owner: Owner) -> bool | None:
    """Whether the process lives; None where nobody on this machine can tell.

    A process of the same number that started at another time, or before the machine did, is
    not the one. One on another machine is dead where Slurm says that its job is over.
    """
    if owner.get("host") != socket.gethostname():
        job = owner.get("slurm")
        return False if job and slurm.is_over(job) else None
    if owner.get("boot") != _boot():
        return False
    pid = owner.get("pid")
    if not isinstance(pid, int):
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # another user's
    return owner.get("process") == _started(pid)


def end_with_parent(number: int) -> None:
    """Have this process get a signal when the one that started it ends (Linux alone)."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, number, 0, 0, 0)


def describe(owner: Owner) -> str:
    """Who it is, for people."""
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(owner.get("since", 0)))
    return f"process {owner.get('pid')} on {owner.get('host')}, since {since}"


def _boot() -> str | None:
    """The boot id of this machine; None where there is none (not Linux)."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None


def _started(pid: int) -> int | None:
    """When a process that has not ended started, in clock ticks after the boot: field 22 of
    proc(5)'s stat."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The second field is the program's name in parentheses, which may hold anything.
    fields = stat.rpartition(")")[2].split()
    # A zombie does nothing any more; in a container nobody may ever take note of its end.
    return None if fields[0] in "ZX" else int(fields[19])
