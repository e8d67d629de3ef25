"""Scores and the narrative of a real film, by the real engine, through whatever stops it."""

import os
import shutil
import signal

import pytest

from faults import long
from reelmake.foundation import artifact_files
from text_job import ANY
from workspace import ROOT, Workspace, wait_for


@pytest.fixture
def library(workspace) -> Workspace:
    """The demo's film, with many short candidates, and without a cache."""
    (workspace.videos / "film.mp4").symlink_to(ROOT / "demo" / "videos" / "demo.mp4")
    workspace.config["cache"] = False
    workspace.config["segments"] = {"min_seconds": 1, "max_seconds": 8, "per_minute": None}
    workspace.config["text_model"] = {
        "repo_id": None,
        "model": str(ANY),
        "context": 2048,
        "max_tokens": 160,
    }
    return workspace


@pytest.mark.parametrize("number", [signal.SIGKILL, long(signal.SIGTERM)])
def test_stopped_scores_go_on_after_the_last_segment(library, tmp_path, number):
    target = "results/film/scores.json"
    library.run("results/film/segments.json", "results/film/film.scenedesc.msgpack")
    segments = library.json("film", "segments.json")["segments"]
    assert len(segments) >= 10
    process = library.start(target)
    try:
        # A journal begins with 93 bytes, and has as many more for each answer.
        journals = library.result("film", "journal")
        wait_for(lambda: any(path.stat().st_size > 400 for path in journals.glob("scores.*")))
    finally:
        os.killpg(process.pid, number)
        process.communicate(timeout=30)
    assert not library.result("film", "scores.json").exists()
    undisturbed = library.copy(tmp_path / "undisturbed")
    shutil.rmtree(undisturbed.result("film", "journal"))
    for each in (library, undisturbed):
        each.run(target)
        artifact_files.validate(each.json("film", "scores.json"), "scores")
        assert not each.result("film", "journal").exists()
    asked = library.record("film", "scores")["items_total"]
    assert 0 < library.record("film", "scores")["items_resumed"] < asked <= len(segments)
    assert undisturbed.record("film", "scores")["items_resumed"] == 0
    whole = undisturbed.result("film", "scores.json").read_bytes()
    assert library.result("film", "scores.json").read_bytes() == whole


def test_a_film_has_its_narrative(library):
    library.run("results/film/narrative.json")
    found = library.json("film", "narrative.json")
    artifact_files.validate(found, "narrative")
    assert found["model"] == ANY.name
    scores = {each["id"]: each["score"] for each in library.json("film", "scores.json")["scores"]}
    best = max(score for score in scores.values() if score is not None)
    assert [each["score"] for each in found["beats"] if each["beat"] == "climax"] == [best]
    assert library.record("film", "narrative")["items_done"] == len(found["beats"])
    assert "Nothing to be done" in library.run("results/film/narrative.json")
