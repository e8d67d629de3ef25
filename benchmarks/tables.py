"""A table of 10,000 videos' highlights, beside reading the same files with json alone.

python benchmarks/tables.py
"""

import json
import tempfile
from pathlib import Path

import measure

from reelmake import tables

VIDEOS = 10_000
HIGHLIGHT = {"start": 13.4, "end": 21.4, "score": 8, "reason": "it is loud", "text": "a goal " * 20}


def main() -> None:
    """Make the library, read it both ways, print the table."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder, "results")
        for number in range(VIDEOS):
            video = results / f"film{number:05}"
            video.mkdir(parents=True)
            content = {"candidates": 20, "highlights": [{"id": n} | HIGHLIGHT for n in range(5)]}
            (video / "highlights.json").write_text(json.dumps(content))
        tables.highlights(results, ["film00000"])  # pandas is imported
        times = measure.in_turns(
            {
                "json.loads of every file": lambda: [
                    json.loads(path.read_bytes()) for path in results.glob("*/highlights.json")
                ],
                "tables.highlights": lambda: tables.highlights(results),
            },
            rounds=3,
        )
        measure.table(f"Highlights of {VIDEOS:,} videos", times, "json.loads of every file")


if __name__ == "__main__":
    main()
