"""Which shots a trailer is made of, and the frames that they are counted in."""

import itertools
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelmake.editing.frame_rate import Cadence, cadence
from reelmake.editing.trailer_plan import Plan, plan

PAL, NTSC = Fraction(25), Fraction(30000, 1001)
NAMES = ["setup", "rising", "climax", "resolution"]


def beat(start: float, end: float, name: str = "rising") -> dict[str, Any]:
    return {"beat": name, "start": start, "end": end, "title": f"{name} {start}", "why": None}


def film(seconds: float, rate: Fraction = PAL, offset: Fraction = Fraction(0)) -> Cadence:
    return Cadence(rate, max(1, round((Fraction(seconds) - offset) * rate)), offset)


def seconds(made: Plan) -> list[tuple[float, float]]:
    return [(float(made.film.time(s.start)), float(made.film.time(s.end))) for s in made.shots]


@st.composite
def films(draw: st.DrawFn) -> dict[str, Any]:
    """A film with beats that follow each other, maybe with gaps, and borders anywhere."""
    rate = draw(st.sampled_from([PAL, NTSC, Fraction(60), Fraction(10), Fraction(180, 7)]))
    length = draw(st.one_of(st.floats(0.01, 5), st.floats(5, 10_000)))
    count = draw(st.integers(0, 20))
    shares = sorted(draw(st.lists(st.integers(0, 1000), min_size=count, max_size=count)))
    times = [length * share / 1000 for share in shares]
    beats = [
        beat(start, end, draw(st.sampled_from(NAMES)))
        for start, end in zip(times[::2], times[1::2], strict=False)
    ]
    return {
        "beats": [beat | {"title": str(number)} for number, beat in enumerate(beats)],
        "borders": sorted(draw(st.lists(st.floats(0, length), max_size=40))),
        "film": film(length, rate, draw(st.sampled_from([Fraction(0), Fraction(1, 3) / rate]))),
        "seconds": draw(st.one_of(st.floats(0.01, 5), st.floats(5, 300))),
        "crossfade": draw(st.one_of(st.just(0.0), st.floats(0, 5))),
    }


@given(films())
def test_a_trailer_is_never_longer_than_asked_for_nor_than_the_film(given: dict[str, Any]) -> None:
    made = plan(**given)
    rate = made.film.rate
    assert 1 <= made.length <= max(1, given["seconds"] * rate)
    assert made.length <= made.film.frames
    assert made.length == made.places()[-1] + made.shots[-1].end - made.shots[-1].start


@given(films())
def test_shots_lie_in_their_beats_in_the_beats_order(given: dict[str, Any]) -> None:
    made, half = plan(**given), 0.5 / float(given["film"].rate) + 1e-6
    if made.shots[0].beat == "opening":
        assert len(made.shots) == 1
        return
    numbers = [int(shot.title or "") for shot in made.shots]
    assert numbers == sorted(numbers)
    for number, (start, end) in zip(numbers, seconds(made), strict=True):
        assert given["beats"][number]["start"] - half <= start
        assert end <= given["beats"][number]["end"] + half


@given(films())
def test_a_shot_has_room_for_its_fades_and_lies_in_the_film(given: dict[str, Any]) -> None:
    made = plan(**given)
    assert 0 <= made.fade <= given["crossfade"] * made.film.rate + 1
    for shot in made.shots:
        assert 0 <= shot.start < shot.end <= made.film.frames
        assert shot.end - shot.start >= 2 * made.fade
    if len(made.shots) > 1:
        assert min(shot.end - shot.start for shot in made.shots) >= made.film.rate


@given(films(), st.sampled_from([Fraction(24), Fraction(24000, 1001), PAL, NTSC]))
def test_another_frame_rate_moves_a_cut_by_half_a_frame(
    given: dict[str, Any], rate: Fraction
) -> None:
    made = plan(**given)
    other = made.at(rate)
    for a, b in zip(made.shots, other.shots, strict=True):
        assert abs(a.start / made.film.rate - b.start / rate) <= Fraction(1, 2) / rate
        assert b.end > b.start and b.end - b.start >= 2 * other.fade


def test_shots_begin_and_end_where_scenes_do() -> None:
    beats = [beat(0, 20, "setup"), beat(30, 60, "climax"), beat(70, 90, "resolution")]
    borders = [0.0, 3, 8, 13, 31, 39, 46, 58, 60, 70, 75.04, 79, 100]
    made = plan(beats, borders, film(100), 24, 0.0)
    assert seconds(made) == [(3, 8), (46, 58), (70, 75.04)]
    assert [shot.beat for shot in made.shots] == ["setup", "climax", "resolution"]


def test_without_a_second_between_borders_a_shot_begins_on_one_and_ends_in_the_beat() -> None:
    made = plan([beat(10, 30)], [12.0, 12.8, 13.4], film(60), 6, 0.0)
    assert seconds(made) == [(12, 13.4)]
    made = plan([beat(10, 30)], [12.0, 12.8], film(60), 6, 0.0)
    assert seconds(made) == [(12, 18)]
    for borders in ([], [29.5]):
        assert seconds(plan([beat(10, 30)], borders, film(60), 6, 0.0)) == [(10, 16)]


