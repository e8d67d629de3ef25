"""What shares cost and save: 10,000 new videos until the first job, and a whole run over some.

    python benchmarks/shares.py [VIDEOS]

VIDEOS (1,000) are made with the scene stages alone, in one graph and in shares of 200: jobs that
take little time, since what a run costs beside its jobs is measured. Memory is the largest of one
process.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
from measure import ROOT, WORK

sys.path.insert(0, str(ROOT / "demo" / "training"))

from make_video import make_video, random_story

FOLDER = WORK / "shares"
MANY = 10_000
ALL_IN_ONE = "share={films: null}"
IN_SHARES = "share={films: 200}"


def library(number: int) -> Path:
    """A folder with so many new videos."""
    folder = FOLDER / str(number)
    videos = folder / "videos"
    shutil.rmtree(folder, ignore_errors=True)
    videos.mkdir(parents=True)
    if not (FOLDER / "film.mp4").exists():
        make_video(FOLDER / "film.mp4", *random_story(seed=5, seconds=3), 160, 90)
    for name in range(number):
        shutil.copyfile(FOLDER / "film.mp4", videos / f"{name:05}.mp4")
    return folder


def start(folder: Path, *config: str) -> subprocess.Popen:
    """A run of the scene stages over a library that was never run."""
    for name in ("results", "logs", ".snakemake", "cache"):
        shutil.rmtree(folder / name, ignore_errors=True)
    command = (
        *(sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--cores", "2"),
        *("--config", "videos=videos", "stages=[scenes]", "cache=false", "min_free=1 MB", *config),
    )
    with (folder / "said").open("w") as said:
        return subprocess.Popen(list(map(str, command)), cwd=folder, stdout=said, stderr=said)


def peak_of(process: subprocess.Popen, until) -> int:
    """The most bytes that the process, or one that it has started, had until something is so."""
    most = 0
    while not until():
        with contextlib.suppress(psutil.Error):
            whole = psutil.Process(process.pid)
            for each in [whole, *whole.children(recursive=True)]:
                with contextlib.suppress(psutil.Error):
                    most = max(most, each.memory_info().rss)
        time.sleep(0.1)
    return most


def first_job(folder: Path, *config: str) -> tuple[float, int]:
    """Seconds until the first job of a run starts, and the peak memory until then."""
    began = time.time()
    process = start(folder, *config)
    records: list[Path] = []

    def is_there() -> bool:
        records[:] = folder.glob("results/*/jobs/media.json")
        return bool(records) or process.poll() is not None

    peak = peak_of(process, is_there)
    started = json.loads(records[0].read_bytes())["started"]
    os.kill(process.pid, signal.SIGTERM)
    process.wait()
    return started - began, peak


def whole(folder: Path, *config: str) -> tuple[float, float, int]:
    """Seconds and CPU seconds of a whole run, and its peak memory."""
    before, began = os.times(), time.time()
    process = start(folder, *config)
    peak = peak_of(process, lambda: process.poll() is not None)
    if process.returncode:
        raise RuntimeError((folder / "said").read_text()[-2000:])
    after = os.times()
    cpu = after.children_user + after.children_system
    return time.time() - began, cpu - before.children_user - before.children_system, peak


def main() -> None:
    """Print the tables."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    FOLDER.mkdir(parents=True, exist_ok=True)
    print("\n**New videos: until the first job** (aims for 10,000: 15 s, 500 MB)\n")
    print("| | seconds | peak memory |\n|---|---|---|")
    some, many = library(number), library(MANY)
    for name, folder, config in (
        (f"{number:,} videos, one graph", some, ALL_IN_ONE),
        (f"{number:,} videos, shares of 200", some, IN_SHARES),
        (f"{MANY:,} videos, shares of 200", many, IN_SHARES),
    ):
        seconds, peak = first_job(folder, config)
        print(f"| {name} | {seconds:.1f} | {peak / 1e6:.0f} MB |", flush=True)
    print(f"\n**{number:,} videos, the scene stages, two cores** (aim: at most 1.05 x)\n")
    print("| | seconds | CPU seconds | peak memory |\n|---|---|---|---|")
    floor = 0.0
    for name, config in (("one graph", ALL_IN_ONE), ("shares of 200", IN_SHARES)):
        seconds, cpu, peak = whole(some, config)
        floor = floor or seconds
        shown = f"{seconds:.0f} ({seconds / floor:.2f} x)"
        print(f"| {name} | {shown} | {cpu:.0f} | {peak / 1e6:.0f} MB |", flush=True)


if __name__ == "__main__":
    main()
