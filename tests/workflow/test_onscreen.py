"""The text in the picture, from films to what is found, by the real engine."""

import json

import make_media
from onscreen_job import drawn, film
from reelmake.library import scene_descriptions


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

    # Descriptions are made from it where their prompt asks for it.
    workspace.config["stages"].append("descriptions")
    workspace.config["description"]["prompt"] = "Describe this frame. It says: {onscreen}"
    workspace.run()
    assert "onscreen" in workspace.json("talk", "fingerprints", "scenedesc.json")["upstream"]
    path = workspace.result("talk", "talk.scenedesc.msgpack")
    assert all(result["description"] for result in scene_descriptions.results(path))
    assert workspace.plan(*other) == sorted([*stale, "describe_scenes x2"])