def test_overlaps_are_counted_once_and_the_climax_gets_more() -> None:
    beats = [beat(100 * n, 100 * n + 50, NAMES[n]) for n in range(4)]
    made = plan(beats, [], film(400), 60, 1.0)
    lengths = [shot.end - shot.start for shot in made.shots]
    assert made.fade == 25
    assert 60 * 25 - 4 <= made.length <= 60 * 25
    assert lengths[2] == pytest.approx(1.5 * lengths[0], abs=4)
    assert lengths[0] == lengths[1] == lengths[3]


def test_what_borders_take_from_others_the_climax_gets() -> None:
    beats = [beat(0, 50, "setup"), beat(100, 150, "climax"), beat(200, 250, "resolution")]
    made = plan(beats, [2.0, 4.0, 201.0, 203.0], film(300), 30, 0.0)
    assert [end - start for start, end in seconds(made)] == pytest.approx([2, 26, 2], abs=0.041)


def test_where_time_is_short_rising_beats_go_first() -> None:
    beats = [beat(0, 9, "setup"), *(beat(10 * n, 10 * n + 9) for n in range(1, 5))]
    beats += [beat(60, 69, "climax"), beat(70, 79, "resolution")]
    made = plan(beats, [], film(100), 4, 0.5)
    assert [shot.beat for shot in made.shots] == ["setup", "rising", "climax", "resolution"]
    assert made.length <= 100
    made = plan(beats, [], film(100), 1, 0.5)
    assert [shot.beat for shot in made.shots] == ["climax"]


def test_a_film_without_beats_gets_its_beginning() -> None:
    made = plan([], [0.0, 4, 100], film(100), 6, 0.5)
    assert seconds(made) == [(0, 4)]
    assert (made.shots[0].beat, made.shots[0].title) == ("opening", None)
    assert seconds(plan([], [0.0, 100], film(100), 6, 0.5)) == [(0, 6)]


def test_fades_are_shortened_to_what_there_is_room_for() -> None:
    beats = [beat(0, 1.2, "setup"), beat(2, 3.6, "climax")]
    made = plan(beats, [], film(4), 60, 5.0)
    assert made.fade == 15
    assert made.length == 30 + 40 - 15
    assert plan([], [], film(0.04), 60, 5.0).shots[0][:2] == (0, 1)


def media(
    fps: float | None, start: float = 0.0, duration: float | None = 10.0, pictures: bool = True
) -> dict[str, Any]:
    stream = {"index": 0, "fps_average": fps, "start_time": start}
    return {"streams": [stream], "video": 0 if pictures else None, "duration": duration}


def scenes(fps: float | None, *borders: float) -> dict[str, Any]:
    pairs = itertools.pairwise(borders)
    return {"fps": fps, "scenes": [{"start": a, "end": b} for a, b in pairs]}


@pytest.mark.parametrize(
    ("said", "counted", "rate"),
    [
        (25.0, 25.0, PAL),
        (29.97003, 29.970034, NTSC),
        (23.976024, 23.98, Fraction(24000, 1001)),
        (24.0, 23.99, Fraction(24)),
        (59.94006, None, Fraction(60000, 1001)),
        (119.88012, 119.88012, Fraction(60000, 1001)),
        (100.0, 100.0, Fraction(50)),
        (60.7, 60.7, Fraction(60)),
        (25.0, 25.714286, Fraction(180, 7)),
        (None, 30.0, Fraction(30)),
        (0.5, 0.5, PAL),
        (None, None, PAL),
    ],
)
def test_the_rate_is_the_films_average_and_60_at_most(
    said: float | None, counted: float | None, rate: Fraction
) -> None:
    assert cadence(media(said), scenes(counted), 60).rate == rate


def test_frames_are_counted_from_the_films_own() -> None:
    """Pictures that begin 10 ms after the sound, or a second and 10 ms: frame n is a frame."""
    for start in (0.01, 1.01):
        found = cadence(media(25.0, start), scenes(25.0, start, 7.01), 60)
        assert found.offset == pytest.approx(0.01)
        assert found.frames == 175
        assert found.frame(3.01) == 75
        assert float(found.time(75)) == pytest.approx(3.01)
    assert cadence(media(25.0, 0.9999), scenes(25.0, 0.9999, 7), 60).offset == 0


def test_the_film_is_as_long_as_its_pictures_or_its_sound_or_unknown() -> None:
    assert cadence(media(25.0, duration=99), scenes(25.0, 0.0, 7), 60).frames == 175
    assert cadence(media(None, duration=9, pictures=False), scenes(None), 60).frames == 225
    assert cadence(media(None, duration=None, pictures=False), scenes(None), 60).frames == 1500
