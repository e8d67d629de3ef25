"""The manifest: what makes a finished video free to check must notice every change."""

import json

import pytest

from reelmake.foundation import artifact_files
from reelmake.library import config, fingerprints, manifest
from reelmake.library.stages import artifact_paths, stages_of

MEDIA = {
    "content": "0" * 64,
    "container": "wav",
    "duration": 1.0,
    "start_time": 0.0,
    "bit_rate": None,
    "streams": [],
    "video": None,
    "audio": None,
}
IDENTITY = {"path": "/films/V.mp4", "size": 1, "mtime_ns": 1}


def wanted(given=None):
    return fingerprints.compute(fingerprints.settings(config.load(given or {})), IDENTITY)


@pytest.fixture
def results(tmp_path):
    """A finished video's folder, with small artifacts."""
    folder = tmp_path / "V"
    for name, content in wanted().items():
        artifact_files.write_json(folder / "fingerprints" / f"{name}.json", content)
        artifact_files.write_json(
            folder / "jobs" / f"{name}.json",
            {"engines": {"tool": "1.0"}, "key": content["key"], "state": "done"},
        )
    for stage in stages_of(url=False):
        for path in artifact_paths(stage, "V") if stage.name in wanted() else ():
            if path.endswith("/"):
                (folder / path).mkdir()
                (folder / path / "scene0000_0.jpg").write_bytes(b"jpeg")
            else:
                (folder / path).write_text(json.dumps(MEDIA))
    (folder / "manifest.json").unlink()
    (folder / "audio.wav").unlink()
    artifact_files.write_json(folder / "manifest.json", manifest.build(folder), "manifest")
    return folder


def test_it_lists_every_artifact_with_what_made_it(results):
    written = artifact_files.read_json(results / "manifest.json")
    listed = {entry["path"] for stage in written["stages"].values() for entry in stage["artifacts"]}
    there = {path.name for path in results.iterdir() if path.is_file()} - {"manifest.json"}
    assert listed == there | {"keyframes/scene0000_0.jpg", "clips/scene0000_0.jpg"}
    assert written["stages"]["transcript"]["key"] == wanted()["transcript"]["key"]
    assert written["stages"]["transcript"]["engines"] == {"tool": "1.0"}
    assert written["source"] == IDENTITY
