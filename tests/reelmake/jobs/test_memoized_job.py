"""What is taken from the artifact cache is what the fingerprints and the bytes before it say."""

import json
from pathlib import Path

import pytest

from reelmake.cache.artifact_cache import Cache
from reelmake.foundation import artifact_files
from reelmake.jobs import memoized_job
from reelmake.library import config, fingerprints
from reelmake.library.stages import STAGES, chosen, downstream, forced_stages, named_stages

CONTENT = "c" * 64
SCENES = {
    "detector": "adaptive",
    "frame_rate": 25.0,
    "frames": 50,
    "scenes": [],
}


def library(folder: Path, **given) -> Path:
    """Results of a video with its sidecars and the artifacts before `keyframes`."""
    results = folder / "film"
    settings = fingerprints.settings(config.load(given))
    identity = {"path": str(folder / "film.mp4"), "size": len(folder.name), "mtime_ns": 5}
    for name, wanted in fingerprints.compute(settings, identity).items():
        artifact_files.write_json(results / "fingerprints" / f"{name}.json", wanted)
    for name in ("media", "scenes"):
        artifact_files.write_json(results / f"{name}.json", {"content": CONTENT})
    return results


def key(results: Path, stage: str, content: str = CONTENT) -> str:
    from reelmake.library import sidecars

    return memoized_job.key(results, STAGES[stage], sidecars.read_all(results), content)


def test_a_key_depends_on_no_path_and_no_time(tmp_path):
    one, other = library(tmp_path / "one"), library(tmp_path / "another place")
    for stage in ("media", "transcript", "scenes", "keyframes"):
        assert key(one, stage) == key(other, stage)
        assert len(key(one, stage)) == 64
    assert len({key(one, stage) for stage in ("media", "transcript", "scenes", "keyframes")}) == 4


def test_a_key_depends_on_content_settings_and_what_comes_before(tmp_path):
    one = library(tmp_path / "one")
    other = library(tmp_path / "two", scenes={"threshold": 5}, audio={"track": 1})
    assert key(one, "scenes") != key(one, "scenes", content="d" * 64)
    assert key(one, "scenes") != key(other, "scenes")
    # The sound is kept nowhere: its settings count.
    assert key(one, "transcript") != key(other, "transcript")
    # The scenes are: their bytes count, and not how they came about.
    assert key(one, "keyframes") == key(other, "keyframes")
    (other / "scenes.json").write_text("edited")
    assert key(one, "keyframes") != key(other, "keyframes")


def test_a_key_depends_on_every_file_of_a_folder(tmp_path):
    results = library(tmp_path)
    (results / "keyframes.json").write_text("{}")
    (results / "keyframes").mkdir()
    (results / "keyframes" / "a.jpg").write_bytes(b"a")
    before = key(results, "scenedesc")
    (results / "keyframes" / ".DS_Store").write_bytes(b"")
    assert key(results, "scenedesc") == before
    (results / "keyframes" / "b.jpg").write_bytes(b"")
    assert key(results, "scenedesc") != before


@pytest.fixture
def cache(tmp_path):
    said = []
    cache = Cache(tmp_path / "cache", say=said.append)
    cache.said = said
    yield cache
    cache.close()


FORGED = {
    "another artifact": ("scenes", {"scenes.json": SCENES, "transcript.json": {}}),
    "no artifact of this stage": ("scenes", {"media.json": {"content": CONTENT}}),
    "a sidecar": ("scenes", {"scenes.json": SCENES, "fingerprints/scenes.json": {}}),
    "not its form": ("scenes", {"scenes.json": {"scenes": "none"}}),
    "not JSON": ("scenes", {"scenes.json": None}),
    "another film": ("media", {"media.json": {"content": "d" * 64}}),
    "not all of it": ("keyframes", {"keyframes.json": {"keyframes": [], "skipped_scenes": 0}}),
    "no descriptions": ("scenedesc", {"{video}.scenedesc.msgpack": {}}),
}


@pytest.mark.parametrize("forged", FORGED)
def test_what_a_stage_can_not_have_made_is_not_restored(cache, tmp_path, forged):
    """Whoever may write into a cache that machines share."""
    stage, contents = FORGED[forged]
    results = library(tmp_path)
    before = {path: path.read_bytes() for path in results.rglob("*.json")}
    files = {}
    for name, content in contents.items():
        files[name] = tmp_path / name.replace("/", "_")
        files[name].write_text("{" if content is None else json.dumps(content))
    assert cache.put(CONTENT, stage, 1, files, 1.0)
    wanted = artifact_files.read_json(results / "fingerprints" / f"{stage}.json")
    assert memoized_job.restore(cache, CONTENT, results, wanted, CONTENT) is None
    assert {path: before[path] for path in before} == {
        path: path.read_bytes() for path in before if path.exists()
    }


def test_what_is_forced():
    assert forced_stages(True, ()) == set(STAGES)
    assert forced_stages(False, ()) == set()
    assert forced_stages(False, {"cut_clips"}) == {"clips", "manifest"}
    assert forced_stages(False, {"extract_keyframes"}) == set(downstream("keyframes"))
    assert "transcript" not in downstream("keyframes")
    assert forced_stages(False, {"results/a/transcript.srt"}) == {"subtitles", "manifest"}
    assert forced_stages(False, {"results/a/keyframes"}) >= {"keyframes"}
    assert forced_stages(False, {"results/a/a.scenedesc.msgpack"}) == set(downstream("scenedesc"))
    assert forced_stages(False, {"all", "results/a/other.txt"}) == set()


def test_what_is_chosen():
    speech = {"source", "media", "audio", "transcript", "subtitles"}
    assert chosen(["transcripts"]) == speech | {"manifest"}
    assert chosen(["clips"]) > chosen(["highlights"]) - {"subtitles"}
    assert "narrative" not in chosen(["clips"])
    assert "subtitles" not in chosen(["clips"])
    assert named_stages(["transcripts"]) == speech
    assert named_stages(["results/a/transcript.json"]) == speech - {"subtitles"}
    assert named_stages(["write_subtitles"]) == speech
    assert named_stages(["results/a/manifest.json", "all", "x.txt", "--"]) == {"manifest"}
