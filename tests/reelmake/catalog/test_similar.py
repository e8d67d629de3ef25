"""Films that look the same, from hashes."""

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reelmake.catalog import similar
from reelmake.catalog.picture_hashes import Hashes

DICE = np.random.default_rng(5)


@pytest.fixture(params=["each with each", "by quarters"], autouse=True)
def way(request, monkeypatch):
    """Few keyframes are compared another way than many are."""
    if request.param == "by quarters":
        monkeypatch.setattr(similar, "FEW", 0)
    return request.param


def film(hashes) -> Hashes:
    values = np.array(hashes, np.uint64)
    places = np.arange(len(values))
    return Hashes(places.astype(np.int32), places * 10.0, values)


def random_hashes(count: int) -> np.ndarray:
    return DICE.integers(0, 2**64, count, np.uint64)


def noisy(hashes: np.ndarray, bits: int) -> np.ndarray:
    """Each with that many bits flipped."""
    found = hashes.copy()
    for place in range(len(found)):
        for bit in DICE.choice(64, bits, replace=False):
            found[place] ^= np.uint64(1) << np.uint64(bit)
    return found


def found(films) -> set[tuple[str, str]]:
    return {(pair.film, pair.other) for pair in similar.pairs(films)}


def test_a_film_in_other_clothes_is_found():
    one = random_hashes(40)
    films = {"a": film(one), "b": film(random_hashes(40)), "c": film(noisy(one, 5))}
    assert found(films) == {("a", "c")}


def test_a_film_of_which_some_keyframes_are_others_is_found():
    one = random_hashes(30)
    other = np.concatenate([noisy(one[:12], 3), random_hashes(6), noisy(one[14:], 3)])
    (pair,) = similar.pairs({"a": film(one), "b": film(other)})
    assert pair.matched == 28
    assert (pair.share, pair.other_share) == (28 / 30, 28 / 34)


def test_an_excerpt_is_a_part_of_its_film():
    one = random_hashes(40)
    (pair,) = similar.pairs({"a": film(one), "b": film(noisy(one[10:20], 3))})
    assert (pair.share, pair.other_share) == (0.25, 1.0)


def test_the_same_pictures_in_another_order_are_another_film():
    one = random_hashes(20)
    assert found({"a": film(one), "b": film(one[::-1])}) == set()


def test_an_opening_that_all_have_makes_no_films_similar():
    logo = random_hashes(2)
    films = {f"f{n}": film(np.concatenate([logo, random_hashes(12)])) for n in range(30)}
    assert found(films) == set()


def test_a_picture_that_crowds_of_keyframes_have_is_passed_over(monkeypatch):
    monkeypatch.setattr(similar, "FEW", 0)
    monkeypatch.setattr(similar, "CROWD", 20)
    logo, one = random_hashes(1), random_hashes(10)
    films = {f"f{n}": film(np.concatenate([logo, random_hashes(3)])) for n in range(30)}
    films |= {"a": film(np.concatenate([logo, one])), "b": film(np.concatenate([logo, one]))}
    assert found(films) == {("a", "b")}


def test_films_without_pictures_are_not_alike():
    assert similar.pairs({}) == []
    assert similar.pairs({"a": film([]), "b": film([])}) == []


def test_scenes_of_different_films_that_look_the_same():
    one, other = random_hashes(5), random_hashes(6)
    other[4] = noisy(one[2:3], 2)[0]
    films = {"a": film(one), "b": film(other), "c": film(random_hashes(3))}
    assert similar.same_scenes(films, 10) == [(2, "a", 2, "b", 4)]
    assert similar.same_scenes(films, 10, [frozenset("ba")]) == []
    assert similar.same_scenes({}, 10) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=4))
def test_the_longest_match_in_order(rows):
    same = np.array(rows, bool)
    best = 0
    for count in range(1, 5):
        for some in itertools.combinations(range(len(rows)), count):
            for columns in itertools.combinations(range(4), count):
                if all(rows[r][c] for r, c in zip(some, columns, strict=True)):
                    best = max(best, count)
    assert similar.longest_in_order(same, same.shape[1]) == best


@pytest.mark.parametrize("flipped", [0, 1, 2])
def test_both_ways_find_the_same(flipped):
    base = random_hashes(30)
    films = {f"f{n}": film(np.concatenate([noisy(base[:25], flipped), random_hashes(5)]))
             for n in range(6)}  # fmt: skip
    assert found(films) == {
        (a, b) for a, b in itertools.combinations(films, 2)
        if similar._compared(a, b, films[a], films[b]).share >= similar.SHARE
    }  # fmt: skip


def test_two_long_films_are_compared_in_little_memory():
    count = 2000
    long = film(random_hashes(count))
    tracemalloc.start()
    try:
        pair = similar._compared("one", "other", long, long)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert pair.matched == count
    assert peak < count * count  # bytes: not one for each pair of pictures
