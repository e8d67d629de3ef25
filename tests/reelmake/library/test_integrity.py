"""What is damaged is noticed before a stage stumbles over it."""

import json
import random

import pytest

import make_media
from reelmake.foundation import artifact_files
from reelmake.foundation.errors import StageError
from reelmake.library import integrity

SCENES = {
    "detector": "adaptive",
    "duration": 2.0,
    "frames": 50,
    "fps": 25.0,
    "scenes": [
        {"id": 0, "start": 0.0, "end": 2.0, "start_frame": 0, "end_frame": 50},
    ],
}


@pytest.fixture
def scenes(tmp_path):
    path = tmp_path / "scenes.json"
    artifact_files.write_json(path, SCENES, "scenes")
    return path


def test_a_whole_artifact_is_read_that_of_an_earlier_version_too(scenes):
    assert integrity.read_json(scenes) == SCENES
    earlier = SCENES | {"source": "/films/V.mp4"}
    scenes.write_text(json.dumps(earlier))
    assert integrity.read_json(scenes) == earlier
    integrity.check("scenes.json", scenes)


def test_whatever_bit_flips_it_has_its_form_or_is_refused(scenes):
    whole = scenes.read_bytes()
    rng = random.Random(1)
    refused = 0
    for _ in range(300):
        place = rng.randrange(len(whole))
        flipped = bytes([whole[place] ^ 1 << rng.randrange(8)])
        scenes.write_bytes(whole[:place] + flipped + whole[place + 1 :])
        try:
            content = integrity.read_json(scenes)
        except StageError as error:
            refused += 1
            assert f"{scenes} is damaged" in str(error)
            assert str(error).endswith("; delete it and run again")
            assert error.kind == "engine"
        else:
            artifact_files.validate(content, "scenes", more=True)
    assert refused > 100


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"null", b"{}"])
def test_what_is_no_such_artifact_is_refused(scenes, content):
    scenes.write_bytes(content)
    with pytest.raises(StageError, match=r"scenes\.json is damaged"):
        integrity.read_json(scenes)
    with pytest.raises(ValueError, match="scenes"):
        integrity.check("scenes.json", scenes)
    scenes.unlink()
    with pytest.raises(StageError, match=r"scenes\.json is damaged"):
        integrity.read_json(scenes)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("keyframes/a.jpg", b"\xff\xd8picture\xff\xd9", [b"", b"\xff\xd8pict", b"GIF89a"]),
        ("V.scenedesc.msgpack", None, [b"", b"\x82\xa8meta", b"\xc0"]),
        ("transcript.srt", b"", []),
        ("keyframes/notes.json", b"mine", []),
    ],
)
def test_files_by_their_names(tmp_path, name, good, bad):
    path = tmp_path / "file"
    if good is not None:
        path.write_bytes(good)
        integrity.check(name, path)
    for content in bad:
        path.write_bytes(content)
        with pytest.raises(ValueError, match="it "):
            integrity.check(name, path)


def test_a_film_is_whole_or_not(tmp_path):
    path = make_media.three_scenes(tmp_path / "trailer.mp4", "-movflags", "+faststart")
    integrity.check("trailer.mp4", path)
    whole = path.read_bytes()
    for content in (b"", whole[:-1], whole[: len(whole) // 2], b"\0" * 100, whole + b"\0" * 8):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="no whole film"):
            integrity.check("clips/clip001.mp4", path)
    path.write_bytes(whole[:100])
    with pytest.raises(ValueError, match=r"Expecting|decode"):
        integrity.check("trailer.otio", path)
