"""Scene detection beside a bare decode and beside PySceneDetect's own command line.

python benchmarks/scenes.py
"""

import sys

from measure import ROOT, WORK, command, in_turns, table

sys.path.insert(0, str(ROOT / "scripts"))

from reelmake.library import config
from reelmake.media import ffmpeg, probing, scenes

FLOOR = "ffmpeg decode (-f null)"
SECONDS = 30
FILM = WORK / "1080p.mp4"


def make_film() -> None:
    """30 s of 1080p H.264: moving test pictures and fractals with film grain, cut every 3 s."""
    if FILM.exists():
        return
    WORK.mkdir(parents=True, exist_ok=True)
    sources = ("testsrc2", "mandelbrot", "cellauto", "life=ratio=0.3", "gradients=speed=0.1")
    inputs, parts = [], []
    for number in range(SECONDS // 3):
        source = sources[number % len(sources)]
        glue = ":" if "=" in source else "="
        inputs += ["-f", "lavfi", "-t", "3", "-i", f"{source}{glue}s=1920x1080:r=30"]
        parts.append(
            f"[{number}:v]format=yuv420p,hue=h={number * 40},noise=alls=6:allf=t[v{number}]"
        )
    joined = "".join(f"[v{number}]" for number in range(len(parts)))
    graph = ";".join([*parts, f"{joined}concat=n={len(parts)}:v=1[v]"])
    command(
        ffmpeg.binary(None), "-v", "error", "-y", *inputs, "-filter_complex", graph,
        "-map", "[v]", "-c:v", "libx264", "-preset", "fast", "-crf", "23", FILM,
    )()  # fmt: skip


def main() -> None:
    """Print the table."""
    make_film()
    binary = ffmpeg.binary(None)
    facts = probing.probe(FILM)
    settings = config.load({})["scenes"]
    found = {}

    def reelmake() -> None:
        found["scenes"] = scenes.detect(FILM, facts, settings, binary, threads=2)["scenes"]

    times = in_turns(
        {
            FLOOR: command(binary, "-v", "error", "-i", FILM, "-f", "null", "-"),
            "reelmake detect_scenes": reelmake,
            "PySceneDetect's command line": command(
                sys.executable, "-m", "scenedetect", "-q", "-i", FILM, "-o", WORK,
                "detect-adaptive", "-t", "3.5", "-f", "3", "-m", "0.6s", "list-scenes", "-n",
            ),
        },
        rounds=3,
    )  # fmt: skip
    cuts = len(found["scenes"])
    title = f"Scene detection: {SECONDS} s of 1080p H.264, {cuts} scenes found (aim: <= 1.2)"
    table(title, times, beside=FLOOR)


if __name__ == "__main__":
    main()
