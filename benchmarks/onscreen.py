"""How well, and how fast, on-screen text is read: beside RapidOCR called by itself and tesseract.

python benchmarks/onscreen.py [--languages English German] [--seek]

Needs fonts and tesseract from Debian: apt install fonts-dejavu-core fonts-noto-core fonts-noto-cjk
tesseract-ocr tesseract-ocr-all.
"""

import argparse
import csv
import io
import resource
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import onscreen_cases
from measure import ROOT, WORK, command
from onscreen_cases import SIZES, TEXTS, Case, case, cases
from rapidfuzz.distance import Levenshtein

sys.path.insert(0, str(ROOT / "scripts"))

from reelmake.editing.onscreen_lines import Reading
from reelmake.library import config
from reelmake.media import ffmpeg, film_frames, opencv, probing
from reelmake.models import text_reader

THREADS = 2
EVERY = (0.5, 1, 3, 5, 10, 20)
"""Seconds from one frame that is read to the next."""

Reads = Callable[[Case], list[Reading]]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--languages", nargs="+", choices=TEXTS, default=list(TEXTS))
    parser.add_argument("--seek", action="store_true", help="only what reaching frames costs")
    given = parser.parse_args()
    if not given.seek:
        onscreen_cases.require()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        contenders = engines()
        accuracy(contenders, given.languages)
        sizes(contenders)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f"\nPeak memory: {peak / 1024:.0f} MB, {before / 1024:.0f} MB before any model")
    seeking()


def engines() -> dict[str, Reads]:
    """What reads a frame, by its name."""
    from rapidocr import RapidOCR

    settings = config.load({})["onscreen"]
    longest = settings["max_resolution"]
    with text_reader.loaded(["en"], None, THREADS) as reader:
        ours = reader
    alone = RapidOCR(
        params={
            "Global.log_level": "critical",
            "EngineConfig.onnxruntime.intra_op_num_threads": THREADS,
        }
    )

    def by_itself(frame: Case) -> list[Reading]:
        found = alone(frame.picture)
        if found.boxes is None:
            return []
        return [
            boxed(text, score, box, frame.picture.shape)
            for text, score, box in zip(found.txts, found.scores, found.boxes, strict=True)
        ]

    def reelmake(frame: Case) -> list[Reading]:
        least = settings["min_confidence"]
        found = ours.read(shrunk(frame.picture, longest))
        return [reading for reading in found if reading.confidence >= least]

    found: dict[str, Reads] = {"reelmake": reelmake, "RapidOCR by itself": by_itself}
    if shutil.which("tesseract"):
        found["tesseract, told the language"] = tesseract
    return found


def shrunk(picture: np.ndarray, longest: int) -> np.ndarray:
    """The picture with a longest side of so many pixels at most."""
    high, wide = picture.shape[:2]
    scale = min(1.0, longest / max(high, wide))
    size = (round(wide * scale), round(high * scale))
    if scale == 1.0:
        return picture
    return opencv.cv2.resize(picture, size, interpolation=opencv.cv2.INTER_AREA)


def tesseract(frame: Case) -> list[Reading]:
    """What tesseract's command line reads."""
    done, png = opencv.cv2.imencode(".png", frame.picture)
    assert done
    said = subprocess.run(
        ["tesseract", "-", "-", "-l", frame.tesseract, "--psm", "11", "tsv"],
        input=png.tobytes(),
        capture_output=True,
        check=True,
        env={"OMP_THREAD_LIMIT": str(THREADS), "PATH": "/usr/bin:/bin"},
    ).stdout.decode()
    high, wide = frame.picture.shape[:2]
    found = []
    for row in csv.DictReader(io.StringIO(said), delimiter="\t", quoting=csv.QUOTE_NONE):
        if float(row["conf"]) >= 0 and (row["text"] or "").strip():
            left, top, width, height = (
                float(row[name]) for name in ("left", "top", "width", "height")
            )
            box = (left / wide, top / high, width / wide, height / high)
            found.append(Reading(row["text"], float(row["conf"]) / 100, *box))
    return found


def boxed(text: str, score: float, box: np.ndarray, shape: Sequence[int]) -> Reading:
    """A reading of RapidOCR's."""
    (left, top), (right, bottom) = box.min(axis=0), box.max(axis=0)
    high, wide = shape[:2]
    return Reading(
        text, score, left / wide, top / high, (right - left) / wide, (bottom - top) / high
    )


