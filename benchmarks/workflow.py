"""The whole workflow beside a plain script that calls the same engines one after the other.

    python benchmarks/workflow.py

Ten short videos on two cores. The plain script loads each model once and makes neither
fingerprints nor manifests; the workflow starts a process for each job, but uses both cores.
"""

import shutil
import sys

from measure import ROOT, WORK, command, in_turns, table

sys.path.insert(0, str(ROOT / "demo" / "training"))

from make_video import make_video, random_story

VIDEOS = 10
SECONDS = 20


def main() -> None:
    """Print the table."""
    videos = WORK / "ten"
    if not videos.exists():
        making = WORK / "ten.making"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        for number in range(VIDEOS):
            story = random_story(seed=100 + number, seconds=SECONDS)
            make_video(making / f"{number}.mp4", *story, 1280, 720)
        making.rename(videos)
    folder = WORK / "workflow"

    def workflow() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "models").symlink_to(ROOT / "demo" / "models")
        command(
            sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--cores", 2,
            "--configfile", ROOT / "demo" / "config.yaml", "--config", f"videos={videos}",
            "stages=[transcripts, scenes, descriptions]", cwd=folder,
        )()  # fmt: skip

    plain = "plain script, one process"
    times = in_turns(
        {
            plain: command(
                sys.executable, ROOT / "benchmarks" / "plain.py", videos, WORK / "plain"
            ),
            "snakemake --cores 2": workflow,
        },
        rounds=3,
    )
    table(f"{VIDEOS} videos of {SECONDS} s (720p), 2 cores (aim: <= 1.0)", times, beside=plain)


if __name__ == "__main__":
    main()
