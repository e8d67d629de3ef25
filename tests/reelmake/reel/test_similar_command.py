"""`reel similar`: what it prints."""

import json

import pytest

from make_moments import make_film
from make_pictures import picture, write_keyframes
from reelmake.catalog import updating
from reelmake.reel import main


@pytest.fixture(autouse=True)
def library(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results = tmp_path / "results"
    for name, content, seed in (("one", "a", 0), ("copy\x1b[2J", "a", 0), ("small", "b", 0),
                                ("other", "c", 50)):  # fmt: skip
        make_film(results / name, segments=1, scenes=5)
        path = results / name / "media.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"content": content * 64}))
        write_keyframes(results / name, [picture(seed + n) for n in range(5)])
    updating.update(results)
    return results


def test_a_list_for_people(capsys):
    assert main.main(["similar"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines() == [
        "identical, 2 films; keeping one saves 1.0 KB",
        "     1.0 KB     640x360   0:00:30  copy[2J  /films/copy\ufffd[2J.mp4",
        "     1.0 KB     640x360   0:00:30  one  /films/one.mp4",
        "the same pictures, 2 films, 100% of the keyframes in order; keeping the first saves "
        "1.0 KB",
        "     1.0 KB     640x360   0:00:30  copy[2J  /films/copy\ufffd[2J.mp4",
        "     1.0 KB     640x360   0:00:30  small  /films/small.mp4",
        "1 identical copy, 1 group of films with the same pictures, 0 pairs that overlap",
    ]


def test_json_for_scripts(capsys):
    assert main.main(["similar", "--json", "--film", "small"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert list(said) == ["identical", "alike", "overlapping", "scenes"]
    (group,) = said["alike"]
    assert group["share"] == 1.0 and len(group["films"]) == 2
    assert list(group["films"][0]) == ["film", "title", "source", "duration", "width", "height",
                                       "container", "size", "content"]  # fmt: skip


def test_scenes(library, capsys):
    write_keyframes(library / "other", [*(picture(50 + n) for n in range(4)), picture(2)])
    updating.update(library)
    capsys.readouterr()
    assert main.main(["similar", "--scenes", "--film", "other"]) == 0
    out = capsys.readouterr().out
    assert "alike: copy\ufffd[2J at 0:00:13 and other at 0:00:25 (0 of 64 bits differ)" in out


def test_only_identical_films_need_no_pictures(library, capsys):
    assert main.main(["similar", "--identical"]) == 0
    assert "identical, 2 films" in capsys.readouterr().out
    assert not (library / "catalog.pictures.msgpack").exists()
    assert main.main(["similar", "--identical", "--scenes"]) == 1
    assert "give one" in capsys.readouterr().err


def test_without_a_catalog_it_is_said_how_to_make_one(library, capsys):
    (library / "catalog.db").unlink()
    assert main.main(["similar"]) == 1
    assert "`reel catalog` makes one" in capsys.readouterr().err
