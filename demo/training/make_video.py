"""Videos with spoken sentences over pictures of plain shapes, cut hard.

    python demo/training/make_video.py                    writes demo/videos/demo.mp4 and conversation.mp4
    python demo/training/make_video.py out.mp4 --seed 3   another one, of random content

The tests and the benchmarks make theirs with `make_video`.
"""

import argparse
import json
import random
import subprocess
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from drawing import Picture, all_pictures, draw
from synthesis import speak
from vocabulary import sentences

RATE = 16_000
FPS = 25
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Shot:
    """A picture that stands for some seconds."""

    picture: Picture
    seconds: float


@dataclass(frozen=True)
class Line:
    """A sentence that is spoken from `start` (seconds)."""

    text: str
    start: float
    voice: str = "en-us"
    speed: int = 150


@dataclass(frozen=True)
class Writing:
    """A line of text in the picture from `start` to `end` (seconds): a title at the top, or what is said at the bottom."""

    text: str
    start: float
    end: float
    is_title: bool = False


DEMO_SHOTS = (
    Shot(Picture("circle", "red", "center", "white"), 5.0),
    Shot(Picture("square", "blue", "left", "yellow"), 4.4),
    Shot(Picture("triangle", "green", "right", "black"), 4.0),
    Shot(Picture("circle", "yellow", "left", "purple"), 4.6),
    Shot(Picture("square", "white", "center", "gray"), 5.2),
    Shot(Picture("triangle", "orange", "center", "blue"), 4.2),
    Shot(Picture("circle", "black", "right", "pink"), 4.8),
    Shot(Picture("square", "purple", "right", "cyan"), 4.0),
    Shot(Picture("triangle", "red", "left", "green"), 4.4),
    Shot(Picture("circle", "cyan", "center", "red"), 4.4),
)
DEMO_LINES = (
    Line("hello and welcome to the big room", 0.6),
    Line("the red ball is in the river", 5.4, "en-gb", 145),
    Line("a small bird sings quietly near the door", 9.6),
    Line("now the train stops and the crowd cheers", 14.2, "en-us", 155),
    Line("the yellow team scores the amazing goal", 18.9, "en-gb"),
    Line("we see three cat and seven red door", 23.6),
    Line("the player runs slowly to the left", 28.2, "en-us", 145),
    Line("nothing happens in this quiet room", 32.8, "en-gb"),
    Line("the black dog jumps on the blue car", 37.0),
    Line("goodbye and see the team again today", 41.2),
)

ONE, OTHER = "en-us", "en-us+f3"
CONVERSATION_SHOTS = (
    Shot(Picture("circle", "red", "center", "white"), 5.0),
    Shot(Picture("square", "blue", "left", "yellow"), 5.4),
    Shot(Picture("triangle", "green", "right", "black"), 5.0),
    Shot(Picture("circle", "red", "left", "gray"), 5.0),
)
CONVERSATION_LINES = (
    Line("hello and welcome to the team", 0.6, ONE),
    Line("the red circle is in the center", 2.8, OTHER),
    Line("now we see a blue square", 5.4, ONE, 145),
    Line("the small dog runs to the left", 7.8, OTHER, 145),
    Line("nothing happens in the river", 10.6, OTHER),
    Line("the green triangle is on the right", 12.9, ONE),
    Line("the red circle falls slowly", 15.7, OTHER),
    Line("goodbye and see the circle again", 17.9, ONE),
)
CONVERSATION_WRITINGS = (
    Writing("The Red Circle", 0.4, 4.4, is_title=True),
    Writing("Now we see a blue square.", 5.4, 7.4),
    Writing("The small dog runs to the left.", 7.8, 10.2),
)


def random_story(seed: int, seconds: float = 12.0) -> tuple[list[Shot], list[Line]]:
    """Shots of 2 to 4 s and held-out sentences, about `seconds` long, the same for a seed."""
    rng = random.Random(seed)
    pictures, words = all_pictures(), sentences(seed, held_out=True)
    shots: list[Shot] = []
    while sum(shot.seconds for shot in shots) < seconds:
        picture = rng.choice(pictures)
        if not shots or picture.background != shots[-1].picture.background:
            shots.append(Shot(picture, rng.randrange(50, 101) / FPS))
    lines, start = [], 0.5
    total = sum(shot.seconds for shot in shots)
    while start < total - 3.5:
        lines.append(Line(next(words), start, rng.choice(("en-us", "en-gb"))))
        samples, _ = speak(lines[-1].text, lines[-1].voice, lines[-1].speed)
        start += len(samples) / RATE + rng.uniform(0.4, 0.9)
        if start > total:
            lines.pop()
    return shots, lines


