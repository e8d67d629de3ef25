"""The bundled video with the bundled models, as `make demo` runs them."""

import json
import shutil
from pathlib import Path

import av

from drawing import answer
from german import translate
from make_video import CONVERSATION_WRITINGS, DEMO_LINES, DEMO_SHOTS, FPS
from reelmake.library import scene_descriptions
from workspace import ROOT, Workspace


def test_the_demo_says_what_is_spoken_and_shown(tmp_path):
    library = Workspace(tmp_path / "work", ROOT / "demo" / "videos")
    del library.config["stages"]
    library.config["translations"]["languages"] = ["de"]
    shutil.copy(ROOT / "demo" / "speakers.csv", library.folder)
    library.run()
    segments = library.json("demo", "transcript.json")["segments"]
    assert [segment["text"] for segment in segments] == [line.text for line in DEMO_LINES]
    for segment, line in zip(segments, DEMO_LINES, strict=True):
        assert abs(segment["start"] - line.start) < 0.2
    (told,) = library.json("demo", "translations.json")["languages"]
    assert told["lines"] == [translate(line.text) for line in DEMO_LINES]
    read = library.json("conversation", "onscreen.json")["lines"]
    assert [line["text"] for line in read] == [line.text for line in CONVERSATION_WRITINGS]
    document = scene_descriptions.read(library.result("demo", "demo.scenedesc.msgpack"))
    seen = [result["description"] for result in document["results"]]
    assert seen == [answer(shot.picture) for shot in DEMO_SHOTS]

    (highlight,) = library.json("demo", "highlights.json")["highlights"]
    assert "the yellow team scores the amazing goal" in highlight["text"].splitlines()
    assert "goal" in highlight["reason"]
    (clip,) = library.json("demo", "clips.json")["clips"]
    (said,) = [line for line in DEMO_LINES if "goal" in line.text]
    assert clip["start"] < said.start < clip["end"] - 2
    length = clip["end"] - clip["start"]
    assert played(library.result("demo", "clips", clip["file"])) == round(length * FPS)
    beats = library.json("demo", "narrative.json")["beats"]
    (climax,) = [beat for beat in beats if beat["beat"] == "climax"]
    assert "goal" in climax["title"]
    assert climax["start"] <= said.start <= climax["end"]
    assert 10 * FPS < played(library.result("demo", "trailer.mp4")) <= 15 * FPS
    chapters = library.result("demo", "chapters.txt").read_text().splitlines()
    assert len(chapters) > 2
    assert any("goal" in chapter for chapter in chapters)

    assert library.json("demo", "speakers.json")["turns"][-1]["speaker"] == "S1"  # as the first
    named = library.result("conversation", "transcript.txt").read_text().splitlines()
    assert named[:3] == [
        "Anna: hello and welcome to the team",
        "Ben: the red circle is in the center",
        "Anna: now we see a blue square",
    ]
    found = json.loads(library.reel("search", "circle", "--speaker", "Ben", "--said", "--json"))
    assert {moment["said"] for moment in found["moments"]} == {
        "the red circle is in the center",
        "the red circle falls slowly",
    }


def played(path: Path) -> int:
    """How many pictures a film shows, all of which can be decoded, as can its sound."""
    with av.open(str(path)) as film:
        assert sum(frame.samples for frame in film.decode(audio=0)) > 0
    with av.open(str(path)) as film:
        return sum(1 for _ in film.decode(video=0))
