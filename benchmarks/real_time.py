"""What it costs to hear and read a film: transcript, speakers and on-screen text, each as a share
of the film's length, and the memory that it takes.

    python benchmarks/real_time.py                      # with the demo's models
    python benchmarks/real_time.py --model ~/whisper    # with another speech model, a folder

The film is the demo's conversation, again and again: two voices, cuts, a title, captions. Each
stage is run by Snakemake, with one thread and one job at a time. RapidOCR's models are the real
ones; those of speakers are tiny, and those of speech unless a folder is given.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys

import yaml
from measure import ROOT, WORK

sys.path.insert(0, str(ROOT / "scripts"))

from reelmake.media import ffmpeg

FOLDER = WORK / "real_time"
FILM = ROOT / "demo" / "videos" / "conversation.mp4"
TARGETS = {"transcript": "transcripts", "speakers": "speakers", "onscreen": "onscreen"}
"""The stages, and the targets that ask for them: what comes before a stage is not counted."""


def make(minutes: float) -> float:
    """The film and the configuration; how long the film is, s."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    (FOLDER / "videos").mkdir(parents=True)
    times = round(minutes * 60 / 20)
    command = [ffmpeg.binary(), "-v", "error", "-stream_loop", str(times - 1), "-i", str(FILM)]
    subprocess.run([*command, "-c", "copy", str(FOLDER / "videos" / "film.mp4")], check=True)
    return times * 20.0


def configure(model: str | None) -> None:
    """The demo's configuration, with paths that hold here, one thread, and no cache."""
    given = yaml.safe_load((ROOT / "demo" / "config.yaml").read_text())
    given |= {"videos": "videos", "cache": False, "settle_seconds": 0}
    given["hardware"] = {"device": "cpu", "threads": 1}
    given["onscreen"] = {}  # as by default: keyframes alone
    given["transcription"]["model"] = model or str(ROOT / "demo" / "models" / "speech")
    for name in ("segmentation", "embedding"):
        path = ROOT / "demo" / "models" / "speakers" / f"{name}.onnx"
        given["speakers"][f"{name}_model"] = str(path)
    (FOLDER / "config.yaml").write_text(yaml.safe_dump(given))


def run(stage: str) -> tuple[float, float]:
    """Seconds that the stage's job took, and the peak memory (MB) of the largest process."""
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--snakefile", ROOT / "Snakefile"]
    with (FOLDER / "said").open("w") as said:
        process = subprocess.Popen(
            [*map(str, command), "--configfile", "config.yaml", "--", TARGETS[stage]],
            cwd=FOLDER,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError((FOLDER / "said").read_text()[-2000:])
    record = json.loads((FOLDER / "results" / "film" / "jobs" / f"{stage}.json").read_bytes())
    return record["ended"] - record["started"], usage.ru_maxrss / 1024


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=5, help="of film (default: 5)")
    parser.add_argument("--model", metavar="FOLDER", help="a speech model for CTranslate2")
    given = parser.parse_args()
    length = make(given.minutes)
    configure(given.model)
    found = {stage: run(stage) for stage in TARGETS}
    beside, _ = found["transcript"]
    print(f"\n**Hearing and reading {length / 60:.0f} minutes of film, one thread**\n")
    print("| stage | seconds | of the film's length | beside the transcript | memory, MB |")
    print("|---|---|---|---|---|")
    for stage, (seconds, memory) in found.items():
        ratios = f"{seconds / length:.3f} | {seconds / beside:.2f}"
        print(f"| `{stage}` | {seconds:.1f} | {ratios} | {memory:.0f} |")


if __name__ == "__main__":
    main()
