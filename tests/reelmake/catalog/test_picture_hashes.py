"""Hashes of keyframes: what looks alike is near, and each keyframe is read once."""

import errno
import json

import pytest
from PIL import Image

from make_moments import make_film
from make_pictures import picture, write_keyframes
from reelmake.catalog import picture_hashes
from reelmake.catalog.picture_hashes import of_films, picture_hash


def saved(image: Image.Image, path, **given) -> int | None:
    image.convert("RGB").save(path, "JPEG", **given)
    return picture_hash(path)


def bits(one: int | None, other: int | None) -> int:
    assert one is not None and other is not None
    return (one ^ other).bit_count()


def test_the_same_picture_smaller_and_compressed_harder_is_near(tmp_path):
    for seed in range(5):
        one = saved(picture(seed, (1280, 720)), tmp_path / "a.jpg", quality=92)
        assert bits(one, saved(picture(seed, (320, 180)), tmp_path / "b.jpg", quality=40)) <= 6


def test_other_pictures_are_far(tmp_path):
    hashes = [saved(picture(seed), tmp_path / "a.jpg") for seed in range(8)]
    assert all(bits(a, b) > 16 for n, a in enumerate(hashes) for b in hashes[:n])


@pytest.mark.parametrize("color", ["black", "white", (90, 20, 200)])
def test_a_flat_picture_says_nothing(tmp_path, color):
    assert saved(Image.new("RGB", (320, 180), color), tmp_path / "a.jpg") is None


def test_what_is_no_jpeg_says_nothing(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    assert picture_hash(tmp_path / "a.jpg") is None
    assert picture_hash(tmp_path / "missing.jpg") is None
    picture(1).save(tmp_path / "b.jpg", "PNG")  # only what keyframes are is decoded
    assert picture_hash(tmp_path / "b.jpg") is None
    whole = tmp_path / "c.jpg"
    saved(picture(1), whole)
    whole.write_bytes(whole.read_bytes()[:600])
    assert picture_hash(whole) is None


@pytest.fixture
def library(tmp_path):
    folder = tmp_path / "results"
    for number, name in enumerate(("one", "two")):
        make_film(folder / name, segments=1, scenes=3)
        shown = [picture(10 * number), Image.new("L", (320, 180)), picture(10 * number + 1)]
        write_keyframes(folder / name, shown)
    return folder


def test_each_keyframe_that_says_something_has_one(library):
    found = of_films(library, ["one", "two"])
    assert found["one"].scenes.tolist() == [0, 2]
    assert found["one"].times.tolist() == [1.2, 13.2]
    assert len(set(found["one"].hashes.tolist())) == 2


def test_only_what_has_changed_is_read_again(library, monkeypatch):
    before = of_films(library, ["one", "two"])
    read = []
    monkeypatch.setattr(picture_hashes, "picture_hash", lambda path: read.append(path) or 7)
    after = of_films(library, ["one", "two"])
    assert read == [] and after["one"].hashes.tolist() == before["one"].hashes.tolist()
    write_keyframes(library / "two", [picture(3)])
    told = []
    after = of_films(library, ["one", "two"], lambda *said: told.append(said))
    assert [path.parts[-3] for path in read] == ["two"] and told == [(1, 1)]
    assert after["two"].hashes.tolist() == [7]
    assert list(of_films(library, ["one"])) == ["one"]


@pytest.mark.parametrize("content", [b"", b"\xc1", b"\x80", b"\x81\xa5films\x01", b"x" * 999])
def test_what_is_damaged_is_made_anew(library, content):
    before = of_films(library, ["one"])
    (library / picture_hashes.NAME).write_bytes(content)
    assert of_films(library, ["one"])["one"].hashes.tolist() == before["one"].hashes.tolist()


def test_a_stop_loses_nothing_that_is_done(library, monkeypatch):
    right = picture_hashes.picture_hash

    def stopped(path):
        if "two" in path.parts:
            raise KeyboardInterrupt
        return right(path)

    monkeypatch.setattr(picture_hashes, "picture_hash", stopped)
    with pytest.raises(KeyboardInterrupt):
        of_films(library, ["one", "two"])
    read = []
    monkeypatch.setattr(picture_hashes, "picture_hash", lambda path: read.append(path) or 7)
    of_films(library, ["one", "two"])
    assert {path.parts[-3] for path in read} == {"two"}


def test_no_picture_outside_of_the_folder_is_read(library, monkeypatch):
    listed = json.loads((library / "one" / "keyframes.json").read_text())
    listed["keyframes"][0]["file"] = "../../two/keyframes/scene0000_0.jpg"
    listed["keyframes"][1]["file"] = ".."
    (library / "one" / "keyframes.json").write_text(json.dumps(listed))
    assert of_films(library, ["one"])["one"].scenes.tolist() == [2]


def test_a_folder_that_is_read_only_costs_only_time(library):
    before = of_films(library, ["one"])
    (library / picture_hashes.NAME).unlink()
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patched:

        def refused(*args, **given):
            raise OSError(errno.EROFS, "read-only file system")

        patched.setattr(picture_hashes.artifact_files, "write_bytes", refused)
        assert of_films(library, ["one"])["one"].hashes.tolist() == before["one"].hashes.tolist()