def make_video(
    path: Path,
    shots: tuple[Shot, ...] | list[Shot],
    lines: tuple[Line, ...] | list[Line],
    width: int = 640,
    height: int = 360,
    writings: tuple[Writing, ...] | list[Writing] = (),
) -> None:
    """Write an H.264 and AAC file of the shots with the lines spoken over them, and with what is written in them."""
    seconds = sum(shot.seconds for shot in shots)
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / "sound.wav"
        _write_wav(sound, _mix(lines, seconds))
        command = [
            imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y",
            "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(FPS),
            "-i", "-", "-i", str(sound),
            "-c:v", "libx264", "-crf", "23", "-pix_fmt", "yuv420p", "-threads", "1",
            "-c:a", "aac", "-b:a", "64k", "-ac", "1",
            "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact",
            "-movflags", "+faststart", f"file:{path.resolve()}",
        ]  # fmt: skip
        process = subprocess.Popen(command, stdin=subprocess.PIPE)
        assert process.stdin
        at = 0
        for number, shot in enumerate(shots):
            picture = draw(shot.picture, width, height, seed=number + 1)
            frames: dict[tuple[Writing, ...], bytes] = {}
            for _ in range(round(shot.seconds * FPS)):
                seen = tuple(each for each in writings if each.start <= at / FPS < each.end)
                if seen not in frames:
                    frames[seen] = _written(picture, seen).tobytes()
                process.stdin.write(frames[seen])
                at += 1
        process.stdin.close()
        if process.wait():
            raise RuntimeError(f"ffmpeg could not write {path}")


def _written(picture: Image.Image, writings: tuple[Writing, ...]) -> Image.Image:
    """The picture with lines of text in it: white, with a black edge."""
    made = picture.copy()
    pen = ImageDraw.Draw(made)
    for writing in writings:
        size = made.height / (11 if writing.is_title else 16)
        place = (made.width / 2, made.height * (0.1 if writing.is_title else 0.92))
        font = ImageFont.load_default(size)
        edge = max(1, round(size / 12))
        pen.text(place, writing.text, "white", font, "mm", stroke_width=edge, stroke_fill="black")
    return made


def _mix(lines: tuple[Line, ...] | list[Line], seconds: float) -> np.ndarray:
    """The lines at their times over faint noise: float32, 16 kHz."""
    mix = np.random.default_rng(0).normal(0, 0.0005, round(seconds * RATE)).astype(np.float32)
    for line in lines:
        samples, _ = speak(line.text, line.voice, line.speed)
        begin = round(line.start * RATE)
        if begin + len(samples) > len(mix):
            raise ValueError(f"'{line.text}' does not end before the video does")
        mix[begin : begin + len(samples)] += samples
    return np.clip(mix, -1, 1)


def _write_wav(path: Path, samples: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((samples * 32767).astype(np.int16).tobytes())


def main() -> None:
    """Write the two of the demo, or a random video with a JSON file of what is in it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", nargs="?", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--size", default="640x360", help="width x height, default 640x360")
    given = parser.parse_args()
    if given.path is None:
        folder = ROOT / "demo" / "videos"
        make_video(folder / "demo.mp4", DEMO_SHOTS, DEMO_LINES)
        make_video(
            folder / "conversation.mp4",
            CONVERSATION_SHOTS,
            CONVERSATION_LINES,
            writings=CONVERSATION_WRITINGS,
        )
        return
    shots, lines = random_story(given.seed, given.seconds)
    width, height = map(int, given.size.split("x"))
    make_video(given.path, shots, lines, width, height)
    told = {"shots": [vars(s.picture) for s in shots], "lines": [vars(line) for line in lines]}
    given.path.with_suffix(".json").write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
