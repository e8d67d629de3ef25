"""Cutting highlights beside one bare ffmpeg call a clip, with and without seeking.

python benchmarks/clips.py
"""

import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable

from measure import ROOT, WORK, command, in_turns, table

sys.path.insert(0, str(ROOT / "scripts"))

from reelmake.library import config
from reelmake.media import clips, ffmpeg, probing

FILM = WORK / "10 min 1080p.mp4"
SECONDS = 600
LENGTH = 10.0
COUNT = 20
PRESET = "ultrafast"
SAMPLE = (2, 10, 17)
"""Which clips are also cut by decoding from the start: it would take long for all."""


def make_film() -> None:
    """10 minutes of 1080p H.264 with sound and a key frame every 250 frames at least: 30 s of
    moving test pictures with grain, 20 times."""
    if FILM.exists():
        return
    WORK.mkdir(parents=True, exist_ok=True)
    part = WORK / "30 s 1080p.mp4"
    binary = ffmpeg.binary(None)
    command(
        binary, "-v", "error", "-y", "-f", "lavfi",
        "-i", "testsrc2=s=1920x1080:r=25:d=30,format=yuv420p,noise=alls=6:allf=t",
        "-f", "lavfi", "-i", "anoisesrc=d=30:a=0.1:c=pink:seed=1,aformat=channel_layouts=stereo",
        "-c:v", "libx264", "-preset", "veryfast", "-crf", "26", "-g", "250",
        "-c:a", "aac", "-b:a", "160k", "-shortest", part,
    )()  # fmt: skip
    command(
        binary, "-v", "error", "-y", "-stream_loop", SECONDS // 30 - 1, "-i", part,
        "-c", "copy", FILM,
    )()  # fmt: skip
    part.unlink()


def main() -> None:
    """Print the tables."""
    make_film()
    binary = ffmpeg.binary(None)
    facts = probing.probe(FILM)
    settings = config.load({"clips": {"preset": PRESET}})["clips"]
    # Anywhere in the groups of pictures.
    starts = [
        round(5 + number * (SECONDS - 30) / COUNT + number * 0.37, 2) for number in range(COUNT)
    ]
    chosen = [
        {"id": number, "start": start, "end": start + LENGTH, "score": 5, "reason": "", "text": ""}
        for number, start in enumerate(starts)
    ]
    encoder = (
        *("-c:v", "libx264", "-crf", settings["crf"], "-preset", PRESET, "-pix_fmt", "yuv420p"),
        *("-c:a", "aac", "-b:a", "160k", "-movflags", "+faststart"),
    )
    folder = WORK / "clips"

    def reelmake(clip: dict) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        clips.cut_all(FILM, facts, [clip], {"segments": []}, [], settings, folder, binary)

    def bare(clip: dict, seek: bool) -> None:
        place = ("-ss", clip["start"])
        command(
            binary, "-v", "error", "-y", *(place if seek else ()), "-i", FILM,
            *(() if seek else place), "-t", LENGTH, *encoder, WORK / "bare.mp4",
        )()  # fmt: skip

    seeking, ours, decoding = "ffmpeg -ss before -i", "reelmake cut_clips", "ffmpeg -ss after -i"
    wall, cpu, sample = Counter[str](), Counter[str](), Counter[str]()
    for number, clip in enumerate(chosen):
        contenders = {
            seeking: lambda clip=clip: bare(clip, True),
            ours: lambda clip=clip: reelmake(clip),
        }
        if number in SAMPLE:
            contenders[decoding] = lambda clip=clip: bare(clip, False)
        # A turn a clip, so that a busy moment hits every contender.
        used = {name: cpu_time(contender, cpu, name) for name, contender in contenders.items()}
        for name, seconds in in_turns(used, rounds=1).items():
            if number in SAMPLE:
                sample[name] += seconds
            if name != decoding:
                wall[name] += seconds
    what = f"{COUNT} clips of {LENGTH:.0f} s from {SECONDS // 60} min of 1080p H.264 ({PRESET})"
    table(f"{what} (aim: <= 1.1)", wall, beside=seeking)
    table("The same, CPU time", {name: cpu[name] for name in wall}, beside=seeking)
    table(f"{len(SAMPLE)} of them, spread over the film", sample, beside=seeking)


def cpu_time(
    contender: Callable[[], object], total: Counter[str], name: str
) -> Callable[[], object]:
    """The contender, whose CPU time (s), its processes' included, is added to `total[name]`."""

    def run() -> None:
        before = os.times()
        contender()
        total[name] += sum(os.times()[:4]) - sum(before[:4])

    return run


if __name__ == "__main__":
    main()
