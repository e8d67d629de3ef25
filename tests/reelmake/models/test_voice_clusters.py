"""Voices of a film's pieces become its speakers."""

import numpy as np
import pytest

from reelmake.models import voice_clusters

DIMS = 64


def speakers(count: int, seed: int = 0) -> np.ndarray:
    """Prints that have nothing to do with each other: (count, dims)."""
    made = np.random.default_rng(seed).normal(size=(count, DIMS))
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def heard(speaker: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    """The speaker's print, as unsure as `noise` (the length of what is added)."""
    other = rng.normal(size=DIMS)
    made = speaker + noise * other / np.linalg.norm(other)
    return (made / np.linalg.norm(made)).astype(np.float32)


def same_partition(one: list[int], other: list[int]) -> bool:
    return len(set(zip(one, other, strict=True))) == len(set(one)) == len(set(other))


@pytest.mark.parametrize("count", [None, 5])
def test_eight_hours_of_five_speakers_in_pieces(count):
    rng, people = np.random.default_rng(1), speakers(5)
    who = [int(each) for _ in range(48) for each in rng.permutation(5)[: rng.integers(1, 5)]]
    prints = [heard(people[each], 0.5, rng) for each in who]
    found = voice_clusters.join(prints, rng.uniform(6, 200, len(who)), count, 0.5)
    assert same_partition(found, who)


def test_a_given_number_is_kept_to():
    people = speakers(4)
    found = voice_clusters.join([*people.astype(np.float32)], [60.0] * 4, 2, 0.5)
    assert len(set(found)) == 2


def test_a_short_voice_founds_no_speaker_where_it_is_near_to_one():
    rng, people = np.random.default_rng(3), speakers(2)
    prints = [heard(people[0], 0.2, rng), heard(people[1], 0.2, rng), heard(people[0], 0.7, rng)]
    assert voice_clusters.join(prints, [60, 60, 1], None, 0.5) == [0, 1, 0]


def test_short_voices_do_not_take_the_place_of_a_given_speaker():
    rng, people = np.random.default_rng(4), speakers(5)
    prints = [heard(person, 0.1, rng) for person in people]
    found = voice_clusters.join(prints, [1, 50, 1, 40, 1], 2, 0.5)
    assert found[1] != found[3]
    assert len(set(found)) == 2


def test_somebody_who_speaks_little_in_each_piece_is_one_speaker():
    rng, people = np.random.default_rng(5), speakers(2)
    prints = [heard(people[each], 0.4, rng) for each in (0, 1, 0, 1, 0, 1)]
    assert voice_clusters.join(prints, [60, 2, 60, 2, 60, 2], None, 0.5) == [0, 1, 0, 1, 0, 1]


def test_one_voice_and_none():
    assert voice_clusters.join([], [], None, 0.5) == []
    assert voice_clusters.join([*speakers(1).astype(np.float32)], [0.0], 3, 0.5) == [0]


def test_the_mean_is_weighted_and_of_unit_length():
    mean = voice_clusters.mean(np.eye(2, dtype=np.float32), np.array([3.0, 4.0]))
    assert mean == pytest.approx([0.6, 0.8])
