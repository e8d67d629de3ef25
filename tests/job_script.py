"""A script of a rule, run as Snakemake runs it but without Snakemake: a job in 0.3 s."""

import json
import subprocess
import sys
from pathlib import Path

from reelmake.library.stages import STAGES, artifact_paths
from workspace import ROOT, Workspace

DRIVER = """
import json, mmap, os, runpy, signal, struct, subprocess, sys, types

job = os.getpid()
steps = mmap.mmap(-1, 8)  # a child's, too


class Named(list):
    def __init__(self, named):
        super().__init__(named.values())
        self.__dict__.update(named)


def killed_at(number, *functions):
    def counted(owner, name):
        plain = getattr(owner, name)

        def call(*args, **options):
            done = struct.unpack("q", steps[:])[0] + 1
            steps[:] = struct.pack("q", done)
            if done == number:
                os.kill(job, signal.SIGKILL)
                os.kill(os.getpid(), signal.SIGKILL)
            return plain(*args, **options)

        setattr(owner, name, call)

    for owner, name in functions:
        counted(owner, name)


given = json.loads(sys.argv[1])
sys.path.insert(0, given["library"])
if given["kill_at"]:
    what = ((os, "replace"), (os, "fsync"), (subprocess.Popen, "__init__"))
    killed_at(given["kill_at"], *what)
snakemake = types.SimpleNamespace(
    input=Named(given["input"]),
    output=Named(given["output"]),
    log=[given["log"]],
    params=types.SimpleNamespace(run={"threads": 1}| given["run"]),
)
runpy.run_path(given["script"], {"snakemake": snakemake}, "__main__")
"""


def run_job(
    library: Workspace,
    video: str,
    stage: str,
    inputs: dict[str, str],
    outputs: dict[str, str],
    kill_at: int = 0,
    **run: object,
) -> int:
    """The exit status of a stage's job. inputs, outputs: the rule's, as paths below the video's
    folder, "" for one that it does without. kill_at: SIGKILL just before so many-th `os.replace`,
    `os.fsync` or start of a program; 0: never. run: of the `RunContext`."""
    results = Path("results", video)
    names = {"fingerprint": f"fingerprints/{stage}.json"} | inputs
    given = {
        "library": str(ROOT / "scripts"),
        "script": str(ROOT / "scripts" / f"{STAGES[stage].rule}.py"),
        "kill_at": kill_at,
        "input": {name: path and str(results / path) for name, path in names.items()},
        "output": {name: str(results / path) for name, path in outputs.items()},
        "log": f"logs/{STAGES[stage].rule}/{video}.log",
        "run": run,
    }
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, json.dumps(given)],
        cwd=library.folder,
        timeout=120,
        check=False,
    )
    return done.returncode


def content_of(library: Workspace, video: str, stage: str) -> dict[str, bytes]:
    """The files of a stage's artifacts that are there, by path."""
    found = {}
    for path in artifact_paths(STAGES[stage], video):
        there = library.result(video, path)
        for file in sorted(there.glob("[!.]*")) if there.is_dir() else [there]:
            if file.exists():
                found[str(file.relative_to(library.folder))] = file.read_bytes()
    return found
