"""Jobs of one model, one after the other in one process: the model is loaded once.

A job whose stage has a model is a child of the process that scripts are forks of, as any job is.
When it has ended well, and has loaded its model, the child does not end: for a while
(`hardware.keep_warm`) it waits for another job of the same model. It talks with its parent by
lines of JSON on a socket:

    the parent: a request, as the executor sends it; {"room": true}: others have gone
    the child:  {"taken": …}, {"busy": …}: its GPU is another job's, {"done": …}: the numbers of
                requests; {"room": bytes}: it needs so much memory, may others that wait go?
"""

import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

from reelmake.foundation import artifact_files, process_identity
from reelmake.jobs import gpus
from reelmake.library import run_lock
from reelmake.models import kept

Request = dict[str, Any]

FOLDER = run_lock.FOLDER / "reelmake.warm"
"""A file for each process that keeps a model, for `reel status`."""
OVER = 1.2
"""So many times the size of its files a model takes of memory, at least."""
BESIDE = 1.5e9
"""Bytes of a GPU's memory that it computes in, and remembers the text in."""


def model_of(request: Request) -> str | None:
    """What tells the model of a request from others; None where its job keeps none."""
    run = _run_of(request)
    if not run.get("models") or not run.get("keep_warm") or run.get("endpoint"):
        return None
    hardware = ("repo_id", "device", "gpu_layers", "threads")
    return json.dumps([run["models"], *(run.get(name) for name in hardware)], sort_keys=True)


def seconds(request: Request) -> float:
    """How long the process of a request waits for another one."""
    return float(_run_of(request)["keep_warm"])


def _run_of(request: Request) -> dict[str, Any]:
    """The fields of the `RunContext` of its job; empty where it has none."""
    items, names = request["params"]
    found = items[names["run"][0]] if "run" in names else {}
    return found if isinstance(found, dict) else {}


class Line:
    """Lines of JSON on a socket. end: of a pair."""

    def __init__(self, end: socket.socket):
        self.end = end
        self._rest = b""

    def send(self, message: dict[str, Any]) -> None:
        """Send a message. Raises OSError where the other side is gone."""
        self.end.sendall(json.dumps(message).encode() + b"\n")

    def received(self) -> list[dict[str, Any]]:
        """The messages that have come, at least the end of one; raises EOFError at the end."""
        data = self.end.recv(1 << 20)
        if not data:
            raise EOFError
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def wait(self) -> dict[str, Any]:
        """The next message. Raises EOFError, OSError."""
        while True:
            for message in self.received():
                return message


class Process:
    """This process, a child that does jobs of one model. line: to its parent."""

    def __init__(self, line: Line):
        self._line = line
        self._standard = [os.dup(number) for number in (1, 2)]
        self._jobs = 0
        kept.keep(self._make_room)

    def go_on(self, request: Request, run: Callable[[Request], int]) -> int:
        """Wait for further requests, and run them, while the model stays loaded; the exit status
        of this process.

        request: the one that was run first, and well. run: runs one; its exit status.
        """
        while kept.is_holding():
            self._note(request)
            try:
                self._after_job(request["number"])
                request = self._next()
            except (OSError, EOFError):  # the run is gone
                return 0
            os.environ |= request["environment"]
            if status := run(request):
                return status
        return 0

    def _next(self) -> Request:
        while True:
            request = self._line.wait()
            # From now on a stop is for the job; until it has handlers, it ends with it.
            busy = gpus.is_taken_by_another(_run_of(request)["gpus_at_once"])
            self._line.send({"busy" if busy else "taken": request["number"]})
            if not busy:
                return request

    def _after_job(self, request: int) -> None:
        """request: the number of the one that is done."""
        sys.stdout.flush()
        sys.stderr.flush()
        for number, descriptor in zip((1, 2), self._standard, strict=True):
            os.dup2(descriptor, number)
        self._line.send({"done": request})
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # from now on it may go

    def _make_room(self, size: int) -> None:
        """Have processes that wait for a job end, if memory is short for so many bytes."""
        import psutil

        on_gpu = gpus.free_bytes()
        is_short = psutil.virtual_memory().available < OVER * size
        if is_short or (on_gpu is not None and on_gpu < OVER * size + BESIDE):
            self._line.send({"room": size})
            self._line.wait()

    def _note(self, request: Request) -> None:
        self._jobs += 1
        models = _run_of(request)["models"]
        note: dict[str, Any] = {"owner": process_identity.this_process(), "models": models}
        note |= {"jobs": self._jobs, "idle_since": round(time.time(), 3)}
        with contextlib.suppress(OSError):
            FOLDER.mkdir(exist_ok=True)
            artifact_files.write_json(_file(os.getpid()), note, durable=False)


def forget(pid: int) -> None:
    """A process that kept a model has ended."""
    with contextlib.suppress(OSError):
        _file(pid).unlink(missing_ok=True)


def loaded() -> list[dict[str, Any]]:
    """The models that processes on this machine keep for jobs of this library, as `reel status`
    shows them: {"models": by their settings, "pid", "jobs": done with it, "seconds": since the last
    one ended}."""
    found = []
    for note in _notes():
        if process_identity.is_alive(note["owner"]):
            models = sorted({Path(name).name for name in note["models"].values()})
            since = max(0.0, round(time.time() - note["idle_since"], 1))
            found.append(
                {"models": models, "pid": note["owner"]["pid"], "jobs": note["jobs"]}
                | {"seconds": since}
            )
    return found


def _notes() -> Iterator[dict[str, Any]]:
    for path in sorted(FOLDER.glob("*.json")):
        note = artifact_files.read_json(path)
        if isinstance(note, dict) and "owner" in note:
            yield cast("dict[str, Any]", note)


def _file(pid: int) -> Path:
    return FOLDER / f"{socket.gethostname()}-{pid}.json"
