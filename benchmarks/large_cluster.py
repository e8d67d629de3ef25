"""10,000 films on 50 nodes, on paper: jobs, polls, file operations on the shared disk, wall time.

    python benchmarks/large_cluster.py

What a run does to a file system is counted here (strace), over one and over three short films with
every stage; what follows for 50 nodes is computed from that. A film is taken to need 70 s of a
node, as in a run over 522 films that took 10 hours, with lengths as libraries have them
(log-normal, sigma 1), and a job to wait a minute until its node begins. No such cluster was run.
"""

import heapq
import re
import shutil
import subprocess
import sys
from collections import Counter

import numpy as np
from measure import ROOT, WORK

sys.path.insert(0, str(ROOT / "demo" / "training"))

from make_video import make_video, random_story

FOLDER = WORK / "large_cluster"
FILMS, NODES = 10_000, 50
SECONDS, SIGMA = 70.0, 1.0
"""What a film takes on a node, on average, and how much that varies."""
WAIT = 60.0
"""Seconds from the end of a job to the start of the next one on its node."""
POLL = 20.0
"""Seconds between two questions for the state of jobs."""

PLACES = {"the library": "", "reelmake": str(ROOT), "Python and packages": sys.prefix}
"""Where files lie that a run asks for; a path that begins with none of them is the machine's own.
Relative ones are the library's."""


def count(films: int) -> Counter:
    """File operations of a run over so many films, by where they go."""
    folder = FOLDER / str(films)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "videos").mkdir(parents=True)
    (folder / "models").symlink_to(ROOT / "demo" / "models")
    for number in range(films):
        story = random_story(seed=number, seconds=10)
        make_video(folder / "videos" / f"{number}.mp4", *story, 320, 180)
    trace = FOLDER / f"trace.{films}"
    command = [
        *("strace", "-f", "-qq", "-y", "-e", "trace=%file,getdents64", "-o", trace),
        *(sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"),
        *("--configfile", ROOT / "demo" / "config.yaml", "--cores", "2", "--config"),
        *("videos=videos", "cache=false", "min_free=1 MB", "settle_seconds=0"),
    ]
    done = subprocess.run(
        list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    found: Counter = Counter()
    places = PLACES | {"the library": str(folder.resolve())}
    with trace.open(errors="replace") as lines:
        for line in lines:
            if place := _place(line, places):
                found[place] += 1
    return found


def _place(line: str, places: dict[str, str]) -> str | None:
    """Where a system call goes; None for what is none, or goes to the machine's own files."""
    call = re.search(r'(\w+)\((?:(AT_FDCWD|\d+)<([^>]*)>(?:, )?)?(?:"((?:[^"\\]|\\.)*)")?', line)
    if call is None or call[1].startswith("exit"):
        return None
    base, path = call[3] or "", call[4]
    full = base if not path else path if path.startswith("/") else f"{base}/{path}"
    if path and not path.startswith("/") and not base:
        return "the library"
    # The library lies below the checkout here: the longest that fits.
    fits = [(len(root), name) for name, root in places.items() if full.startswith(root)]
    return max(fits)[1] if fits else None


def simulate(each: np.ndarray, films: int) -> tuple[int, float]:
    """Shares of so many films on all nodes: how many, and hours until all are done.

    each: seconds that each film takes a node.
    """
    shares = [each[start : start + films].sum() for start in range(0, len(each), films)]
    free = [0.0] * NODES
    for seconds in shares:
        heapq.heappush(free, heapq.heappop(free) + WAIT + seconds)
    return len(shares), max(free) / 3600


def main() -> None:
    """Print the tables."""
    if shutil.which("strace") is None:
        raise SystemExit("strace is missing (Debian: apt-get install strace)")
    FOLDER.mkdir(parents=True, exist_ok=True)
    one, three = count(1), count(3)
    film = {place: (three[place] - one[place]) / 2 for place in PLACES}
    # In its graph Snakemake asks more for each film, the more there are.
    start = {place: max(0.0, one[place] - film[place]) for place in PLACES}
    print("\n**File operations** (open, stat, rename, readdir, …)\n")
    print("| in | a share's start | a film, every stage |\n|---|---|---|")
    for place in PLACES:
        print(f"| {place} | {start[place]:,.0f} | {film[place]:,.0f} |", flush=True)
    random = np.random.default_rng(1)
    each = random.lognormal(np.log(SECONDS) - SIGMA**2 / 2, SIGMA, FILMS)
    perfect = each.sum() / NODES / 3600
    everywhere, its_own = sum(start.values()), start["the library"]
    print(f"\n**{FILMS:,} films on {NODES} nodes** (without any loss: {perfect:.2f} h)\n")
    print(
        "| films a share | jobs | minutes a job | hours | states asked a second, slurm / "
        "cluster-generic | file operations a second on the shared disk, packages there / on nodes |"
    )
    print("|---|---|---|---|---|---|")
    for films in (200, 100, 50, 25, 10, 1):
        jobs, hours = simulate(each, films)
        at_work = film["the library"] * FILMS
        rates = [
            (at_work + jobs * begun + extra * FILMS) / (hours * 3600)
            for begun, extra in (
                (everywhere, film["reelmake"] + film["Python and packages"]),
                (its_own, 0.0),
            )
        ]
        print(
            f"| {films} | {jobs:,} | {films * SECONDS / 60:.0f} | {hours:.2f} | "
            f"{1 / POLL:.2f} / {min(jobs, NODES) / POLL:.1f} | {rates[0]:,.0f} / {rates[1]:,.0f} |"
        )


if __name__ == "__main__":
    main()
