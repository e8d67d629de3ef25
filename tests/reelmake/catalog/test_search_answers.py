"""What a search of a library answers."""

import datetime
import json
import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from make_moments import make_film
from make_pictures import picture, write_keyframes
from reelmake.catalog import candidates, updating
from reelmake.catalog.candidates import Hit, Place
from reelmake.catalog.moments import grouped
from reelmake.catalog.search import fused, search
from reelmake.foundation.errors import UserError

SAID = [
    "The crowd cheers for Zoë",
    "Nobody knows the way home",
    "A dog barks at the overcrowded bus",
    "我今天去看足球比赛",
    "She has crowded thoughts of a harbour",
    "Nothing more",
]
SEEN = [
    "A stadium full of people",
    "A dark street",
    "A red bus",
    "A harbour at night",
]
WRITTEN = ["Gate 7", 'Übermorgen <b>"geöffnet"</b>', "مرحبا بكم"]


@pytest.fixture
def library(tmp_path):
    """The catalog of a library of three films: a match, one other, one that says nothing."""
    folder = tmp_path / "results"
    make_film(folder / "match", texts=SAID, seen=SEEN, segments=6, scenes=4, written=WRITTEN,
              source="/films/Summer_Match.2019.mkv")  # fmt: skip
    make_film(folder / "other", texts=["The crowd is quiet"], seen=["A harbour"], scenes=1,
              segments=1, source="https://example.org/a/b.mp4?key=secret")  # fmt: skip
    make_film(folder / "empty", segments=0, scenes=0)
    updating.update(folder)
    return folder / "catalog.db"


def found(library, text: str, **given) -> list[tuple[str, float]]:
    return [(each.film, each.start) for each in search(library, text, **given).moments]


def test_all_words_are_wanted(library):
    assert found(library, "crowd cheers") == [("match", 0.0)]
    assert search(library, "crowd cheers").notes == []


def test_a_sentence_and_the_scene_it_is_in_are_one_moment_that_says_both(library):
    (moment,) = search(library, "harbour", film="match").moments
    assert (moment.said, moment.seen) == (SAID[4], "A harbour at night\nnothing\noutside\ncalm")
    assert [(each.kind, each.words) for each in moment.matches] == [
        ("seen", ("harbour",)), ("said", ("harbour",))]  # fmt: skip
    assert moment.start == 19.2 and moment.end == 29.5


def test_what_is_seen_where_something_is_said_and_the_other_way_round(library):
    (moment,) = search(library, "cheers").moments
    assert moment.seen == "A stadium full of people\nnothing\noutside\ncalm"
    (moment,) = search(library, "stadium").moments
    assert moment.said == SAID[0]
    assert [match.kind for match in moment.matches] == ["seen"]


def test_where_no_moment_has_all_those_that_have_most_are_shown_and_it_is_said(library):
    answer = search(library, "crowd cheers elephant")
    assert answer.moments[0].missing == ("elephant",)
    assert answer.moments[0].film == "match" and answer.moments[0].start == 0.0
    assert answer.notes == ["no moment has all of these words; these have most of them"]


def test_one_word_said_and_the_other_seen_at_the_same_time_are_all(library):
    answer = search(library, "cheers stadium")
    assert answer.notes == [] and answer.moments[0].missing == ()
    assert {match.kind for match in answer.moments[0].matches} == {"said", "seen"}


def test_a_phrase_is_in_that_order(library):
    assert found(library, '"crowd cheers"') == [("match", 0.0)]
    assert found(library, '"cheers crowd"') == []


def test_words_in_a_row_come_first(tmp_path):
    """Though others are shorter, which bm25 puts first."""
    for name, text in (("a", "Cheers crowd"), ("b", "Cheers, cheers crowd"),
                       ("c", "So it is said that in the end a crowd cheers")):  # fmt: skip
        make_film(tmp_path / "results" / name, scenes=0, segments=1, texts=[text])
    updating.update(tmp_path / "results")
    found_first = found(tmp_path / "results" / "catalog.db", "crowd cheers")[0]
    assert found_first == ("c", 0.0)


def test_without(library):
    assert {film for film, _ in found(library, "crowd -cheers")} == {"match", "other"}
    assert ("match", 0.0) not in found(library, "crowd -cheers")


def test_without_what_is_seen_while_it_is_said(library):
    assert found(library, "cheers -stadium") == []


def test_a_beginning_and_a_part(library):
    assert found(library, "cheer*") == [("match", 0.0)]
    assert found(library, "rowde") == [("match", 12.0), ("match", 24.0)]
    (moment, *_) = search(library, "arks").moments
    (match,) = moment.matches
    assert [match.text[a:b] for a, b in match.marks] == ["arks"]


