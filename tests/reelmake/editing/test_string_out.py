"""Where moments of films stand on an editor's timeline, in frames."""

from fractions import Fraction
from pathlib import Path

from reelmake.editing import frame_rate, string_out
from reelmake.editing.frame_rate import Cadence
from reelmake.editing.string_out import Film, Moment
from reelmake.editing.timecode import Timecode

PAL, NTSC = Fraction(25), Fraction(30000, 1001)
ONE = Film(Path("/f/one.mov"), Cadence(PAL, 250), Timecode(900_000, PAL, False), (64, 36), 2, 48000)
TWO = Film(Path("/f/two.mov"), Cadence(NTSC, 300), Timecode(1_078_920, NTSC, True), (64, 36), 0, 0)
FILMS = {film.source: film for film in (ONE, TWO)}
MOMENTS = [
    Moment(ONE.source, 1.0, 2.0, "a", "why"),
    Moment(TWO.source, 3.003, 4.004, "b"),
    Moment(ONE.source, 0.0, 0.5, "c"),
]


def test_cuts_follow_each_other_in_the_order_given() -> None:
    made = string_out.cuts("all", MOMENTS, FILMS)
    assert (made.rate, made.drop, made.first) == (PAL, False, 0)
    assert [cut.film for cut in made.cuts] == [ONE, TWO, ONE]
    assert [(cut.start, cut.end) for cut in made.cuts] == [(25, 50), (90, 120), (0, 12)]
    assert [(cut.at, cut.length) for cut in made.cuts] == [(0, 25), (25, 25), (50, 12)]
    assert made.length == 62
    assert made.films == [ONE, TWO]


def test_moments_are_within_the_film_and_never_empty() -> None:
    outside = [(-3.0, 0.001), (9.99, 99.0), (50.0, 60.0), (2.0, 2.0)]
    made = string_out.cuts("x", [Moment(ONE.source, *span, "m") for span in outside], FILMS)
    assert [(cut.start, cut.end) for cut in made.cuts] == [(0, 1), (249, 250), (249, 250), (50, 51)]


def test_markers_are_on_the_whole_film_under_its_own_timecode() -> None:
    made = string_out.markers("x", [MOMENTS[0], MOMENTS[2]], FILMS)
    assert made.first == 900_000
    assert [(cut.start, cut.end, cut.label) for cut in made.cuts] == [(0, 250, "one.mov")]
    assert [(mark.at, mark.length, mark.label) for mark in made.marks] == [
        (25, 25, "a"),
        (0, 12, "c"),
    ]


def test_markers_of_many_films_stand_where_their_film_stands() -> None:
    made = string_out.markers("x", MOMENTS, FILMS)
    assert made.first == 0
    assert [(cut.at, cut.length) for cut in made.cuts] == [(0, 250), (250, 250)]
    assert [(mark.cut, mark.start, mark.at) for mark in made.marks] == [
        (0, 25, 25),
        (1, 90, 325),
        (0, 0, 0),
    ]


def test_the_timeline_is_drop_frame_where_all_films_with_timecode_are() -> None:
    without = Film(Path("/f/none.mov"), Cadence(NTSC, 300))
    moments = [MOMENTS[1], Moment(without.source, 0, 1, "d")]
    assert string_out.cuts("x", moments, FILMS | {without.source: without}).drop
    assert not string_out.cuts("x", moments[1:], {without.source: without}).drop


def test_odd_rates_are_counted_by_one_that_editors_know() -> None:
    assert [frame_rate.countable(Fraction(rate)) for rate in (15, 25, 60)] == [30, 25, 60]
    assert frame_rate.countable(Fraction(25, 2)) == 25
    assert frame_rate.countable(NTSC) == NTSC
    assert frame_rate.countable(Fraction(180, 7)) == 25
