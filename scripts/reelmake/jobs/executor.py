"""Snakemake's executor for one machine, whose Python scripts run in forks of one process."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from snakemake.exceptions import SpawnedJobError, WorkflowError
from snakemake.executors import local
from snakemake.settings.types import DeploymentMethod
from snakemake.sourcecache import LocalSourceFile, infer_source_file

from reelmake.jobs import crashes, signals, terminal
from reelmake.library.library import RESULTS

THREADS = ("OMP", "GOTO", "OPENBLAS", "MKL", "NUMEXPR")
"""Libraries whose number of threads Snakemake sets for a job, in <name>_NUM_THREADS."""
FOLDERS = ("TMPDIR", "TMP", "TEMPDIR", "TEMP")
_GONE = "the process that runs scripts has ended; the log of Snakemake may say why"
LIBRARY = str(Path(__file__).resolve().parents[2])
_SERVE = f"import sys; sys.path.insert(0, sys.argv[1]); from {signals.SERVER} import main; main()"


class Executor(local.Executor):  # type: ignore[misc]
    """Snakemake's own, but for Python scripts that need no other environment than this one's.

    All else (a script in a conda environment or a container, a shell command) runs as ever.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self._server: _Connection | None = None
        self._starting = threading.Lock()

    def run_single_job(self, job: Any) -> Any:
        """Snakemake's: the future of a job."""
        script = self._script(job)
        if script is None:
            return super().run_single_job(job)
        arguments = self.job_args_and_prepare(job)
        return self.pool.submit(self.cached_or_run, job, self._run_script, job, script, *arguments)

    def shutdown(self) -> None:
        """Snakemake's: wait for the jobs at work."""
        super().shutdown()
        self._close()

    def cancel(self) -> None:
        """Snakemake's: wait for the jobs at work, and start no more."""
        super().cancel()
        self._close()

    def _close(self) -> None:
        if self._server is not None:
            self._server.close()

    def _script(self, job: Any) -> str | None:
        """The Python script that a job is, if it needs nothing that only Snakemake can set up."""
        rule, settings = job.rule, self.workflow.execution_settings
        deployed = self.workflow.deployment_settings.deployment_method & {
            DeploymentMethod.CONDA,
            DeploymentMethod.APPTAINER,
            DeploymentMethod.ENV_MODULES,
        }
        special = deployed or job.is_shadow or job.benchmark or job.is_group() or settings.debug
        if special or not settings.cleanup_scripts or not isinstance(rule.script, str):
            return None
        found = infer_source_file(rule.basedir.join(rule.script))
        if not isinstance(found, LocalSourceFile):
            return None
        path = found.get_path_or_uri(secret_free=True)
        return os.path.realpath(path) if path.endswith(".py") and "{" not in path else None

    def _run_script(self, job: Any, script: str, *arguments: Any) -> None:
        rule, given, made, params, wildcards, threads, resources, log, *_ = arguments
        environment = {f"{name}_NUM_THREADS": str(threads) for name in THREADS}
        environment["VECLIB_MAXIMUM_THREADS"] = str(threads)
        if folder := resources.get("tmpdir"):
            environment |= dict.fromkeys(FOLDERS, str(folder))
        request = {
            "script": script,
            "environment": environment,
            "input": _plain(given),
            "output": _plain(made),
            "params": _plain(params),
            "wildcards": _plain(wildcards),
            "threads": threads,
            "resources": _plain(resources),
            "log": _plain(log),
            "config": self.workflow.globals["config"],
            "rule": rule.name,
        }
        try:
            if json.loads(json.dumps(request)) != request:
                raise TypeError
        except (TypeError, ValueError):  # JSON can't hold it, Snakemake's own way can
            local.run_wrapper(*arguments)
            return
        status, error = self._connection().ask(request)
        if error:
            raise WorkflowError(f"{rule.name}: its script could not be run: {error}")
        if status == -signal.SIGTERM:  # stopped before it began, or by somebody
            raise SpawnedJobError
        if -status in crashes.NUMBERS and (video := wildcards.get("video")):
            error = crashes.record(RESULTS / video, rule.name, status)
            if not terminal.shows_failures():
                terminal.write(sys.stderr.fileno(), error)
            raise SpawnedJobError
        if status < 0:
            raise WorkflowError(
                f"{rule.name}: its process was killed by signal {-status}"
                + (" (9 often means that memory ran out)" if status == -9 else "")
            )
        if status:
            raise SpawnedJobError

    def _connection(self) -> "_Connection":
        with self._starting:
            if self._server is None or self._server.is_gone:
                self._server = _Connection()
            return self._server


class _Connection:
    """A `ScriptServer` at work, and the requests that it has not answered yet."""

    def __init__(self) -> None:
        self._environment = dict(os.environ)
        ours, theirs = socket.socketpair()
        # Until it has handlers: a Ctrl+C in its first moments would end it.
        kept = signal.pthread_sigmask(signal.SIG_BLOCK, signals.SIGNALS)
        with theirs:
            self._process = subprocess.Popen(
                # -P: what lies in the working directory is no module.
                [sys.executable, "-P", "-c", _SERVE, LIBRARY, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=self._environment | {f"{name}_NUM_THREADS": "1" for name in THREADS},
            )
        signal.pthread_sigmask(signal.SIG_SETMASK, kept)
        self._socket, self._sending = ours, threading.Lock()
        self._waiting: dict[int, Future[tuple[int, str]]] = {}
        self._count = 0
        self.is_gone = False
        threading.Thread(target=self._read, daemon=True).start()

    def ask(self, request: dict[str, Any]) -> tuple[int, str]:
        """Run a script; its exit status, below 0 a signal's, and what kept it from running."""
        answer: Future[tuple[int, str]] = Future()
        with self._sending:
            self._count += 1
            self._waiting[self._count] = answer
            # What has changed since the server started: the logger tells jobs something in it.
            changed = dict(os.environ.items() - self._environment.items())
            environment = changed | request["environment"]
            numbered = request | {
                "number": self._count,
                "sent": time.time(),
                "environment": environment,
            }
            line = json.dumps(numbered) + "\n"
            with contextlib.suppress(OSError):
                self._socket.sendall(line.encode())
        if self.is_gone:
            self._give_up()
        return answer.result()

    def close(self) -> None:
        """Let the process end."""
        self.is_gone = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._process.wait()
        self._socket.close()

    def _read(self) -> None:
        try:
            with contextlib.suppress(OSError), self._socket.makefile("rb") as lines:
                for line in lines:
                    said = json.loads(line)
                    answer = self._waiting.pop(said["number"])
                    answer.set_result((said["status"], said["error"]))
        finally:
            self.is_gone = True
            self._give_up()

    def _give_up(self) -> None:
        with self._sending:
            for number in list(self._waiting):
                self._waiting.pop(number).set_result((0, _GONE))


def _plain(items: Any) -> list[Any]:
    """A named list of Snakemake's as what JSON can hold: the items, and the names of places."""
    names = {name: list(place) for name, place in items._get_names()}
    return [[item if not isinstance(item, os.PathLike) else str(item) for item in items], names]
