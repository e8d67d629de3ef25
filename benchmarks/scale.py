"""What the size of a library costs: 1, 522 and 10,000 finished videos, and one new one.

    python benchmarks/scale.py [NUMBER …]

Each beside the floor, an empty Snakefile in the same environment, and beside GNU make on the
same graph: a Makefile with the same files, its fingerprints and its artifacts, whose recipes only
touch them. The videos and artifacts are small, all else is real, but Snakemake's own metadata is
missing, which `prune: false` would read in addition. With 10,000 videos that takes minutes and is
left out. Numbers in brackets are multiples of the floor; memory is the largest of one process.

This process stays small, since the peak of what it starts is counted from its own size upwards.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from measure import ROOT, WORK

sys.path.insert(0, str(ROOT / "scripts"))

from reelmake.library import config

FOLDER = WORK / "scale"
NUMBERS = (1, 522, 10_000)
ROUNDS = 5
FLOOR = "(the floor)"
NOTHING, BARE = "nothing to do", "nothing to do, without the catalog"
STATUS = "`reel status --json`"
SLOW = 1_000
"""From so many videos on `prune: false` is left out."""

BIN = Path(sys.executable).parent
SNAKEMAKE = (BIN / "snakemake", "--cores", 2)
OURS = (*SNAKEMAKE, "--snakefile", ROOT / "Snakefile", "--configfile", "library.yaml")
WITHOUT_CATALOG = json.dumps([name for name in config.default("stages") if name != "catalog"])
SHORTCUT = Path(".snakemake", "reelmake.finished.json")

ONE_JOB = """
rule all:
    input: "made"
rule one:
    output: "made"
    script: "one.py"
