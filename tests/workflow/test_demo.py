"""The bundled video with the bundled models, as `make demo` runs them."""

from drawing import answer
from make_video import DEMO_LINES, DEMO_SHOTS
from reelmake import descriptions
from workspace import ROOT, Workspace


def test_the_demo_says_what_is_spoken_and_shown(tmp_path):
    library = Workspace(tmp_path / "work", ROOT / "demo" / "videos")
    library.run()
    segments = library.json("demo", "transcript.json")["segments"]
    assert [segment["text"] for segment in segments] == [line.text for line in DEMO_LINES]
    for segment, line in zip(segments, DEMO_LINES, strict=True):
        assert abs(segment["start"] - line.start) < 0.2
    document = descriptions.read(library.result("demo", "demo.scenedesc.msgpack"))
    seen = [result["description"] for result in document["results"]]
    assert seen == [answer(shot.picture) for shot in DEMO_SHOTS]
