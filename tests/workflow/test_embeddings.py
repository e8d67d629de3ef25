"""The vectors of real films, by the real engine."""

import pytest

import make_media
from reelmake.library import film_vectors, scene_descriptions
from workspace import Workspace

KINDS = ("said", "described", "shown")


@pytest.fixture
def library(finished, tmp_path) -> Workspace:
    """A copy of the finished library."""
    return finished.copy(tmp_path / "work")


def vectors(library: Workspace, video: str) -> dict[str, film_vectors.Vectors]:
    found = film_vectors.read(library.result(video, film_vectors.NAME))
    assert found is not None
    return {each.kind: each for each in found}


def test_moments_of_finished_films_are_embedded_and_nothing_else_is_made(library):
    library.config["stages"].append("embeddings")
    assert library.plan() == ["embed_moments x2", "write_manifest x2"]
    library.run()
    assert library.plan() == []
    for video in ("one", "two"):
        found = vectors(library, video)
        segments = library.json(video, "transcript.json")["segments"]
        described = scene_descriptions.results(library.result(video, f"{video}.scenedesc.msgpack"))
        scenes = [each["record"]["scene_id"] for each in described]
        assert found["said"].items == [segment["id"] for segment in segments]
        assert found["said"].starts == [segment["start"] for segment in segments]
        assert found["shown"].items == found["described"].items == scenes
        assert found["said"].model["name"] == "text" and found["shown"].model["name"] == "image"
        record = library.record(video, "embeddings")
        assert record["items_done"] == len(segments) + 2 * len(scenes)
        assert "onnxruntime" in record["engines"]
        listed = library.json(video, "manifest.json")["stages"]["embeddings"]["artifacts"]
        assert [each["path"] for each in listed] == [film_vectors.NAME]
    one = library.result("one", film_vectors.NAME)
    whole = one.read_bytes()
    one.unlink()
    library.run()
    assert one.read_bytes() == whole
    assert library.record("one", "embeddings")["cache"] == "hit"


def test_films_without_speech_or_pictures_are_embedded(workspace):
    make_media.FILMS["cfr.mp4"](workspace.videos / "mute.mp4")
    make_media.sound(workspace.videos / "heard.mkv", codec="flac")
    workspace.config["embeddings"]["text_model"] = None
    workspace.config["stages"] = ["embeddings"]
    workspace.run()
    assert list(vectors(workspace, "heard.mkv")) == []
    (shown,) = vectors(workspace, "mute").values()
    assert shown.kind == "shown" and len(shown.items) == 3
