"""Wall times of commands, taken in turns so that a busy moment hits every contender."""

import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "benchmarks" / "work"


def in_turns(contenders: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median wall time (s) of each contender over `rounds`, one of each a round."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            start = time.perf_counter()
            contender()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(taken) for name, taken in times.items()}


def command(*args: object, cwd: Path | None = None) -> Callable[[], object]:
    """A contender that runs a command, quietly; it must succeed."""

    def run() -> None:
        done = subprocess.run(
            [str(arg) for arg in args], cwd=cwd, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{args}: {done.stdout[-2000:]}{done.stderr[-2000:]}")

    return run


def table(title: str, times: dict[str, float], beside: str) -> None:
    """Print the times as a markdown table, each as a ratio to the contender `beside`."""
    print(f"\n**{title}**\n\n| what | seconds | ratio |\n|---|---|---|")
    for name, seconds in times.items():
        print(f"| {name} | {seconds:.2f} | {seconds / times[beside]:.2f} |")
