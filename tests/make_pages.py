"""A library to look at: one film that plays, one that browsers can't play, one that failed, and one
whose every text is an attack."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np

from make_moments import make_film

FILM = Path(__file__).resolve().parents[1] / "demo" / "videos" / "demo.mp4"
"""45 s of H.264 and AAC."""

SPOKEN = [
    *("welcome to the harbour", "the ferry leaves at noon", "gulls over the market"),
    *("a storm is coming", "everybody runs inside", "the crowd cheers", "good night"),
]
"""What is said in `holiday`, six seconds each."""

ATTACKS = [
    "<script>alert(1)</script>",
    '"onload="alert(2)" z="',
    "'><img src=x onerror=alert(3)>",
    "</script><!--<script>alert(4)//",
    "javascript:alert(5)",
    "\u202egpj.exe\u2066 {{ 7*7 }} {% raw %}",
    "&lt;b&gt; \x00\x1b[31m \u2028 `${alert(6)}`",
]
HOSTILE = "hostile"


def make_library(results: Path) -> None:
    """Fill the folder `results`."""
    film = results.parent / "films" / "holiday.mp4"
    film.parent.mkdir(parents=True)
    shutil.copy(FILM, film)
    _make(
        results / "holiday",
        source=str(film),
        texts=SPOKEN,
        seen=["a ferry", "red roofs", "fog"],
        written=["HARBOUR OFFICE", "مرحبا"],
        translated={"de": ["willkommen im Hafen"] * len(SPOKEN)},
    )
    translations = results / "holiday" / "translations"
    translations.mkdir()
    for name in ("transcript.de.vtt", "transcript.en.vtt", "transcript.de.exe", "..de.vtt"):
        (translations / name).write_text("WEBVTT\n\n00:01.000 --> 00:05.000\nwillkommen\n")
    _make(results / "old", source=str(results.parent / "films" / "old.mpg"), texts=SPOKEN)
    _change(results / "old" / "media.json", container="mpeg")
    clips = json.loads((results / "old" / "clips.json").read_bytes())["clips"]
    _change(results / "old" / "clips.json", clips=clips[:1])
    shutil.copy(FILM, results.parent / "films" / "old.mpg")
    shutil.copy(FILM, results / "old" / "trailer.mp4")
    _make(results / "broken", state="failed", texts=[])
    record = results / "broken" / "jobs" / "manifest.json"
    _change(record, error="broken: manifest: it broke")  # as jobs say it
    name = ATTACKS[0].replace("/", "") + ATTACKS[1] + ATTACKS[5] + ".mp4"
    _make(
        results / HOSTILE,
        source=f"/films/{name}",
        texts=ATTACKS,
        seen=ATTACKS,
        written=ATTACKS,
        state="failed",
    )
    _poison(results / HOSTILE)


def _make(folder: Path, **given: object) -> None:
    make_film(folder, **given)
    for frame in json.loads((folder / "keyframes.json").read_bytes())["keyframes"]:
        # Scenes of one number look alike in all films, and unlike the others.
        dice = np.random.default_rng(frame["scene_id"])
        picture = np.kron(dice.integers(0, 255, (6, 8, 3)), np.ones((6, 8, 1))).astype(np.uint8)
        cv2.imwrite(str(folder / "keyframes" / frame["file"]), picture)
    (folder / "clips").mkdir()
    for clip in json.loads((folder / "clips.json").read_bytes())["clips"]:
        shutil.copy(FILM, folder / "clips" / clip["file"])
    (folder / "transcript.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:05.000\nwelcome\n")


def _poison(folder: Path) -> None:
    """An attack in each text that the artifacts have beside what was given."""
    for name, key, fields in (
        ("highlights.json", "highlights", ("reason", "text")),
        ("clips.json", "clips", ("reason",)),
        ("narrative.json", "beats", ("title", "why", "beat")),
    ):
        content = json.loads((folder / name).read_bytes())
        for number, each in enumerate(content[key]):
            each |= {field: ATTACKS[(number + n) % len(ATTACKS)] for n, field in enumerate(fields)}
        (folder / name).write_text(json.dumps(content))
    _change(folder / "transcript.json", language='en"><script>alert(7)</script>')
    _change(folder / "jobs" / "manifest.json", error=ATTACKS[2], log=ATTACKS[1], host=ATTACKS[0])
    _change(folder / "jobs" / "media.json", engines={ATTACKS[0]: ATTACKS[1]}, host=ATTACKS[3])
    chapters = f";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=6000\ntitle={ATTACKS[4]}\n"
    (folder / "chapters.ffmetadata").write_text(chapters)


def _change(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_bytes()) | values))
