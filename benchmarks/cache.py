"""The artifact cache beside diskcache and plain files, which verify nothing.

    python benchmarks/cache.py

The payloads are bytes that don't shrink. Each get reads all of it into memory. The operating
system has the files cached, so this is what the software costs, not the disk; but all of ours is
flushed to the disk before it counts as put, where it is larger than 100 KB.
"""

import hashlib
import random
import shutil
import statistics
import sys
import time
from collections.abc import Callable

import diskcache
import warm
from measure import ROOT, WORK

sys.path.insert(0, str(ROOT / "scripts"))

from reelmake.cache.artifact_cache import Cache

SIZES = {"2 KB": (2_000, 300), "50 KB": (50_000, 100), "1 MB": (1_000_000, 20)}
SIZES |= {"100 MB": (100_000_000, 1)}
ROUNDS = 7
FOLDER = WORK / "cache"


def contenders(payload: bytes) -> dict[str, tuple[Callable, Callable, Callable]]:
    """Name -> (put(key), get(key), close())."""
    made = FOLDER / "made"
    made.write_bytes(payload)
    plain = FOLDER / "plain"
    plain.mkdir()
    ours = Cache(FOLDER / "reelmake")
    other = diskcache.Cache(str(FOLDER / "diskcache"), size_limit=10**10)
    return {
        "reelmake": (
            lambda key: ours.put(key, "transcript", 1, {"transcript.json": made}, 1.0),
            lambda key: ours.get(key)["transcript.json"],
            ours.close,
        ),
        "diskcache": (lambda key: other.set(key, made.read_bytes()), other.get, other.close),
        "plain files": (
            lambda key: (plain / key).write_bytes(made.read_bytes()),
            lambda key: (plain / key).read_bytes(),
            lambda: None,
        ),
    }


def measure(size: int, number: int) -> dict[str, dict[str, float]]:
    """operation -> contender -> the median over the rounds of the seconds that one takes."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    payload = random.Random(size).randbytes(size)
    competing = contenders(payload)
    keys = [hashlib.sha256(str(count).encode()).hexdigest() for count in range(number)]
    times: dict[str, dict[str, list[float]]] = {"put": {}, "get": {}}
    for turn in range(ROUNDS):
        for operation in times:
            for name, (put, get, _) in competing.items():
                start = time.perf_counter()
                for key in keys:
                    found = put(key) if operation == "put" else get(key)
                taken = (time.perf_counter() - start) / number
                if operation == "get" and found != payload:
                    raise RuntimeError(f"{name} gives something else back")
                if turn or ROUNDS == 1:  # the first fills the folders
                    times[operation].setdefault(name, []).append(taken)
    for _, _, close in competing.values():
        close()
    shutil.rmtree(FOLDER)
    return {
        operation: {name: statistics.median(taken) for name, taken in by_name.items()}
        for operation, by_name in times.items()
    }


def show(seconds: float, size: int) -> str:
    """Latency, and throughput where it says more."""
    latency = f"{seconds * 1e6:,.0f} µs" if seconds < 1e-2 else f"{seconds * 1e3:,.0f} ms"
    return latency if size < 1_000_000 else f"{latency} ({size / 1e6 / seconds:,.0f} MB/s)"


def main() -> None:
    """Print the table."""
    print("\n**The artifact cache, each read verified (aim: get at 2 KB <= 2 x diskcache)**\n")
    print("| payload | operation | reelmake | diskcache | plain files | reelmake / diskcache |")
    print("|---|---|---|---|---|---|")
    for label, (size, number) in SIZES.items():
        for operation, times in measure(size, number).items():
            columns = " | ".join(show(seconds, size) for seconds in times.values())
            ratio = times["reelmake"] / times["diskcache"]
            print(f"| {label} | {operation} | {columns} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
    warm.main()