def test_whole_words_come_before_parts_of_words(library):
    assert found(library, "crowd")[:2] in (
        [("other", 0.0), ("match", 0.0)], [("match", 0.0), ("other", 0.0)])  # fmt: skip
    assert len(found(library, "crowd")) == 4


def test_case_and_diacritics_and_scripts_without_spaces(library):
    assert found(library, "ZOE") == [("match", 0.0)]
    assert found(library, "足球") == [("match", 18.0)]


def test_titles_and_names_of_files(library):
    (moment,) = search(library, "summer").moments
    assert (moment.film, moment.start, moment.matches[0].kind) == ("match", 0.0, "title")
    assert found(library, "mkv") == [("match", 0.0)]


def test_what_is_written_in_the_picture(library):
    (moment,) = search(library, "gate 7").moments
    (match,) = moment.matches
    assert (moment.film, moment.start, match.kind, match.text) == (
        "match",
        1.2,
        "written",
        "Gate 7",
    )
    assert moment.written == "Gate 7" and moment.seen and moment.said == SAID[0]
    (other,) = search(library, "ubermorgen geoffnet", kinds=["written"]).moments
    assert other.written == WRITTEN[1]
    assert found(library, "مرحبا") == [("match", 13.2)]
    assert found(library, "gate", kinds=["said", "seen"]) == []
    (said,) = search(library, "cheers").moments
    assert said.written == "Gate 7" and said.matches[0].kind == "said"  # what is there as well
    assert found(library, "cheers -gate") == []


def test_lines_that_come_into_the_picture_together_are_one_moment(tmp_path):
    make_film(tmp_path / "talk")
    path = tmp_path / "talk" / "onscreen.json"
    content = json.loads(path.read_bytes())
    (line,) = content["lines"]
    more = [line | {"id": 1, "text": "for 2031", "end": 9.0}, line | {"id": 2, "start": 7.0}]
    path.write_text(json.dumps(content | {"lines": [line | {"text": "Results"}, *more]}))
    updating.update(tmp_path)
    (moment,) = search(tmp_path / "catalog.db", "results 2031", kinds=["written"]).moments
    assert (moment.start, moment.end, moment.written) == (1.2, 9.0, "Results\nfor 2031")


def test_only_what_is_said_or_seen(library):
    assert ("match", 19.2) in found(library, "harbour", kinds=["seen"])
    assert found(library, "harbour", kinds=["said"]) == [("match", 24.0)]
    assert found(library, "summer", kinds=["said", "seen"]) == []


def test_only_one_film(library):
    assert found(library, "crowd", film="other") == [("other", 0.0)]
    assert {film for film, _ in found(library, "crowd", film="sümmer")} == {"match"}
    with pytest.raises(UserError, match=r"called 'mach' \(did you mean 'match'\?\)"):
        search(library, "crowd", film="mach")


def test_only_films_that_are_not_older(library, monkeypatch):
    born = datetime.datetime.fromtimestamp(1_700_000_000, datetime.UTC)
    assert found(library, "cheers", since=born) == [("match", 0.0)]
    assert found(library, "cheers", since=born + datetime.timedelta(seconds=1)) == []


def test_both_at_once(library):
    """Of a film with that name, and of an age, only those that have both."""
    born = datetime.datetime.fromtimestamp(1_700_000_000, datetime.UTC)
    assert found(library, "crowd", film="other", since=born) == [("other", 0.0)]
    late = born + datetime.timedelta(seconds=1)
    assert found(library, "crowd", film="other", since=late) == []


def test_an_id_is_meant_before_a_part_of_a_name(library):
    make_film(library.parent / "other_match", texts=["The crowd is loud"])
    updating.update(library.parent)
    assert {film for film, _ in found(library, "crowd", film="match")} == {"match"}
    assert {film for film, _ in found(library, "crowd", film="matc")} == {"match", "other_match"}


def test_a_few_hits_at_the_top_that_are_not_wanted_hide_nothing(library, monkeypatch):
    monkeypatch.setattr("reelmake.catalog.search.LEAST", 1)
    monkeypatch.setattr("reelmake.catalog.search.DEPTH", 1)
    assert found(library, "crowd -quiet", limit=1) == [("match", 0.0)]
    assert found(library, "crowd -cheers", limit=1) == [("other", 0.0)]


def test_a_limit(library):
    assert len(found(library, "crowd", limit=2)) == 2


def test_the_file_of_a_film_from_the_web_is_what_was_downloaded(library):
    (moment,) = search(library, "quiet").moments
    assert moment.path is None and "secret" not in str(moment.source)
    folder = library.parent / "other"
    (folder / "source.json").write_text(json.dumps({"file": "source.mp4"}))
    assert search(library, "quiet").moments[0].path == str(folder / "source.mp4")
    (folder / "source.json").write_text(json.dumps({"file": "../../secret.mp4"}))
    assert search(library, "quiet").moments[0].path is None


