"""Shares: a run over very many videos, as runs of the same workflow over some of them each.

Snakemake's graph has a job for each stage of each video, and takes 0.3 MB and 30 ms for each new
one: minutes and gigabytes for a library of thousands, before its first job. So such a run has a
graph of shares alone. Each is a job (the rule `share`) that starts Snakemake again, in the same
folder and with the same command line, for the videos that its file lists. That run is told by an
environment variable; it tells what happens by a file, which the logger of the run reads:

    .snakemake/reelmake.shares/<run>/<number>.json      the videos, and the command
    .snakemake/reelmake.shares/<run>/<number>.events    what happens, a line of JSON each
    .snakemake/reelmake.shares/<run>/<number>.log       all that its Snakemake says
    .snakemake/reelmake.shares/<run>/<number>.done      written when everything ended well
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from reelmake.foundation import artifact_files, process_identity, slurm
from reelmake.library import run_lock

FOLDER = run_lock.FOLDER / "reelmake.shares"
VARIABLE = "REELMAKE_SHARE"
"""The environment variable by which a run knows the file of the share that it is of."""
LOOK = 0.2
"""Seconds between two looks at a run over a share, and at whether it has to stop."""


@dataclass(frozen=True)
class Share:
    """number: its place among the shares of the run, from 1. videos: their ids. command: the words
    of the run's own command line behind `snakemake`. snakefile, folder: what it ran, and where.
    started_in: the folder that relative paths of the command line are meant from. python: the
    program of the run: in a conda environment of its own there is no Snakemake."""

    number: int
    videos: Sequence[str]
    command: Sequence[str]
    snakefile: str
    folder: str
    started_in: str
    python: str = sys.executable


def of_this_run() -> Share | None:
    """The share that this run is over; None where it is over all."""
    path = os.environ.get(VARIABLE)
    return read(Path(path)) if path else None


def events_of_this_run() -> Path | None:
    """The file that this run, over a share, tells what happens by."""
    path = os.environ.get(VARIABLE)
    return Path(path).with_suffix(".events") if path else None


def read(path: Path) -> Share:
    """The share that a file describes."""
    return Share(**json.loads(path.read_bytes()))


def write(
    into: Path, videos: Sequence[str], films: int, command: Sequence[str], **where: str
) -> list[Path]:
    """Write the files of all shares of a run into the folder `into`, in the order of the videos.

    films: videos in a share, the last one may have fewer. where: as `Share` has them.
    """
    into.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, start in enumerate(range(0, len(videos), films), 1):
        share = Share(number, videos[start : start + films], command, **where)
        paths.append(into / f"{number}.json")
        artifact_files.write_json(paths[-1], asdict(share), durable=False)
    return paths


def clear() -> None:
    """Remove what runs before this one, which are over, have left."""
    shutil.rmtree(FOLDER, ignore_errors=True)


def command(share: Share, cores: int) -> list[str]:
    """The command line of the run over a share: of two options that say the same, Snakemake takes
    the last.

    cores: how many CPU cores it may use.
    """
    own = [
        *("--snakefile", share.snakefile, "--directory", share.folder),
        *("--executor", "local", "--cores", str(cores), "--jobs", str(cores), "--retries", "0"),
        *("--logger", "reelmake"),  # which tells what happens
        "--nolock",  # the run that it is a part of has locked the library
    ]
    given = list(share.command)
    end = given.index("--") if "--" in given else len(given)
    return [share.python, "-m", "snakemake", *given[:end], *own, *given[end:]]


def run(path: Path, cores: int, log: Path) -> int | None:
    """Run the workflow over a share, and return Snakemake's exit status: 1 where videos failed;
    None where it did not come to its end.

    path: the share's file. A SIGTERM is passed on: the run ends after its items in work, and at
    once with the second. It is told to end, too, when the run that it is a part of is gone.
    """
    share = read(path)
    teller = Teller(path.with_suffix(".events"))
    teller.tell("begin", slurm=slurm.this_job(), host=socket.gethostname())
    teller.close()
    owner = run_lock.read_owner()
    stops: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stops.append(number))
    with log.open("w") as output:
        process = subprocess.Popen(
            command(share, cores),
            cwd=share.started_in,
            env=os.environ | {VARIABLE: str(path.absolute())},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    is_told = was_stopped = False
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = process.wait(LOOK)
            failed = status == 1 and not was_stopped and _has_failures(path)
            return status if failed or not status else None
        # On another machine nobody can tell.
        is_here = owner.get("host") == socket.gethostname()
        if is_here and not is_told and process_identity.is_alive(owner) is False:
            stops.append(signal.SIGTERM)
            is_told = True
        while stops:
            was_stopped = True
            process.send_signal(stops.pop())


def _has_failures(path: Path) -> bool:
    """Whether a job of the share has failed since the share was begun last."""
    events = list(Events(path.parent).new(path.with_suffix(".events")))
    begun = max(place for place, (_, event) in enumerate(events) if event["what"] == "begin")
    return any(event["what"] == "fail" for _, event in events[begun:])


def tell_cluster(number: int) -> None:
    """Stop the jobs of this library on a cluster. number: of signals that have come: with the
    first, jobs that wait are taken off the queue, and those that run end after their items."""
    there = slurm.jobs(Path())
    if number > 1:
        slurm.cancel(job.id for job in there)
    else:
        slurm.stop(there)


class Events:
    """What the runs over shares tell, as it comes. folder: of the files of the run's shares."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._read: dict[Path, int] = {}
        """How many bytes of a file were taken."""

    def new(self, only: Path | None = None) -> Iterator[tuple[int, dict[str, object]]]:
        """What has happened since the last time: the number of the share, and its event.

        only: the file of a single share; None: all.
        """
        for path in [only] if only else sorted(self._folder.glob("*.events")):
            with contextlib.suppress(OSError), path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                whole, _, _ = file.read().rpartition(b"\n")
                if not whole:
                    continue
                self._read[path] = self._read.get(path, 0) + len(whole) + 1
                for line in whole.splitlines():
                    with contextlib.suppress(ValueError):
                        yield int(path.stem), json.loads(line)


class Teller:
    """Writes down what happens in this run, which is over a share. path: its events."""

    def __init__(self, path: Path):
        self._file = path.open("a", encoding="utf-8", errors="backslashreplace")
        self._lock = threading.Lock()

    def tell(self, what: str, **told: object) -> None:
        """Write an event down. what: its kind; told: all else, as JSON can hold it."""
        line = json.dumps({"what": what, "at": round(time.time(), 3), **told})
        with self._lock, contextlib.suppress(OSError):
            self._file.write(line + "\n")
            self._file.flush()

    def close(self) -> None:
        """This run is over."""
        with self._lock:
            self._file.close()
