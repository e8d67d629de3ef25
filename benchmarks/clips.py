"""Cutting highlights beside one bare ffmpeg call a clip, with and without seeking.

python benchmarks/clips.py
"""

import shutil
import sys
import time

from measure import ROOT, WORK, command, in_turns, table

sys.path.insert(0, str(ROOT / "scripts"))

from reelmake import clips, config, ffmpeg, media

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
    facts = media.probe(FILM)
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

    def reelmake(which: list[dict]) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        clips.cut_all(FILM, facts, which, {"segments": []}, [], settings, folder, binary)

    def bare(which: list[dict], seek: bool) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for clip in which:
            place = ("-ss", clip["start"])
            command(
                binary, "-v", "error", *(place if seek else ()), "-i", FILM,
                *(() if seek else place), "-t", LENGTH, *encoder, folder / f"{clip['id']}.mp4",
            )()  # fmt: skip

    seeking, decoding = "ffmpeg -ss before -i", "ffmpeg -ss after -i"
    times = in_turns(
        {seeking: lambda: bare(chosen, True), "reelmake cut_clips": lambda: reelmake(chosen)},
        rounds=2,
    )
    what = f"{COUNT} clips of {LENGTH:.0f} s from {SECONDS // 60} min of 1080p H.264 ({PRESET})"
    table(f"{what} (aim: <= 1.1)", times, beside=seeking)
    sample = [chosen[number] for number in SAMPLE]
    times = in_turns(
        {
            seeking: lambda: bare(sample, True),
            "reelmake cut_clips": lambda: reelmake(sample),
            decoding: lambda: bare(sample, False),
        },
        rounds=1,
    )
    table(f"A sample of {len(sample)} of them, spread over the film", times, beside=seeking)


if __name__ == "__main__":
    start = time.perf_counter()
    main()
    print(f"\n{time.perf_counter() - start:.0f} s in all")
