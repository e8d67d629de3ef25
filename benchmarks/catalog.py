"""What the catalog of 10,000 films costs: made, brought up to date, looked at, and its size.

    python benchmarks/catalog.py [FILMS]

The films are synthetic: their artifacts alone, each with 100 segments of speech of 15 words and 60
described scenes, in an invented language whose words are as frequent as a language's are, by two of
300 people, who have names in a tenth of the films. Each line is a process of its own that imports
what it needs, as a run and `reel catalog` do.
"""

import concurrent.futures
import json
import os
import random
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
PEOPLE, NAMED, PRINT = 300, 10, 256
"""One film in so many has names; the numbers of a voice print."""
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


def film(name: str, seed: int) -> None:
    """Make a film."""
    from make_moments import make_film

    who = random.Random(seed).sample(range(PEOPLE), 2)
    names = {f"S{n}": f"Person {each}" for n, each in enumerate(who, 1)}
    prints = tuple(voice(each, seed) for each in who)
    given = {"names": {} if seed % NAMED else names, "prints": prints}
    make_film(FOLDER / "results" / name, SEGMENTS, SCENES, WORDS, seed=seed, **given)


def voice(person: int, seed: int) -> list[float]:
    """The voice print that a person has in a film."""
    own, noise = random.Random(person), random.Random(seed)
    numbers = [own.gauss(0, 1) + 0.5 * noise.gauss(0, 1) for _ in range(PRINT)]
    length = sum(number * number for number in numbers) ** 0.5
    return [number / length for number in numbers]


def make(numbers: range) -> None:
    """Films, if they are not there."""
    for number in numbers:
        if not (FOLDER / "results" / f"film{number:05}" / "manifest.json").exists():
            film(f"film{number:05}", number)


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
    film("new", films + 1)
    rows["one new film"] = step(update)
    for number in range(CHANGED):
        film(f"film{number * films // CHANGED:05}", -number)
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
