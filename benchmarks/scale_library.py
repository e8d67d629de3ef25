"""What scale.py measures: a library of finished videos, with a Makefile of the same graph.

    python benchmarks/scale_library.py FOLDER NUMBER

It is a program of its own because it grows, and scale.py has to stay small.
"""

import json
import os
import shutil
import sys
from pathlib import Path

from measure import ROOT

sys.path.insert(0, str(ROOT / "demo" / "training"))
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "scripts"))

from make_library import ENDED, make_library
from make_video import make_video, random_story
from reelmake.catalog import updating
from reelmake.library.stages import STAGES, artifact_paths

CONFIG = {"videos": "videos", "cache": {"dir": "cache"}}


def makefile(finished: list[str]) -> str:
    """For GNU make: `all` are the finished videos, `more` is one more, `new`.

    Each recipe only touches, and says in the file `began` when it did.
    """
    sidecars = os.listdir(Path("results", finished[0], "fingerprints"))
    stages = [stage for stage in STAGES.values() if f"{stage.name}.json" in sidecars]
    # Make's built-in rules are tried for each file: 51 s instead of 1.3 s for 10,000 videos.
    lines = ["MAKEFLAGS += --no-builtin-rules"]
    for video in [*finished, "new"]:
        folder = f"results/{video}"
        for stage in stages:
            made = " ".join(f"{folder}/{path}".rstrip("/") for path in artifact_paths(stage, video))
            read = [
                f"{folder}/{path}".rstrip("/")
                for other in stages
                if other.name in stage.upstream
                for path in artifact_paths(other, video)
            ]
            read = read or [f"videos/{finished[0] if video == 'new' else video}.mp4"]
            lines += [
                f"{made} &: {' '.join(read)} {folder}/fingerprints/{stage.name}.json",
                f"\t@date +%s.%N >> began; touch {made}",
            ]
            if stage.temporary:
                lines.append(f".INTERMEDIATE: {made}")
    sidecars = " ".join(f"results/new/fingerprints/{name}" for name in sidecars)
    lines += [
        f"{sidecars} &:",
        f"\t@date +%s.%N >> began; mkdir -p results/new/fingerprints; touch {sidecars}",
        "all: " + " ".join(f"results/{video}/manifest.json" for video in finished),
        "more: all results/new/manifest.json",
    ]
    return "".join(f"{line}\n" for line in lines)


def main(folder: Path, number: int) -> None:
    """Make it, and beside it a short film that is to be the new one."""
    film = folder.parent / "new.mp4"
    make_video(film.absolute(), *random_story(seed=1, seconds=4), 320, 180)
    os.utime(film, (ENDED, ENDED))  # what is written right now would be looked at twice
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.chdir(folder)
    make_library(number, CONFIG)
    Path("library.yaml").write_text(json.dumps(CONFIG))  # JSON is YAML, too
    Path("Makefile").write_text(makefile(sorted(os.listdir("results"))))
    updating.update(Path("results"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
