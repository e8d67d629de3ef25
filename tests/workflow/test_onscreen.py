"""The text in the picture, from films to what is found, by the real engine."""

import json

import make_media
from onscreen_job import drawn, film


def test_what_is_written_in_films_is_read_kept_and_found(workspace):
    slides = [drawn("Annual report", "<b>2031</b>"), drawn(back="darkgreen"), drawn("Thank you")]
    film(workspace.videos / "talk.mp4", slides, 2.0)
    make_media.sound(workspace.videos / "heard.mkv", codec="flac")
    workspace.config["stages"] = ["onscreen", "catalog"]
    workspace.config["scenes"] = {"detector": "content", "threshold": 5.0, "min_seconds": 0.5}
    workspace.run()
    assert workspace.plan() == []

    read = workspace.json("talk", "onscreen.json")
    assert [line["text"] for line in read["lines"]] == ["Annual report", "<b>2031</b>", "Thank you"]
    assert (read["frames"], read["frames_with_text"]) == (3, 2)
    assert workspace.json("heard.mkv", "onscreen.json")["frames"] == 0
    record = workspace.record("talk", "onscreen")
    assert record["items_done"] == record["items_total"] == 3
    assert {"rapidocr", "onnxruntime"} <= record["engines"].keys()
    status = json.loads(workspace.reel("status", "--json"))
    assert status["frames_with_text"] == 2

    found = json.loads(workspace.reel("search", "report 2031", "--written", "--json"))
    (moment,) = found["moments"]
    assert moment["film"] == "talk" and 0.0 <= moment["start"] < 2.0
    assert moment["written"] == "Annual report\n<b>2031</b>"

    # Another setting makes nothing else stale; what was read is taken from the cache.
    other = ["--config", "onscreen={min_confidence: 0.99}"]
    stale = ["read_onscreen_text x2", "write_manifest x2"]
    assert workspace.plan(*other) == stale
    workspace.result("talk", "onscreen.json").unlink()
    workspace.run()
    assert workspace.record("talk", "onscreen")["cache"] == "hit"
    assert workspace.json("talk", "onscreen.json") == read

    # Descriptions wait for it only where their prompt asks for it.
    described = ["--config", "stages=[onscreen, descriptions]"]
    graph = workspace.run("-n", *described, "--quiet", "progress")
    assert "onscreen.json" not in graph.partition("describe_scenes")[2].partition("output:")[0]
    asking = [*described, "description={prompt: 'Describe it. It says {onscreen}.'}"]
    graph = workspace.run("-n", *asking, "--quiet", "progress")
    assert "describe_scenes" in graph
