"""Search by meaning at a million vectors of 384 dimensions, beside what one would use instead.

    python benchmarks/search_vectors.py [MOMENTS]

The vectors are synthetic: 20,000 directions that a few others are near to, in a space in which 64
directions have most of the variance, as those of sentences do. The catalog is that of
`benchmarks/search.py`. Queries are embedded already. Each contender answers the same ones in a
process of its own. sqlite-vec takes part where it and apsw are installed (in many builds
Python's own sqlite3 loads no extensions), also in another environment, whose Python
REELMAKE_SQLITE_VEC_PYTHON names.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import search as keywords
from measure import ROOT

sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts")]

DIMS = 384
MODEL = "a/model"
ASKED = 40
FOUND = 10
ROUNDS = 2


def vectors(count: int, seed: int) -> np.ndarray:
    """Unit vectors, float16 (count, DIMS)."""
    fixed, dice = np.random.default_rng(0), np.random.default_rng(seed)
    directions = fixed.standard_normal((64, DIMS), np.float32) / 8
    middles = fixed.standard_normal((20_000, 64), np.float32)
    inner = middles[dice.integers(0, 20_000, count)]
    inner += 0.6 * dice.standard_normal((count, 64), np.float32)
    made = inner @ directions + 0.3 * dice.standard_normal((count, DIMS), np.float32)
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float16)


def queries(results: Path) -> np.ndarray:
    """Unit vectors that lie a little beside those of some films."""
    return np.load(results / "queries.npy")


def build(moments: int) -> dict[str, float]:
    """Seconds that the vectors take to be read, all of them, and those of one film that changed."""
    from reelmake.catalog import vector_files
    from reelmake.library import film_vectors
    from reelmake.library.film_vectors import Vectors

    keywords.build(moments)
    results = keywords.FOLDER / str(moments) / "results"
    record = results / "vectors.json"
    if record.exists():
        return json.loads(record.read_text())
    films = [f"film{film:05}" for film in range(1, moments // keywords.PER_FILM + 1)]
    some = []
    for number, film in enumerate(films):
        made = vectors(keywords.PER_FILM, number + 1)
        some.append(made[:1])
        parts = []
        for kind, step, matrix in (("said", 9.0, made[:100]), ("described", 15.0, made[100:])):
            times = [n * step for n in range(len(matrix))]
            parts.append(Vectors(kind, MODEL, list(range(len(matrix))), times, times, matrix))
        (results / film).mkdir(exist_ok=True)
        film_vectors.write(results / film / film_vectors.NAME, parts)
    asked = np.concatenate(some)[:: max(1, len(some) // ASKED)][:ASKED].astype(np.float32)
    asked += 0.05 * np.random.default_rng(1).standard_normal(asked.shape, np.float32)
    np.save(results / "queries.npy", asked / np.linalg.norm(asked, axis=1, keepdims=True))
    vector_files.remove(results)
    began = time.perf_counter()
    vector_files.update(results, films)
    taken = {"all": time.perf_counter() - began}
    os.utime(results / films[0] / film_vectors.NAME)
    began = time.perf_counter()
    vector_files.update(results, films)
    taken["one"] = time.perf_counter() - began
    record.write_text(json.dumps(taken))
    return taken


def stored(results: Path):
    """The rows of all films."""
    from reelmake.catalog import vector_files

    index = vector_files.read(results)
    assert index is not None
    ((name, table),) = index.tables.items()
    return name, vector_files.opened(results, name, table)


class Reel:
    """`reelmake.catalog.nearest` on files that stay open, as in a server."""

    name = "reelmake: signs first (float16 on disk, mapped)"

    def __init__(self, results: Path):
        _, self.rows = stored(results)

    def ask(self, number: int, vector: np.ndarray) -> list[int]:
        """The numbers of the rows that are found."""
        from reelmake.catalog import nearest

        ranges = [(0, len(self.rows.rows))]
        return nearest.nearest(self.rows, vector, FOUND, ranges).rows.tolist()


class Hybrid:
    """Words and meaning, fused: the catalog is opened anew for each question, the vectors stay."""

    name = "reel search: words and meaning, fused"

    def __init__(self, results: Path):
        self.results = results
        self.key, _ = stored(results)
        self.words = list(keywords.QUERIES.values())

    def ask(self, number: int, vector: np.ndarray) -> None:
        """Nothing: what it finds are moments, not rows."""
        from reelmake.catalog.by_meaning import Nearest
        from reelmake.catalog.search import search

        words = self.words[number % len(self.words)]
        ranker = Nearest(self.results, self.key, vector, 0.0)
        search(self.results / "catalog.db", words, others=[ranker])


class Float16:
    """Every vector, in blocks that are made float32."""

    name = "numpy: all, float16 on disk, mapped"

    def __init__(self, results: Path):
        _, self.rows = stored(results)

    def ask(self, number: int, vector: np.ndarray) -> list[int]:
        """The same."""
        cosines = np.empty(len(self.rows.vectors), np.float32)
        for start in range(0, len(cosines), 16_384):
            block = self.rows.vectors[start : start + 16_384].astype(np.float32)
            cosines[start : start + 16_384] = block @ vector
        best = np.argpartition(-cosines, FOUND)[:FOUND]
        return best[np.argsort(-cosines[best])].tolist()


class Float32(Float16):
    """Every vector, in memory."""

    name = "numpy: all, float32 in memory"

    def __init__(self, results: Path):
        super().__init__(results)
        self.all = self.rows.vectors.astype(np.float32)

    def ask(self, number: int, vector: np.ndarray) -> list[int]:
        """The same."""
        cosines = self.all @ vector
        best = np.argpartition(-cosines, FOUND)[:FOUND]
        return best[np.argsort(-cosines[best])].tolist()


class SqliteVec:
    """sqlite-vec, its vectors as they are."""

    name = "sqlite-vec: all, float32"
    table = "CREATE VIRTUAL TABLE v USING vec0 (e float[384] distance_metric=cosine)"
    insert = "INSERT INTO v (rowid, e) VALUES (?, ?)"
    values = 1
    query = "SELECT rowid FROM v WHERE e MATCH ? AND k = 10 ORDER BY distance"

    def __init__(self, results: Path):
        import apsw
        import sqlite_vec

        path = results / f"{type(self).__name__}.db"
        record = path.with_suffix(".built")
        if not record.exists():
            path.unlink(missing_ok=True)
        self.db = apsw.Connection(str(path))
        self.db.enable_load_extension(True)
        self.db.load_extension(sqlite_vec.loadable_path())
        if not record.exists():
            rows = np.fromfile(next(results.glob("catalog.vectors.*.f16")), "<f2")
            rows = rows.reshape(-1, DIMS)
            began = time.perf_counter()
            self.db.execute(self.table)
            with self.db:
                for start in range(0, len(rows), 10_000):
                    block = rows[start : start + 10_000].astype(np.float32)
                    self.db.executemany(
                        self.insert,
                        (
                            (start + n, *[row.tobytes()] * self.values)
                            for n, row in enumerate(block)
                        ),
                    )
            record.write_text(str(time.perf_counter() - began))

    def ask(self, number: int, vector: np.ndarray) -> list[int]:
        """The same."""
        blob = vector.astype(np.float32).tobytes()
        return [row for (row,) in self.db.execute(self.query, (blob,) * self.query.count("?"))]


class SqliteVecBits(SqliteVec):
    """sqlite-vec, as its documentation has it for many vectors."""

    name = "sqlite-vec: signs first"
    table = "CREATE VIRTUAL TABLE v USING vec0 (b bit[384], e float[384])"
    insert = "INSERT INTO v (rowid, b, e) VALUES (?, vec_quantize_binary(?), ?)"
    values = 2
    query = (
        "WITH near AS (SELECT rowid, e FROM v WHERE b MATCH vec_quantize_binary(?) AND k = 1000)"
        " SELECT rowid FROM near ORDER BY vec_distance_cosine(e, ?) LIMIT 10"
    )


CONTENDERS = {
    each.__name__: each for each in (Reel, Hybrid, Float16, Float32, SqliteVec, SqliteVecBits)
}


def answer(name: str, results: Path) -> None:
    """In a process of its own: print what each query takes, what it finds, and the memory."""
    import resource

    contender = CONTENDERS[name](results)
    asked = queries(results)
    if name in ("Float16", "SqliteVec"):  # which take seconds each
        asked = asked[:10]
    contender.ask(0, asked[0])
    times, found = [], []
    for _ in range(ROUNDS):
        for number, vector in enumerate(asked):
            began = time.perf_counter()
            rows = contender.ask(number, vector)
            times.append((time.perf_counter() - began) * 1e3)
            if len(found) < len(asked):
                found.append(rows)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"times": times, "found": found, "peak": peak}))


def run(name: str, results: Path) -> dict | None:
    """What `answer` prints; None where the contender is not installed."""
    python = sys.executable
    if name.startswith("SqliteVec"):
        python = os.environ.get("REELMAKE_SQLITE_VEC_PYTHON", sys.executable)
    done = subprocess.run(
        [python, __file__, "--answer", name, str(results)], capture_output=True, text=True
    )
    if done.returncode and "No module named" in done.stderr and name.startswith("SqliteVec"):
        return None
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def main(moments: int) -> None:
    """Print the table."""
    taken, results = build(moments), keywords.FOLDER / str(moments) / "results"
    answered = {name: run(name, results) for name in CONTENDERS}
    right = answered["Float32"]["found"]
    print(
        f"\n**Search by meaning in {moments:,} vectors of {DIMS} dimensions** "
        "(aim: p50 <= 50 ms, words and meaning together)\n"
    )
    print("| | p50, ms | p95, ms | of the 10 nearest | peak memory, MB | built in, s |")
    print("|---|---|---|---|---|---|")
    for name, each in answered.items():
        if each is None:
            print(f"| {CONTENDERS[name].name} | not installed | | | | |")
            continue
        times = sorted(each["times"])
        p95 = times[min(len(times) - 1, int(len(times) * 0.95))]
        shares = [
            len(set(mine) & set(all_)) / len(all_)
            for mine, all_ in zip(each["found"], right, strict=False)
            if mine is not None
        ]
        share = f"{statistics.mean(shares):.3f}" if shares else ""
        built = results / f"{name}.built"
        made = f"{taken['all']:.0f}" if name == "Reel" else ""
        made = f"{float(built.read_text()):.0f}" if built.exists() else made
        label, median = CONTENDERS[name].name, statistics.median(times)
        print(f"| {label} | {median:.1f} | {p95:.1f} | {share} | {each['peak']:.0f} | {made} |")
    print(
        f"\nMemory counts what is mapped and was touched. A film that changed takes "
        f"{taken['one']:.2f} s.\n"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--answer"]:
        answer(sys.argv[2], Path(sys.argv[3]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else keywords.MOMENTS)