def test_the_keyframe_of_the_scene(library):
    write_keyframes(library.parent / "match", [picture(n) for n in range(4)])
    updating.update(library.parent)
    (moment,) = search(library, "cheers").moments
    assert moment.keyframe == str(library.parent / "match" / "keyframes" / "scene0000_0.jpg")


def test_no_keyframe_is_outside_of_its_folder(library):
    listed = json.loads((library.parent / "match" / "keyframes.json").read_text())
    listed["keyframes"][0]["file"] = "../keyframes.json"
    (library.parent / "match" / "keyframes.json").write_text(json.dumps(listed))
    (library.parent / "match" / "manifest.json").write_text("{}")
    updating.update(library.parent)
    assert search(library, "cheers").moments[0].keyframe is None


@pytest.mark.parametrize("common", [1, 2, 3, 10])
def test_common_words_change_what_is_scored_and_not_what_is_found(library, monkeypatch, common):
    queries = ["crowd", "the crowd", "the crowd cheers", "the -crowd", '"the crowd"', "harbour a",
               "rowd", "crowd elephant", "the"]  # fmt: skip
    before = [set(found(library, text)) for text in queries]
    monkeypatch.setattr(candidates, "COMMON", common)
    assert [set(found(library, text)) for text in queries] == before


def test_without_a_catalog_it_is_said_how_to_make_one(tmp_path):
    with pytest.raises(UserError, match="`reel catalog` makes one"):
        search(tmp_path / "catalog.db", "crowd")


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_what_is_no_catalog_is_said(tmp_path, content):
    (tmp_path / "catalog.db").write_bytes(content)
    with pytest.raises(UserError, match="makes it anew"):
        search(tmp_path / "catalog.db", "crowd")


def test_an_empty_library(tmp_path):
    (tmp_path / "results").mkdir()
    updating.update(tmp_path / "results")
    for text in ("crowd", "crowd cheers", "-crowd"):
        assert search(tmp_path / "results" / "catalog.db", text).moments == []


PIECES = [
    "crowd",
    "the",
    "harbour",
    "足球",
    "zoë",
    *'"-*()^:+\\\0\ud800 .',
    " AND ",
    " NEAR(",
    "😀",
]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=30).map("".join)))
def test_any_text_has_an_answer(library, text):
    answer = search(library, text)
    for moment in answer.moments:
        assert moment.matches and moment.score > 0
        for match in moment.matches:
            assert match.marks == tuple(sorted(match.marks))
            assert all(0 <= a < b <= len(match.text) for a, b in match.marks)


@pytest.mark.parametrize("text", ["x" * 10_000, "the crowd " * 1_000, '"' * 10_000, "-a " * 3_000])
def test_a_long_query_has_an_answer(library, text):
    assert search(library, text).notes


def test_another_ranked_list_joins_those_of_words(library):
    def like(db, filters, most):
        (number,) = db.execute("SELECT id FROM films WHERE video = 'other'").fetchone()
        return [Hit(Place(number, "said", 0), 0.0, 5.5, "The crowd is quiet")]

    alone = search(library, "crowd").moments
    (first, *_) = search(library, "crowd", others=[like]).moments
    assert first.film == "other" and first.score > max(moment.score for moment in alone)
    assert [each.film for each in search(library, "", others=[like]).moments] == ["other"]
    assert search(library, "crowd -quiet", others=[like]).moments[0].film == "match"


def _hit(kind: str, item: int, start: float, end: float, film: int = 1) -> Hit:
    return Hit(Place(film, kind, item), start, end, f"{kind} {item}")


def test_hits_that_lie_together_are_one_moment():
    said, scene = _hit("said", 1, 10, 14), _hit("seen", 1, 12, 40)
    late, other = _hit("said", 9, 35, 38), _hit("said", 1, 10, 14, film=2)
    groups = grouped(fused([[said, scene, late, other]]))
    assert [group.hits for group in groups] == [[said, scene], [late], [other]]
    assert groups[0].score == pytest.approx(1 / 61 + 1 / 62)


def test_a_title_is_a_moment_of_its_own():
    title, said = Hit(Place(1, "title", None), 0, 90, "A title"), _hit("said", 0, 0, 4)
    assert len(grouped(fused([[title, said]]))) == 2


def test_many_sentences_count_no_more_than_the_best_of_them():
    said = [_hit("said", n, n * 2.0, n * 2.0 + 2) for n in range(3)]
    (group,) = grouped(fused([said]))
    assert group.score == pytest.approx(1 / 61)


def test_a_catalog_that_has_lost_a_film_is_said_to_be_damaged(library):
    db = sqlite3.connect(library)
    db.execute("DELETE FROM films WHERE video = 'match'")
    db.commit()
    db.close()
    with pytest.raises(UserError, match="of no film; `reel catalog --rebuild`"):
        search(library, "harbour")
