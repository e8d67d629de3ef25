"""How long work will take, by what earlier jobs took."""

import pytest

from reelmake.reel.estimates import Estimate, History, Lengths, Past, outlook


def history(*jobs: tuple[float, float, float], stage: str = "transcript") -> History:
    """jobs: (started, seconds, minutes)."""
    known = History()
    for job in jobs:
        known.add(stage, Past(*job))
    return known


def test_work_grows_with_the_media():
    known = history((0, 60, 10), (100, 120, 20))
    assert known.work("transcript", 5).mean == pytest.approx(30)
    assert known.work("transcript", 5).variance == pytest.approx(0)
    assert known.work("scenes", 5) is None


def test_what_varies_is_less_certain():
    steady = history(*((n, 60, 10) for n in range(10))).work("transcript", 100)
    wild = history(*((n, 60 + 50 * (-1) ** n, 10) for n in range(10))).work("transcript", 100)
    alone = history((0, 60, 10)).work("transcript", 100)
    assert steady.mean == wild.mean == alone.mean
    assert steady.variance < wild.variance
    assert steady.variance < alone.variance


def test_many_jobs_together_are_more_certain_than_one():
    known = history(*((n, 60 + 50 * (-1) ** n, 10) for n in range(50)))
    few, many = (known.work("transcript", minutes).quantiles() for minutes in (10, 1000))
    assert few[1] / few[0] > many[1] / many[0] > 1


def test_what_is_known_from_few_is_less_certain():
    few, many = (
        history(*((n, 60 + 50 * (-1) ** n, 10) for n in range(jobs))).work("transcript", 1000)
        for jobs in (2, 50)
    )
    assert few.mean == many.mean
    assert few.variance > 10 * many.variance


def test_the_latest_jobs_count():
    old = [(n, 600, 10) for n in range(500)]
    new = [(1000 + n, 60, 10) for n in range(50)]
    assert history(*new, *old).work("transcript", 10).mean == pytest.approx(60)


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ([(0, 10, 1), (10, 10, 1)], 1),
        ([(0, 10, 1), (0, 10, 1)], 2),
        ([(0, 10, 1), (0, 10, 1), (5000, 10, 1), (5000, 10, 1)], 2),  # nothing ran in between
        ([(0, 10, 1), (20, 10, 1)], 2 / 3),  # what a run needs between its jobs
        ([], 1),
    ],
)
def test_parallelism(jobs, expected):
    assert history(*jobs).parallelism() == pytest.approx(expected)


def test_the_parallelism_of_one_machine_of_several():
    known = History()
    for host in ("n1", "n2", "n3"):
        for _ in range(2):
            known.add("media", Past(0, 10, 1, host))
    assert known.parallelism() == pytest.approx(6)
    assert known.parallelism_of_one() == pytest.approx(2)
    assert History().parallelism_of_one() == 1


def test_the_quantiles_are_ordered_and_never_negative():
    assert Estimate(0, 0).quantiles() == (0, 0)
    p50, p90 = Estimate(10, 10000).quantiles()
    assert 0 < p50 < 10 < p90
    assert Estimate(10, 0).quantiles() == (10, 10)


def test_one_video_takes_as_long_as_its_stages_in_their_order():
    known = History()
    for start in (0, 0, 0, 0):  # four at once
        known.add("media", Past(start, 10, 1))
        known.add("scenes", Past(start, 10, 1))
    many = outlook(known, [{"media": 1, "scenes": 1}] * 80)
    assert many.p50 == pytest.approx(80 * 20 / 8)
    one = outlook(known, [{"media": 1, "scenes": 1}])
    assert one.p50 == pytest.approx(20)  # not 20 / 8: scenes waits for media


def test_what_nobody_knows_is_said():
    known = history((0, 10, 1), stage="media")
    assert outlook(known, [{"media": 1, "scenes": 1}]).without == ["scenes"]
    assert outlook(History(), [{"media": 1}]) is None
    assert outlook(history((0, 1, 1), stage="manifest"), [{"media": 1, "manifest": 1}]) is None


def test_lengths_are_guessed_by_size():
    lengths = Lengths()
    assert lengths.guess(10) is None
    lengths.add(60, None)
    assert lengths.guess(10) == 60
    lengths.add(100, 1000)
    assert lengths.guess(10) == 1
    assert lengths.guess(None) == 80
    lengths.add(None, 5)
    assert lengths.guess(10) == 1
