"""A process that runs scripts in children of its own, each forked where everything that it imports
is imported already.

To start a Python and import what a script needs takes half of the time of a short film's jobs. The
executor starts one such process a run, and only once there is a job. Each request is a line of
JSON on a socket, its answer another; a script runs as it would by itself: in a process of its own,
with the `snakemake` object that Snakemake gives it. It ends with its run, after its children.
"""

import atexit
import contextlib
import ctypes
import functools
import gc
import importlib
import importlib.util
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reelmake.foundation import process_identity
from reelmake.jobs import gpus, signals, warm_jobs

NO_FORK = {"llama_cpp", "ctranslate2", "faster_whisper", "onnxruntime"}
"""Modules that must not be imported before the fork where there is a GPU: what they set up of
CUDA is of no use in a child."""
_SET_NAME = 15
"""PR_SET_NAME, of Linux's <sys/prctl.h>."""

Request = dict[str, Any]


class ScriptServer:
    """connection: to the executor, which closes it when the run ends."""

    def __init__(self, connection: socket.socket):
        self._executor = warm_jobs.Line(connection)
        self._selector = selectors.DefaultSelector()
        self._children: dict[int, int] = {}
        """Process id -> the number of the request."""
        self._warm: dict[int, _Warm] = {}
        """Those that keep their model when their job is done."""
        self._is_open = True
        self._learned, self._tell = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._stopped = 0.0
        """When the run was told to stop, in seconds since 1970."""

    def serve(self) -> None:
        """Answer requests until the executor is gone and the last child has ended."""
        wake, waker = socket.socketpair()
        for end in (wake, waker):
            end.setblocking(False)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the run's to answer
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals.SIGNALS)
        for end in (self._learned, self._tell):
            end.setblocking(False)
        self._selector.register(self._executor.end, selectors.EVENT_READ)
        self._selector.register(wake, selectors.EVENT_READ)
        while self._is_open or self._children:
            ready = {key.fileobj for key, _ in self._selector.select(self._patience())}
            for each in [each for each in self._warm.values() if each.line.end in ready]:
                self._hear(each)
            if wake in ready:
                with contextlib.suppress(BlockingIOError):
                    while wake.recv(4096):
                        pass
                self._reap()
            if self._executor.end in ready:
                self._is_open = self._take_requests()
                if not self._is_open:
                    self._selector.unregister(self._executor.end)
            # Behind the answers: a job that has ended may have taught.
            if self._is_open and ready - {self._executor.end}:
                self._learn()
            self._end_idle()

    def _take_requests(self) -> bool:
        try:
            requests = self._executor.received()
        except (OSError, EOFError):
            return False
        for request in requests:
            self._start(request)
        return True

    def _on_stop(self, number: int, frame: object) -> None:
        self._stopped = time.time()

    def _start(self, request: Request) -> None:
        if request["sent"] < self._stopped:  # the stop came while modules were imported
            self._answer(request["number"], -signal.SIGTERM)
            return
        model = warm_jobs.model_of(request)
        for each in self._warm.values():
            if each.model == model and each.request is None and self._give(each, request):
                return
        self._fork(request, model)

    def _begin_anew(self, request: Request, model: str) -> None:
        """Give a request to a new process, unless it is to be stopped by now."""
        if request["sent"] < self._stopped:
            self._answer(request["number"], -signal.SIGTERM)
        else:
            self._fork(request, model)

    def _fork(self, request: Request, model: str | None) -> None:
        server = os.getpid()
        ours, theirs = socket.socketpair()
        try:
            sys.stdout.flush()
            child = os.fork()
        except OSError as error:
            ours.close()
            theirs.close()
            self._answer(request["number"], None, f"{type(error).__name__}: {error}")
            return
        if child == 0:
            ours.close()
            self._be_child(request, server, theirs if model else None)
        theirs.close()
        self._children[child] = request["number"]
        if model is None:
            ours.close()
            return
        line = warm_jobs.Line(ours)
        self._warm[child] = _Warm(child, model, line, warm_jobs.seconds(request), request)
        self._selector.register(ours, selectors.EVENT_READ)

    def _give(self, process: "_Warm", request: Request) -> bool:
        """Give a request to a process that waits for one; whether that could be done."""
        try:
            process.line.send(request)
        except OSError:  # it is about to be reaped
            return False
        process.request, process.is_taken = request, False
        self._children[process.pid] = request["number"]
        return True

    def _hear(self, process: "_Warm") -> None:
        """Do what a process with a model has said."""
        try:
            messages = process.line.received()
        except (OSError, EOFError):
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(process.line.end)
            process.line.end.close()
            return  # it ends, and is reaped
        for message in messages:
            if "taken" in message:
                process.is_taken = True
            elif "room" in message:
                for each in list(self._warm.values()):
                    if each.request is None:
                        self._end(each)
                with contextlib.suppress(OSError):
                    process.line.send({"room": True})
            elif process.request is not None:  # done, or busy
                request, process.request = process.request, None
                process.until = time.monotonic() + process.seconds
                self._children.pop(process.pid, None)
                if "busy" in message:
                    self._begin_anew(request, process.model)
                else:
                    self._answer(request["number"], 0)

    def _patience(self) -> float | None:
        """Seconds until a process that waits for a job has waited long enough."""
        ends = [each.until for each in self._warm.values() if each.request is None]
        return max(0.0, min(ends) - time.monotonic()) if ends else None

    def _end_idle(self) -> None:
        for each in list(self._warm.values()):
            if each.request is None and (not self._is_open or each.until <= time.monotonic()):
                self._end(each)

    def _end(self, process: "_Warm") -> None:
        """End a process that waits for a job, and wait until its memory is free."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(process.pid, 0)
        self._forget(process)

    def _forget(self, process: "_Warm") -> None:
        del self._warm[process.pid]
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(process.line.end)
        process.line.end.close()
        warm_jobs.forget(process.pid)

    def _be_child(self, request: Request, server: int, to_server: socket.socket | None) -> None:
        """Run a script, and end; or run others of the same model, before."""
        status = 1
        try:
            _die_with(server)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            self._executor.end.close()
            self._selector.close()
            for other in self._warm.values():
                other.line.end.close()
            process = warm_jobs.Process(warm_jobs.Line(to_server)) if to_server else None
            os.environ |= request["environment"]
            before = set(sys.modules)
            status = _run(request)
            self._teach(before)
            if process and not status:
                status = 1  # of an error that nobody foresaw
                status = process.go_on(request, _run)
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(BaseException):
                threading._shutdown()  # type: ignore[attr-defined]
                atexit._run_exitfuncs()
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)

    def _teach(self, before: set[str]) -> None:
        """Tell the server what this job has imported, and others like it will."""
        new = [name for name in _importable() if name not in before]
        with contextlib.suppress(OSError):  # more than a message holds, or than fit
            self._tell.send(json.dumps(new).encode())

    def _learn(self) -> None:
        """Import what jobs have imported."""
        with contextlib.suppress(BlockingIOError), _quiet():
            while True:
                for name in json.loads(self._learned.recv(1 << 20)):
                    _import(name)
                gc.freeze()

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                child, status = os.waitpid(-1, os.WNOHANG)
                if not child:
                    return
                process = self._warm.get(child)
                if process is not None:
                    with contextlib.suppress(OSError):  # it is closed where all was heard
                        process.line.end.setblocking(False)
                        self._hear(process)  # it may have done its job before it ended
                number = self._children.pop(child, None)
                if process is not None:
                    self._forget(process)
                    if process.request is not None and not process.is_taken:
                        self._begin_anew(process.request, process.model)  # killed while it waited
                        continue
                # What a module has started when it was imported is nobody's job.
                if number is not None:
                    self._answer(number, os.waitstatus_to_exitcode(status))

    def _answer(self, number: int, status: int | None, error: str = "") -> None:
        with contextlib.suppress(OSError):  # the run is gone, its last jobs end
            self._executor.send({"number": number, "status": status, "error": error})


@dataclass
class _Warm:
    """A child that keeps its model.

    model: what tells it from others. seconds: that it waits for a job. request: the one that it
    works on; None while it waits. is_taken: whether it has begun with it. until: when it has
    waited long enough, in seconds of the monotonic clock.
    """

    pid: int
    model: str
    line: warm_jobs.Line
    seconds: float
    request: Request | None
    is_taken: bool = True
    until: float = 0.0


def _importable() -> list[str]:
    """The modules of this process that others can import by their names, too, in the order in
    which they were: `_asyncio` before `asyncio` leaves an asyncio without tasks."""
    found = []
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        if spec is not None and spec.name == name:
            found.append(name)
    return found


def _import(name: str) -> None:
    """Import a module in the server, if it may be there and can be."""
    if name in sys.modules or (name.partition(".")[0] in NO_FORK and _has_gpu()):
        return
    with contextlib.suppress(BaseException):  # a module may even end the process
        importlib.import_module(name)


@functools.cache
def _has_gpu() -> bool:
    """Whether an engine may set up a GPU when it is imported: there is one of NVIDIA's, or
    llama.cpp was compiled for one."""
    if gpus.uses_gpu("auto"):
        return True
    found = importlib.util.find_spec("llama_cpp")
    folders = found.submodule_search_locations if found else None
    kinds = ("cuda", "hip", "vulkan", "sycl", "metal")
    return any(
        kind in path.name
        for folder in folders or ()
        for path in Path(folder, "lib").glob("*ggml*")
        for kind in kinds
    )


def _run(request: Request) -> int:
    """Run a script as the program of this process; its exit status."""
    script = request["script"]
    _be_called(Path(script).stem)
    if (folder := str(Path(script).parent)) not in sys.path:
        sys.path.append(folder)
    try:
        runpy.run_path(script, {"snakemake": _job_of(request)}, "__main__")
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    return 0


def _job_of(request: Request) -> Any:
    """What a script knows as `snakemake`."""
    from snakemake import iocontainers

    def named(kind: Any, given: list[Any]) -> Any:
        items, names = given
        found = kind(toclone=items)
        for name, (start, end) in names.items():
            found._set_name(name, start, end=end)
        return found

    # Snakemake looks for tables and arrays among the parameters, of which JSON has none, and
    # imports for it what there is of these.
    hidden = {name: sys.modules.get(name) for name in ("pandas", "polars", "numpy")}
    sys.modules |= dict.fromkeys(hidden, None)  # type: ignore[arg-type]
    try:
        return iocontainers.Snakemake(
            named(iocontainers.InputFiles, request["input"]),
            named(iocontainers.OutputFiles, request["output"]),
            named(iocontainers.Params, request["params"]),
            named(iocontainers.Wildcards, request["wildcards"]),
            request["threads"],
            named(iocontainers.ResourceList, request["resources"]),
            named(iocontainers.Log, request["log"]),
            request["config"],
            request["rule"],
            None,
            str(Path(request["script"]).parent),
        )
    finally:
        for name, module in hidden.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def _die_with(server: int) -> None:
    """Were the server killed, its run would take this job for failed: it must not go on then."""
    process_identity.end_with_parent(signal.SIGKILL)
    if os.getppid() != server:
        os._exit(1)


def _be_called(name: str) -> None:
    """Have `top` and `ps` show the job by its script's name, not as the server."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_SET_NAME, name.encode(), 0, 0, 0)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Have nothing printed within the block: what a module says belongs to a job's log."""
    sys.stdout.flush()
    kept = [(number, os.dup(number)) for number in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for number, _ in kept:
            os.dup2(nowhere, number)
        yield
    finally:
        sys.stdout.flush()
        for number, copy in kept:
            os.dup2(copy, number)
            os.close(copy)
        os.close(nowhere)


def main() -> None:
    """Serve on the descriptor that the command line names, behind the folder of the library."""
    ScriptServer(socket.socket(fileno=int(sys.argv[2]))).serve()


if __name__ == "__main__":
    main()
