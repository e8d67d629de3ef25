"""The scene descriptions' file."""

import msgpack
import pytest

from reelmake.library import scene_descriptions

METADATA = {
    "source_file": "a.mp4",
    "mtime": 1.5,
    "size": 3,
    "key": "0" * 64,
    "model": "m",
    "mmproj": "p",
    "prompt": "?",
    "frames": 2,
    "failed": 1,
}
RESULTS = [
    {"record": {"scene_id": 0}, "description": dict.fromkeys(scene_descriptions.FIELDS, "é")},
    {"record": {"scene_id": 1}, "description": None},
]


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "V.scenedesc.msgpack"
    scene_descriptions.write(path, METADATA, RESULTS)
    assert scene_descriptions.read(path) == {"metadata": METADATA, "results": RESULTS}
    # The form that others read: str keys and values, not bytes.
    assert msgpack.unpackb(path.read_bytes(), raw=False, strict_map_key=False)["results"] == RESULTS


@pytest.mark.parametrize("content", [None, b"", b"\xc1", b"\x93", msgpack.packb({"a": 1})])
def test_a_file_that_cannot_be_read_is_absent(tmp_path, content):
    path = tmp_path / "V.scenedesc.msgpack"
    if content is not None:
        path.write_bytes(content)
    assert scene_descriptions.read(path) is None


def test_a_torn_file_is_absent(tmp_path):
    path = tmp_path / "V.scenedesc.msgpack"
    scene_descriptions.write(path, METADATA, RESULTS)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert scene_descriptions.read(path) is None


def test_what_is_not_its_form_is_not_written(tmp_path):
    path = tmp_path / "V.scenedesc.msgpack"
    with pytest.raises(ValueError, match="scenedesc"):
        scene_descriptions.write(path, METADATA, [{"record": {}, "description": {"mood": "x"}}])
    assert not path.exists()
