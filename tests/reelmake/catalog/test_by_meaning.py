"""Moments found in other words than theirs, by the demo's models."""

from pathlib import Path

import pytest

import make_meanings
from make_meanings import GIVEN
from make_moments import make_film
from reelmake.catalog import by_meaning, updating, vector_index
from reelmake.catalog.search import search
from reelmake.foundation.errors import UserError
from reelmake.library import config


@pytest.fixture(scope="session")
def library(shared) -> Path:
    """The results of three films that are in the catalog. Tests only read it."""
    return shared("meanings", lambda folder: make_meanings.make(folder / "results")) / "results"


def found(results: Path, text: str, given=GIVEN, **more):
    rankers = by_meaning.rankers(results, config.load(given), text)
    answer = search(results / updating.NAME, text, others=rankers.rankers, **more)
    return answer, rankers.notes


@pytest.mark.parametrize(
    "query, film, there",
    [
        ("the audience applauds", "film1", "the crowd cheers"),
        ("a little sparrow chants softly", "film1", "a small bird"),
        ("golden squad makes a point", "film2", "the yellow team"),
        ("a lime pyramid at the right edge", "film1", "a green triangle"),
        ("a round crimson shape in the middle", "film0", "a red circle"),
    ],
)
def test_a_paraphrase_finds_the_moment(library, query, film, there):
    answer, _ = found(library, query)
    best = answer.moments[0]
    assert best.film == film and there in f"{best.said}\n{best.seen}"
    assert best.meaning is not None and 0.3 < best.meaning <= 1


def test_the_words_themselves_come_first(library):
    answer, notes = found(library, "quiet room")
    assert answer.moments[0].said == "nothing happens in this quiet room"
    assert answer.moments[0].matches and notes == []


def test_a_word_that_says_nothing_finds_nothing_beside_meanings(library):
    answer, _ = found(library, "the audience applauds")
    assert all(moment.meaning is not None for moment in answer.moments)
    answer, _ = found(library, "the audience applauds explosion bird")
    assert any(moment.matches and "bird" in moment.said for moment in answer.moments)


@pytest.mark.parametrize(
    "query, note",
    [("sparrow", ["no moment has this word; these mean about the same"]), ("bird", [])],
)
def test_a_single_word_that_nobody_says_is_named_too(library, query, note):
    answer, _ = found(library, query)
    assert answer.moments and answer.notes == note


def test_filters_hold_for_meanings_too(library):
    said, _ = found(library, "a round crimson shape", kinds=("said",))
    assert {moment.meaning for moment in said.moments if not moment.said} <= {None}
    only, _ = found(library, "the audience applauds", film="film2")
    assert {moment.film for moment in only.moments} <= {"film2"}
    without, _ = found(library, "the audience applauds -crowd")
    assert all("crowd" not in (moment.said or "") for moment in without.moments)


@pytest.mark.parametrize("query", ['"the audience"', "audienc*", "", "!!! ???", "-crowd"])
def test_who_asks_for_words_gets_no_meanings(library, query):
    assert by_meaning.rankers(library, config.load(GIVEN), query) == ([], [])


def test_pictures_like_one_are_found(library):
    others = [by_meaning.LikePicture(library, "film0", 1.5)]
    answer = search(library / updating.NAME, "", others=others)
    assert (answer.moments[0].film, answer.moments[0].start) == ("film2", pytest.approx(1.2))
    assert all((moment.film, moment.start) != ("film0", 1.2) for moment in answer.moments)
    with pytest.raises(UserError):
        search(library / updating.NAME, "", others=[by_meaning.LikePicture(library, "none", 0)])


def test_a_model_that_is_not_here_leaves_the_words(library, monkeypatch, tmp_path):
    given = {"embeddings": GIVEN["embeddings"] | {"image_text_model": str(tmp_path / "none")}}
    answer, notes = found(library, "crowd", given)
    assert "crowd" in answer.moments[0].said
    (note,) = notes
    assert note.startswith("not looked for by meaning") and "embeddings.image_text_model" in note


def test_vectors_of_other_models_are_said(library):
    answer, (note,) = found(library, "crowd", {})
    assert "crowd" in answer.moments[0].said and answer.moments[0].meaning is None
    assert "--configfile" in note


def test_without_vectors_nothing_is_loaded_or_said(tmp_path):
    make_film(tmp_path / "film")
    updating.update(tmp_path)
    assert not by_meaning.has_vectors(tmp_path)
    assert by_meaning.rankers(tmp_path, config.load({}), "crowd") == ([], [])


def test_the_catalog_is_current_only_with_its_vectors(library):
    assert updating.is_current(library)
    (library / vector_index.NAME).rename(library / "away")
    try:
        assert not updating.is_current(library)
    finally:
        (library / "away").rename(library / vector_index.NAME)