"""


class Sample(NamedTuple):
    """Wall time in seconds, and the peak memory in bytes of the largest process."""

    seconds: float
    peak: int


Contender = Callable[[], Sample | None]
Measured = dict[str, list[Sample | None]]


def run(*args: object, cwd: Path) -> Sample:
    """Run a command quietly; it must succeed."""
    said = cwd / "said"
    with said.open("w") as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            [str(arg) for arg in args], cwd=cwd, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - start
    if process.returncode:
        raise RuntimeError(f"{args}: {said.read_text()[-2000:]}")
    return Sample(seconds, usage.ru_maxrss * 1024)


def noop(library: Path, *more: object, shortcut: bool = True) -> Sample:
    """Nothing to do."""
    if not shortcut:
        (library / SHORTCUT).unlink()
    sample = run(*OURS, *more, cwd=library)
    if "Nothing to be done" not in (library / "said").read_text():
        raise RuntimeError("there was something to do")
    return sample


def noop_of_all(library: Path) -> Sample:
    """Nothing to do, found out by Snakemake alone."""
    # The catalog's rule ran for other films, or not at all: it runs once more.
    run(*OURS, "--config", "prune=false", cwd=library)
    return noop(library, "--config", "prune=false")


def first_job(library: Path) -> Sample:
    """Until the first job of a new video starts; --until: so that the run ends there."""
    shutil.copy2(FOLDER / "new.mp4", library / "videos" / "new.mp4")
    began = time.time()
    sample = run(*OURS, "--until", "probe_media", cwd=library)
    record = json.loads((library / "results/new/jobs/media.json").read_bytes())
    (library / "videos" / "new.mp4").unlink()
    shutil.rmtree(library / "results" / "new")
    run(*OURS, cwd=library)  # takes it out of the catalog
    return Sample(record["started"] - began, sample.peak)


def first_job_of_one(folder: Path) -> Sample:
    """The floor of that: a Snakefile with one job, a script."""
    (folder / "made").unlink(missing_ok=True)
    began = time.time()
    sample = run(*SNAKEMAKE, cwd=folder)
    return Sample(float((folder / "made").read_text()) - began, sample.peak)


def first_job_of_make(library: Path) -> Sample:
    """The same of GNU make."""
    began = time.time()
    sample = run("make", "more", cwd=library)
    started = float((library / "began").read_text().split()[0])
    (library / "began").unlink()
    shutil.rmtree(library / "results" / "new")
    return Sample(started - began, sample.peak)


def status(library: Path) -> Sample | None:
    """`reel status`; None where there is no such command."""
    reel = (BIN / "python", "-m", "reelmake.reel", "status")
    os.environ["PYTHONPATH"] = str(ROOT / "scripts")
    try:
        run(*reel, "--help", cwd=library)
    except RuntimeError:
        return None
    return run(*reel, "--json", "--configfile", "library.yaml", cwd=library)


def contenders(library: Path, number: int) -> dict[str, Contender]:
    """What is measured of one library."""
    return {
        f"an empty Snakefile {FLOOR}": lambda: run(*SNAKEMAKE, cwd=FOLDER / "empty"),
        NOTHING: lambda: noop(library),
        BARE: lambda: noop(library, "--config", f"stages={WITHOUT_CATALOG}"),
        "nothing to do, without the shortcut": lambda: noop(library, shortcut=False),
        "nothing to do, `prune: false`": lambda: None if number > SLOW else noop_of_all(library),
        "nothing to do, GNU make": lambda: run("make", "all", cwd=library),
        STATUS: lambda: status(library),
        f"a Snakefile of one job: until it starts {FLOOR}": lambda: first_job_of_one(
            FOLDER / "one"
        ),
        "one new video: until its first job starts": lambda: first_job(library),
        "one new video: GNU make": lambda: first_job_of_make(library),
    }


def measured(number: int) -> Measured:
    """The samples of each contender, one a round; each round has all of them in turn."""
    library = FOLDER / str(number)
    maker = ROOT / "benchmarks" / "scale_library.py"
    subprocess.run([sys.executable, maker, library, str(number)], check=True)
    noop(library)  # writes the shortcut, as the first run after the last video does
    samples: Measured = {}
    for _ in range(ROUNDS):
        for name, contender in contenders(library, number).items():
            samples.setdefault(name, []).append(contender())
    return samples


def prepare() -> None:
    """The Snakefiles that are the floors."""
    for name, content in (("empty", "rule all:\n    input: 'Snakefile'\n"), ("one", ONE_JOB)):
        (FOLDER / name).mkdir(parents=True, exist_ok=True)
        (FOLDER / name / "Snakefile").write_text(content)
    script = "import time\nopen(snakemake.output[0], 'w').write(str(time.time()))\n"
    (FOLDER / "one" / "one.py").write_text(script)


def seconds(samples: list[Sample], floor: list[Sample]) -> str:
    """The median, and in brackets that of the ratios to the floor, round by round."""
    ratios = (one.seconds / other.seconds for one, other in zip(samples, floor, strict=True))
    middle = statistics.median(sample.seconds for sample in samples)
    return f"{middle:.2f} ({statistics.median(ratios):.2f})"


def megabytes(samples: list[Sample], floor: list[Sample]) -> str:
    """The median."""
    return f"{statistics.median(sample.peak for sample in samples) / 1e6:.0f}"


def table(title: str, found: dict[int, Measured], show: Callable[..., str]) -> None:
    """Print one column for each library."""
    print(f"\n**{title}**\n")
    print("| | " + " | ".join(f"{n:,} video{'s' * (n > 1)}" for n in found) + " |")
    print("|---|" + "---|" * len(found))
    floor = ""
    for name in next(iter(found.values())):
        floor = name if name.endswith(FLOOR) else floor
        cells = [
            "-" if None in samples[name] else show(samples[name], samples[floor])
            for samples in found.values()
        ]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def catalog_costs(samples: Measured) -> str:
    """Seconds that the catalog adds to a run with nothing to do: the median of the rounds."""
    pairs = zip(samples[NOTHING], samples[BARE], strict=True)
    return f"{statistics.median(one.seconds - other.seconds for one, other in pairs):.2f}"


def main() -> None:
    """Print the tables."""
    prepare()
    found = {number: measured(number) for number in map(int, sys.argv[1:] or NUMBERS)}
    aims = "nothing to do with 522 videos <= 1.2, with 10,000 <= 2; `reel status` <= 2 s"
    table(f"What a library's size costs: seconds, and x the floor (aims: {aims})", found, seconds)
    table("The same: peak memory in MB", found, megabytes)
    print("\nWhat the catalog adds where there is nothing to do (aim: 0.3 s), seconds: ", end="")
    print(", ".join(f"{n:,} videos {catalog_costs(samples)}" for n, samples in found.items()))
    if None in next(iter(found.values()))[STATUS]:
        print("\nThere is no command `reel status` yet.")


if __name__ == "__main__":
    main()
