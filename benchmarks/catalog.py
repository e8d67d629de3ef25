"""What the catalog of 10,000 films costs: made, brought up to date, looked at, and its size.

    python benchmarks/catalog.py [FILMS]

The films are synthetic: their artifacts alone, each with 100 segments of speech of 15 words and 60
described scenes, in an invented language whose words are as frequent as a language's are. Each
line is a process of its own that imports what it needs, as a run and `reel catalog` do.
"""

import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from measure import ROOT, WORK

sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts")]

FOLDER = WORK / "catalog"
FILMS = 10_000
SEGMENTS, SCENES, WORDS = 100, 60, 15
CHANGED = 50

STEP = """
import json, resource, sys, time
from pathlib import Path
began = time.perf_counter()
from reelmake.catalog import updating
made = {step}
taken = time.perf_counter() - began
found = [taken]
for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
    used = resource.getrusage(who)
    found += [used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]
print(json.dumps(found))
"""


def make(numbers: range) -> None:
    """Films, if they are not there."""
    from make_moments import make_film

    for number in numbers:
        results = FOLDER / "results" / f"film{number:05}"
        if not (results / "manifest.json").exists():
            make_film(results, SEGMENTS, SCENES, WORDS, seed=number)


def step(what: str) -> list[float]:
    """Seconds of a step; of the process, and of the one beside it, seconds of CPU and peak memory
    (MB)."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
    command = [sys.executable, "-c", STEP.replace("{step}", what)]
    done = subprocess.run(
        command, cwd=FOLDER, env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def sizes(path: Path) -> dict[str, int]:
    """Bytes of each part of the catalog, largest first; empty where SQLite can't tell."""
    import sqlite3

    db = sqlite3.connect(path)
    try:
        return dict(
            db.execute("SELECT name, sum(pgsize) AS size FROM dbstat GROUP BY name ORDER BY 2 DESC")
        )
    except sqlite3.Error:
        return {}


def main(films: int) -> None:
    """Print the tables."""
    began = time.perf_counter()
    shutil.rmtree(FOLDER / "results" / "new", ignore_errors=True)
    with concurrent.futures.ProcessPoolExecutor() as pool:
        parts = [range(start, min(start + 100, films)) for start in range(0, films, 100)]
        list(pool.map(make, parts))
    for spare in sorted((FOLDER / "results").glob("film*"))[films:]:
        shutil.rmtree(spare)
    print(f"{films:,} films made in {time.perf_counter() - began:.0f} s")
    catalog = FOLDER / "results" / "catalog.db"
    update = "updating.update(Path('results'))"
    rows = {"made anew": step("updating.update(Path('results'), rebuild=True)")}
    size = catalog.stat().st_size
    rows["nothing has changed (what a run with nothing to do asks)"] = step(
        "updating.is_current(Path('results'))"
    )
    from make_moments import make_film

    make_film(FOLDER / "results" / "new", SEGMENTS, SCENES, WORDS, seed=films)
    rows["one new film"] = step(update)
    for number in range(CHANGED):
        place = number * films // CHANGED
        make_film(FOLDER / "results" / f"film{place:05}", SEGMENTS, SCENES, WORDS, seed=-number)
    rows[f"{CHANGED} films have changed"] = step(update)
    shutil.rmtree(FOLDER / "results" / "new")
    rows["one film is gone"] = step(update)
    print(f"\n**The catalog of {films:,} films** (aims for 10,000: made in <= 180 s, nothing")
    print("changed <= 0.3 s, one new film <= 1 s)\n")
    print("| | seconds | of CPU | peak memory, MB | of CPU, the process that reads | its memory |")
    print("|---|---|---|---|---|---|")
    for name, (seconds, *used) in rows.items():
        print(f"| {name} | {seconds:.2f} | " + "{:.2f} | {:.0f} | {:.2f} | {:.0f} |".format(*used))
    print(f"\n{size / 1e6:,.0f} MB, of which:\n")
    for name, part in list(sizes(catalog).items())[:12]:
        print(f"- {name}: {part / 1e6:,.0f} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else FILMS)
