"""`reel search` at a million moments, beside what one would use instead.

    python benchmarks/search.py [MOMENTS]

The moments are synthetic: sentences of 6 to 20 words of English, the most frequent of which make up
half of it as in any text, names beside them, and descriptions of pictures. They are written
to the catalog's tables directly. Each contender answers the same queries in a process of its own.
tantivy is a search engine like Lucene; it takes part where it is installed (pip install tantivy),
also in another environment, whose Python REELMAKE_TANTIVY_PYTHON names.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

from measure import ROOT, WORK

sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts")]

FOLDER = WORK / "search"
MOMENTS = 1_000_000
PER_FILM = 160
ROUNDS = 5

FREQUENT = """the of and to a in is you that it he was for on are with as i his they be at one have
this from or had by hot but some what there we can out other were all your when up use word how said
an each she which do their time if will way about many then them would write like so these her long
make thing see him two has look more day could go come did my sound no most number who over know
water than call first people may down side been now find any new work part take get place made live
where after back little only round man year came show every good me give our under name very through
just form much great think say help low line before turn cause same mean differ move right boy old
too does tell sentence set three want air well also play small end put home read hand port large
spell add even land here must big high such follow act why ask men change went light kind off need
house picture try us again animal point mother world near build self earth father"""

QUERIES = {
    "one rare name": "marzelonik",
    "two words": "mother house",
    "the crowd cheers": "the crowd cheers",
    "a phrase": '"in the house"',
    "common words alone": "the people",
    "the most common word": "the",
    "a part of a word": "elonik",
    "a beginning": "marze*",
    "without": "crowd -house",
    "nothing has all": "crowd marzelonik stadium",
    "not there at all": "qqzzxxy",
}


def rare_words(count: int) -> list[str]:
    """Invented words and names, of which a language has many more than frequent ones."""
    dice = random.Random(1)
    parts = [a + b + c for a in ("b", "br", "c", "ch", "d", "f", "g", "gl", "h", "j", "k", "l", "m",
             "n", "p", "pr", "r", "s", "st", "t", "tr", "v", "w", "z") for b in "aeiouy"
             for c in ("", "", "l", "n", "r", "ck", "m")]  # fmt: skip
    return list({"".join(dice.choices(parts, k=dice.randint(2, 4))) for _ in range(count)})


class Speaker:
    """Makes sentences whose words are as frequent as those of a language (Zipf)."""

    def __init__(self) -> None:
        from itertools import accumulate

        self.dice = random.Random(2)
        rare = rare_words(60_000)
        known = ["crowd", "cheers", "stadium", "ball", "child", "beach"]
        self.words = [*FREQUENT.split(), *known, *rare[:20_000], "marzelonik", *rare[20_000:]]
        self.weights = list(accumulate(1 / (rank + 2.7) for rank in range(len(self.words))))

    def sentences(self, count: int) -> list[str]:
        """That many sentences."""
        lengths = self.dice.choices(range(6, 21), k=count)
        words = iter(self.dice.choices(self.words, cum_weights=self.weights, k=sum(lengths)))
        return [" ".join(next(words) for _ in range(length)).capitalize() for length in lengths]


def build(moments: int) -> float:
    """The catalog, where it is not there yet: seconds that it took to fill its indexes."""
    from reelmake.catalog import database
    from reelmake.catalog.database import Database
    from reelmake.catalog.schema import columns

    path = FOLDER / str(moments) / "results" / "catalog.db"
    record = path.with_name("built.json")
    if record.exists():
        return float(json.loads(record.read_text()))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    speaker, db = Speaker(), Database.create(path)
    marks = ", ".join("?" * (1 + len(columns("films"))))
    rest = [None] * (len(columns("films")) - 3)
    with db.transaction():
        for film in range(1, moments // PER_FILM + 1):
            name = f"film{film:05}"
            values = (film, name, f"Film {film}", f"/films/{name}.mp4", *rest)
            db._db.execute(f"INSERT INTO films VALUES ({marks})", values)
            texts = speaker.sentences(PER_FILM)
            rows = [("title", None, 0.0, 960.0, f"Film {film}\n{name}.mp4")]
            rows += [("said", n, n * 9.0, n * 9.0 + 8, text) for n, text in enumerate(texts[:100])]
            rows += [
                ("seen", n, n * 15.0, n * 15.0 + 15, text) for n, text in enumerate(texts[100:])
            ]
            db._db.executemany(database._MOMENTS, ([film, *row, None, None] for row in rows))
    began = time.perf_counter()
    db.finish(wal=True)
    taken = time.perf_counter() - began
    record.write_text(json.dumps(taken))
    return taken


class Reel:
    """`reelmake.catalog.search`, opened anew for each question, as `reel search` does."""

    name = "reel search (both indexes, fused, with what is said and seen there)"

    def __init__(self, results: Path):
        self.path = results / "catalog.db"

    def ask(self, query: str) -> int:
        """How many moments are found, of 20 at most."""
        from reelmake.catalog.search import search

        return len(search(self.path, query).moments)


class Like:
    """A scan of all texts."""

    name = "LIKE '%…%' (each word)"

    def __init__(self, results: Path):
        from reelmake.catalog import database

        self.db = database.connect(results / "catalog.db")

    def ask(self, query: str) -> int:
        """The same."""
        words = [f"%{word}%" for word in query.replace('"', "").replace("*", "").split()]
        where = " AND ".join(["text LIKE ?"] * len(words))
        found = self.db.execute(f"SELECT id, text FROM moments WHERE {where} LIMIT 20", words)
        return len(found.fetchall())


class Fts5(Like):
    """The index of words alone, by bm25."""

    name = "FTS5, words, bm25"

    def ask(self, query: str) -> int:
        """The same."""
        query = query.replace(" -", " NOT ")
        found = self.db.execute(
            "SELECT moments.id, moments.text FROM moment_words JOIN moments"
            " ON moments.id = moment_words.rowid WHERE moment_words MATCH ? ORDER BY rank LIMIT 20",
            (query,),
        )
        return len(found.fetchall())


class Tantivy:
    """tantivy, by bm25."""

    name = "tantivy, words, bm25"

    def __init__(self, results: Path):
        import tantivy

        folder = results / "tantivy"
        schema = tantivy.SchemaBuilder()
        schema.add_integer_field("id", stored=True, indexed=True)
        schema.add_text_field("text", stored=True)
        built = schema.build()
        if not (folder / "built").exists():
            import sqlite3

            began = time.perf_counter()
            folder.mkdir(exist_ok=True)
            index = tantivy.Index(built, path=str(folder))
            writer = index.writer(200_000_000, 2)
            for id, text in sqlite3.connect(results / "catalog.db").execute(
                "SELECT id, text FROM moments"
            ):
                writer.add_document(tantivy.Document(id=id, text=text))
            writer.commit()
            writer.wait_merging_threads()
            (folder / "built").write_text(str(time.perf_counter() - began))
        self.index = tantivy.Index(built, path=str(folder))
        self.index.reload()

    def ask(self, query: str) -> int:
        """The same; tantivy wants a + before each word that has to be there."""
        import re

        pieces = re.findall(r'-?"[^"]*"|\S+', query)
        query = " ".join(piece if piece[0] == "-" else f"+{piece}" for piece in pieces)
        found = self.index.parse_query(query.replace("*", ""), ["text"])
        searcher = self.index.searcher()
        hits = searcher.search(found, 20).hits
        return len([searcher.doc(address) for _, address in hits])


CONTENDERS = {each.__name__: each for each in (Reel, Like, Fts5, Tantivy)}


def answer(name: str, results: Path) -> None:
    """In a process of its own: print what each query takes, and the memory."""
    import resource

    contender = CONTENDERS[name](results)
    times: dict[str, list[float]] = {}
    cpu: dict[str, list[float]] = {}
    counts = {}
    for _ in range(1 if name == "Like" else ROUNDS):
        for what, query in QUERIES.items():
            began, used = time.perf_counter(), time.process_time()
            counts[what] = contender.ask(query)
            cpu.setdefault(what, []).append((time.process_time() - used) * 1e3)
            times.setdefault(what, []).append((time.perf_counter() - began) * 1e3)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"times": times, "cpu": cpu, "counts": counts, "peak": peak}))


def run(name: str, results: Path) -> dict | None:
    """What `answer` prints; None where the contender is not installed."""
    python = os.environ.get("REELMAKE_TANTIVY_PYTHON", sys.executable)
    python = python if name == "Tantivy" else sys.executable
    done = subprocess.run(
        [python, __file__, "--answer", name, str(results)], capture_output=True, text=True
    )
    if done.returncode and "No module named 'tantivy'" in done.stderr:
        return None
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def main(moments: int) -> None:
    """Print the tables."""
    results = FOLDER / str(moments) / "results"
    built = {"Fts5": build(moments)}
    found = {}
    for name in CONTENDERS:
        answered = run(name, results)
        if answered is None:
            print("tantivy is not installed: it is left out")
        else:
            found[name] = answered
    if "Tantivy" in found:
        built["Tantivy"] = float((results / "tantivy" / "built").read_text())
    size = (results / "catalog.db").stat().st_size / 1e6
    print(f"\n**Search in {moments:,} moments** (a catalog of {size:,.0f} MB; aim: p50 <= 50 ms)\n")
    print("| | p50, ms | p95, ms | CPU, p50, ms | peak memory, MB | index built in, s |")
    print("|---|---|---|---|---|---|")
    for name, each in found.items():
        taken = sorted(ms for times in each["times"].values() for ms in times)
        p95 = taken[min(len(taken) - 1, int(len(taken) * 0.95))]
        made = f"{built[name]:.0f}" if name in built else ""
        median = statistics.median(taken)
        label = CONTENDERS[name].name
        cpu = statistics.median(ms for times in each["cpu"].values() for ms in times)
        print(f"| {label} | {median:.1f} | {p95:.1f} | {cpu:.1f} | {each['peak']:.0f} | {made} |")
    print("\nThe time of the words' index is that of both together. LIKE stops at 20, unordered.\n")
    print("| CPU ms, median (found, of 20) | " + " | ".join(found) + " |")
    print("|---" * (1 + len(found)) + "|")
    for what in QUERIES:
        cells = [
            f"{statistics.median(each['cpu'][what]):.1f} ({each['counts'][what]})"
            for each in found.values()
        ]
        print(f"| {what}: `{QUERIES[what]}` | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--answer"]:
        answer(sys.argv[2], Path(sys.argv[3]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else MOMENTS)
