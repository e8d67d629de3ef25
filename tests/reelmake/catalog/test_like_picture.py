"""Keyframes like a given one."""

import pytest

from make_moments import make_film
from make_pictures import picture, write_keyframes
from reelmake.catalog import updating
from reelmake.catalog.like_picture import LikePicture, parse
from reelmake.catalog.search import search
from reelmake.foundation.errors import UserError


@pytest.fixture
def library(tmp_path):
    results = tmp_path / "results"
    for name, seeds, size in (("one", (1, 2, 3), (640, 360)), ("two", (4, 2, 5), (160, 90)),
                              ("three", (6, 7, 1), (320, 180))):  # fmt: skip
        make_film(results / name, segments=0, scenes=3, seen=[f"a picture {n}" for n in seeds])
        write_keyframes(results / name, [picture(seed, size) for seed in seeds])
    updating.update(results)
    return results


def ask(library, like: str, text: str = "", **given):
    return search(
        library / "catalog.db", text, others=[LikePicture(library, *parse(like))], **given
    )


def test_the_same_picture_in_other_films(library):
    (moment,) = ask(library, "one@0:01").moments
    assert (moment.film, moment.start, moment.like) == ("three", 13.2, moment.like)
    assert moment.like is not None and moment.like <= 6
    assert moment.seen is not None and moment.seen.startswith("a picture 1")
    (moment,) = ask(library, "two@8").moments
    assert (moment.film, moment.start) == ("one", 7.2)


def test_it_is_fused_with_words(library):
    moments = ask(library, "one@0:01", "picture").moments
    assert moments[0].film == "three" and moments[0].like is not None and moments[0].matches
    assert {moment.like for moment in moments[1:]} == {None}


def test_filters(library):
    assert ask(library, "one@1", film="two").moments == []
    assert ask(library, "one@1", kinds=["said"]).moments == []
    assert ask(library, "one@1", "-picture").moments == []


def test_a_film_that_is_not_there_or_has_no_pictures(library):
    with pytest.raises(UserError, match="no film of the catalog is called 'nine'"):
        ask(library, "nine@1")
    with pytest.raises(UserError, match="give the id"):
        ask(library, "o@1")
    make_film(library / "dark", scenes=0)
    updating.update(library)
    with pytest.raises(UserError, match="no keyframe of it that says something"):
        ask(library, "dark@1")


@pytest.mark.parametrize(
    "text, time",
    [("a@83.5", 83.5), ("a@1:23", 83.0), ("a@0:01:23.5", 83.5), ("a@90s", 90.0), ("b@c@5", 5.0)],
)
def test_times(text, time):
    assert parse(text) == (text.rpartition("@")[0], time)


@pytest.mark.parametrize("text", ["a", "a@", "@5", "a@x", "a@1:2:3:4", "a@-1", ""])
def test_what_is_no_time_is_said(text):
    with pytest.raises(UserError, match="give it as FILM@TIME"):
        parse(text)
