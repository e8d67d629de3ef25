"""Films that are there more than once."""

import json
import os

import pytest

from make_moments import make_film
from make_pictures import picture, write_keyframes
from reelmake.catalog import duplicates, updating


def film(results, name: str, pictures, content: str, scenes: int = 8, **media) -> None:
    make_film(results / name, segments=1, scenes=scenes, source=media.pop("source", f"/f/{name}"))
    path = results / name / "media.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"content": content} | media))
    if pictures:
        write_keyframes(results / name, pictures)


def shown(first: int, count: int = 8, size=(320, 180)):
    return [picture(100 * first + n, size) for n in range(count)]


@pytest.fixture
def library(tmp_path):
    results = tmp_path / "results"
    film(results, "match", shown(1), "a" * 64)
    film(results, "match_copy", shown(1), "a" * 64)
    film(results, "match_small", shown(1, size=(160, 90)), "b" * 64)
    film(results, "other", shown(2), "c" * 64)
    film(results, "trailer", shown(1)[2:6], "d" * 64, scenes=4, duration=24.0)
    updating.update(results)
    return results / "catalog.db"


def names(films):
    return [each.film for each in films]


def test_identical_films_and_what_keeping_one_saves(library):
    (group,) = duplicates.find(library, pictures=False).identical
    assert names(group.films) == ["match", "match_copy"]
    assert (group.saved, group.linked) == (1000, False)
    assert not (library.parent / "catalog.pictures.msgpack").exists()


def test_one_file_under_two_names_saves_nothing(library, tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"film")
    os.link(tmp_path / "a.mp4", tmp_path / "b.mp4")
    film(library.parent, "one", [], "e" * 64, source=tmp_path / "a.mp4")
    film(library.parent, "two", [], "e" * 64, source=tmp_path / "b.mp4")
    updating.update(library.parent)
    groups = duplicates.find(library, film="two", pictures=False).identical
    assert [(names(each.films), each.saved, each.linked) for each in groups] == [
        (["one", "two"], 0, True)]  # fmt: skip


def test_the_same_pictures_in_other_clothes_and_a_part_of_them(library):
    report = duplicates.find(library)
    (group,) = report.alike
    assert names(group.films) == ["match", "match_small"] and group.share == 1.0
    assert {(p.film, p.other, p.other_share) for p in report.overlapping} == {
        ("match", "trailer", 1.0), ("match_small", "trailer", 1.0)}  # fmt: skip


def test_the_same_pictures_in_a_longer_film_only_overlap(library):
    film(library.parent, "match_small", shown(1), "b" * 64, duration=100.0)
    updating.update(library.parent)
    report = duplicates.find(library)
    assert report.alike == []
    assert ("match", "match_small") in {(p.film, p.other) for p in report.overlapping}


def test_scenes_of_films_that_are_not_the_same(library):
    film(library.parent, "other", [*shown(2, 7), picture(101)], "c" * 64)
    updating.update(library.parent)
    scenes = duplicates.find(library, scenes=9).scenes
    assert {(each.one.film, each.one.scene, each.other) for each in scenes} == {
        ("match", 1, duplicates.Scene("other", 7, 43.2)),
        ("match_small", 1, duplicates.Scene("other", 7, 43.2)),
    }


def test_only_what_is_like_one_film(library):
    report = duplicates.find(library, film="trailer")
    assert report.identical == [] and report.alike == [] and len(report.overlapping) == 2
    assert duplicates.find(library, film="other") == duplicates.Report([], [], [], [])
    # Of identical films one stands for all: what is like that one is like each of them.
    assert names(duplicates.find(library, film="match_copy").alike[0].films) == [
        "match",
        "match_small",
    ]
