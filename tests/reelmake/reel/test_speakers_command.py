"""`reel speakers`: who there is, and naming them."""

import json

import pytest

from make_moments import make_film
from reelmake.catalog import updating
from reelmake.catalog.opening import opened
from reelmake.reel import main


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A working directory with two films: Anna is named in one, and heard in both."""
    monkeypatch.chdir(tmp_path)
    make_film(tmp_path / "results" / "one")
    make_film(tmp_path / "results" / "two", names={}, prints=([0.0, 1.0], [1.0, 0.0]))
    (tmp_path / "speakers.csv").write_text("film,label,name\none,S1,Anna\n")
    updating.update(tmp_path / "results")
    return tmp_path


def run(capsys, *words, ends=0):
    assert main.main(["speakers", *words]) == ends
    return capsys.readouterr()


def test_voices_are_listed_with_films_and_minutes(library, capsys):
    assert run(capsys).out.splitlines() == [
        "Anna: 16 s in 2 films (one, two)",
        "    two S2: a guess (1.00 of 1)",
        "without a name: 2 voices",
        "    two S1: 11 s",
        "    one S2: 6 s",
    ]
    listed = json.loads(run(capsys, "--json", "--film", "two").out)
    assert listed["current"] is True
    assert [(each["label"], each["name"], each["guessed"]) for each in listed["speakers"]] == [
        ("S1", None, False),
        ("S2", "Anna", True),
    ]


def test_a_name_is_written_and_shown_at_once(library, capsys):
    said = run(capsys, "name", "two", "S1", "Ben ").err
    assert said == "reel: speakers.csv: 1 name (two); the next run writes the subtitles anew\n"
    assert (library / "speakers.csv").read_text().splitlines()[2:] == ["two,S1,Ben"]
    assert "Ben: 11 s in 1 film (two)" in run(capsys).out
    assert "nothing to change" in run(capsys, "name", "two", "S1", "Ben").err
    run(capsys, "name", "two", "S1", "")
    assert "Ben" not in run(capsys).out
    run(capsys, "name", "*", "S2", "Guest")
    assert "Guest: 11 s in 2 films" in run(capsys).out


def test_a_name_that_stays_by_another_row_is_said(library, capsys):
    (library / "speakers.csv").write_text("film,label,name\n*,S1,Host\none,S1,Anna\n")
    said = run(capsys, "name", "one", "s1", "").err
    assert "1 name (one)" in said and "one S1 is still 'Host', by a row of its path or of" in said
    run(capsys, "name", "*", "S1", "")
    assert "still" not in run(capsys, "name", "one", "S1", "").err


def test_a_film_from_the_web_is_named_by_its_whole_address(library, capsys):
    """The catalog has it without what may be secret."""
    url = "https://me:pw@example.org/watch?v=1"
    make_film(library / "results" / "web", source=url, names={"S1": "Zoe"})
    updating.update(library / "results")
    (library / "speakers.csv").write_text(f"film,label,name\n{url},S1,Zoe\n")
    assert "Zoe: " in run(capsys, "--film", "web").out


def test_a_film_may_be_named_by_its_path(library, capsys):
    with opened(library / "results" / "catalog.db") as db:
        source = db.execute("SELECT source FROM films WHERE video = 'two'").fetchone()[0]
    run(capsys, "name", source, "S1", "Ben")
    assert "two,S1,Ben" in (library / "speakers.csv").read_text()


def test_guesses_are_accepted(library, capsys):
    run(capsys, "accept", "Anna")
    assert "two,S2,Anna" in (library / "speakers.csv").read_text()
    assert "guess" not in run(capsys).out
    assert "there is no guess" in run(capsys, "accept", ends=1).err


def test_what_stands_in_the_label_of_a_voice_steers_nothing(library, capsys):
    path = library / "results" / "two" / "speakers.json"
    path.write_text(path.read_text().replace('"S2"', '"S2\\u001b[2J\\nx"'))
    (library / "speakers.csv").write_text("film,label,name\n")
    updating.update(library / "results", rebuild=True)
    said = run(capsys).out
    assert "two S2\ufffd[2J\ufffdx: a guess" in said and "\x1b" not in said
    before = (library / "speakers.csv").read_text()
    assert "there is no guess" in run(capsys, "accept", ends=1).err
    assert (library / "speakers.csv").read_text() == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("nam", "two", "S1", "Ben"), "did you mean 'name'?"),
        (("name", "two", "S1"), "speakers name: give `name FILM LABEL NAME`"),
        (("name", "two", "S9", "Ben"), "two has no voice S9; it has S1, S2"),
        (("name", "three", "S1", "Ben"), "no film of the catalog is called 'three'"),
        (("name", "../two", "S1", "Ben"), "no film of the catalog is called '../two'"),
        (("name", "*", "1", "Ben"), "1 is no label of a voice"),
        (("name", "two", "S1", "\u202e"), "nothing that can be seen"),
        (("accept", "Ana"), "did you mean 'Anna'?"),
    ],
)
def test_what_can_not_be_done_is_said_and_changes_nothing(library, capsys, words, says):
    assert says in run(capsys, *words, ends=1).err
    assert (library / "speakers.csv").read_text() == "film,label,name\none,S1,Anna\n"


def test_without_a_catalog_the_next_step_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert "catalog" in run(capsys, ends=1).err