def errors(frame: Case, found: Iterable[Reading]) -> tuple[int, int]:
    """Characters that are wrong, missing or too many, and all that there are. Spaces don't count:
    models leave them out as they like."""
    wrong = count = 0
    found = list(found)
    for text, top, bottom in frame.lines:
        there = [each for each in found if top <= each.top + each.height / 2 <= bottom]
        # Arabic is read from the right, which only matters where a line is in pieces.
        there.sort(key=lambda each: each.left, reverse=frame.language == "Arabic")
        read = "".join("".join(each.text for each in there).split())
        truth = "".join(text.split())
        wrong += min(Levenshtein.distance(truth, read), len(truth))
        count += len(truth)
    return wrong, count


def cpu() -> float:
    """Seconds that this process and those that it has started have taken of the CPU."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def accuracy(contenders: dict[str, Reads], languages: list[str]) -> None:
    """Print the error rates by language and by style."""
    by_language: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    by_style: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    seconds: dict[str, list[float]] = defaultdict(list)
    styles: dict[str, None] = {}
    for frame in cases(languages):
        styles[frame.style] = None
        for name, read in contenders.items():
            start = cpu()
            found = read(frame)
            seconds[name].append(cpu() - start)
            wrong = errors(frame, found)
            by_language[frame.language, name].append(wrong)
            if frame.language not in ("Russian", "Greek", "Arabic", "Korean"):
                by_style[frame.style, name].append(wrong)
    heading("Characters that are wrong, of 100, by language", "language", contenders)
    for language in languages:
        row(language, [rate(by_language[language, name]) for name in contenders])
    heading("The same by style, without what the included model can't read", "style", contenders)
    for style in styles:
        row(style, [rate(by_style[style, name]) for name in contenders])
    row("CPU seconds a frame, median", [f"{np.median(seconds[name]):.2f}" for name in contenders])


def sizes(contenders: dict[str, Reads]) -> None:
    """Print the error rates by the size of the letters."""
    heading("The same by size: English and German", "pixels of 720", contenders)
    for size in SIZES:
        wrong: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for language in ("English", "German"):
            for style in ("slide", "caption on a busy picture", "compressed hard"):
                frame = case(language, style, size)
                for name, read in contenders.items():
                    wrong[name].append(errors(frame, read(frame)))
        row(str(size), [rate(wrong[name]) for name in contenders])


def rate(found: list[tuple[int, int]]) -> str:
    """Characters that are wrong, of 100."""
    return f"{100 * sum(wrong for wrong, _ in found) / sum(count for _, count in found):.1f}"


def seeking() -> None:
    """Print what reaching the frames costs, by how far apart they are."""
    film = WORK / "720p-gop.mp4"
    if not film.exists():
        WORK.mkdir(parents=True, exist_ok=True)
        source = "testsrc2=s=1280x720:r=25:d=40,noise=alls=3:allf=t"
        command(
            *(ffmpeg.binary(None), "-v", "error", "-y", "-f", "lavfi", "-i", source),
            *("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", film),
        )()
    media = probing.probe(film)
    print("\n**Reaching frames of 40 seconds of 720p, a keyframe every 10 s**\n")
    print("| a frame every | film_frames, CPU s | all seeks | all decoded |\n|---|---|---|---|")
    for every in EVERY:
        times = np.arange(0, media["duration"] - 1, every)
        taken = []
        for near in (None, 0.0, 1e9):
            known = film_frames.NEAR
            film_frames.NEAR = known if near is None else near
            start = cpu()
            with film_frames.of(film, media, THREADS) as frames:
                for moment in times:
                    next(frames.between(moment, moment + 2 * film_frames.EPSILON))
            taken.append(cpu() - start)
            film_frames.NEAR = known
        row(f"{every:g} s", [f"{seconds:.2f}" for seconds in taken])


def heading(title: str, first: str, contenders: Iterable[str]) -> None:
    """Print the beginning of a table."""
    names = list(contenders)
    print(f"\n**{title}**\n\n| {first} | {' | '.join(names)} |\n|---|{'---|' * len(names)}")


def row(name: str, values: Iterable[str]) -> None:
    """Print a row of a table."""
    print(f"| {name} | {' | '.join(values)} |", flush=True)


if __name__ == "__main__":
    main()
