"""Who a voice is, by who it is like in other films."""

import contextlib
import json
import random

import numpy as np
import pytest

from make_moments import make_film
from reelmake.catalog import speakers, updating
from reelmake.catalog.candidates import Hit, Place
from reelmake.catalog.database import connect
from reelmake.catalog.search import search
from reelmake.catalog.voices import Voice, guesses
from reelmake.editing.speakers import Turns, with_speakers
from reelmake.foundation.errors import UserError
from reelmake.library import voice_prints
from reelmake.tables import rows

TOGETHER = [("S1", 9.0), ("S2", 1.2)]
"""Who speaks from 0 s, to when."""


def voice(film, label, print_, name=None, guessed=False, model="m"):
    return Voice(film, label, name, guessed, model, voice_prints.encode(print_))


ANNA, BEN = voice(1, "S1", [1, 0, 0], "Anna"), voice(1, "S2", [0, 1, 0], "Ben")


def who(found):
    return {place: guess.name for place, guess in found.items()}


def test_a_voice_that_is_like_a_named_one_is_guessed():
    likely = voice(2, "S1", [0.9, 0.1, 0.1])
    other = voice(2, "S2", [0.5, 0.5, 0.7])
    found = guesses([ANNA, BEN, likely, other], 0.7)
    assert who(found) == {(2, "S1"): "Anna"}
    assert found[2, "S1"].likeness == pytest.approx(0.988, abs=0.002)
    assert who(guesses([ANNA, BEN, likely, other], 0.999)) == {}


def test_two_voices_of_a_film_are_two_people():
    near, nearer = voice(2, "S1", [0.9, 0.2, 0]), voice(2, "S2", [1, 0.01, 0])
    assert who(guesses([ANNA, near, nearer], 0.7)) == {(2, "S2"): "Anna"}
    # And nobody is guessed in a film in which people have named her.
    assert who(guesses([ANNA, BEN, voice(1, "S3", [1, 0, 0])], 0.7)) == {}


def test_of_all_that_have_a_name_the_likest_counts():
    named = [voice(film, "S1", [1, film / 10, 0], name) for film, name in enumerate("BABAB", 1)]
    found = guesses([*named, voice(9, "S1", [1, 0.2, 0]), voice(9, "S2", [1, 0.5, 0.02])], 0.7)
    assert who(found) == {(9, "S1"): "A", (9, "S2"): "B"}
    assert all(guess.likeness > 0.999 for guess in found.values())


def test_a_guess_tells_nothing_of_others():
    guess = voice(2, "S1", [0.8, 0.6, 0], "Anna", guessed=True)
    assert who(guesses([ANNA, guess, voice(3, "S1", [0.3, 0.9, 0])], 0.7)) == {(2, "S1"): "Anna"}


def test_prints_of_other_models_or_sizes_do_not_compare():
    assert guesses([ANNA, voice(2, "S1", [1, 0, 0], model="n")], 0.7) == {}
    assert guesses([ANNA, voice(2, "S1", [1, 0])], 0.7) == {}
    damaged = Voice(2, "S1", None, False, "m", "?!")
    assert guesses([ANNA, damaged, Voice(3, "S1", None, False, "m", None)], 0.7) == {}


def test_prints_survive_being_written():
    dice = random.Random(1)
    numbers = [dice.gauss(0, 0.1) for _ in range(256)]
    packed = voice_prints.packed(voice_prints.encode(numbers))
    assert np.frombuffer(packed, voice_prints.DTYPE).tolist() == pytest.approx(numbers, abs=2e-4)


@pytest.mark.parametrize(
    "text", ["", "=", "AAA", "AAAA", "ä", voice_prints.encode([float("nan")] * 3), "AAAAAAAA"]
)
def test_a_damaged_print_is_like_nobody(text):
    assert guesses([ANNA, Voice(2, "S1", None, False, "m", text)], 0.0) == {}
    assert guesses([Voice(1, "S1", "Anna", False, "m", text), voice(2, "S1", [1, 0, 0])], 0) == {}


@pytest.fixture
def library(tmp_path):
    """Films in which S1 is Anna in one, and a voice like hers is S2 of another."""
    results = tmp_path / "results"
    texts = ["hello there", "good morning", "what a goal", "no goal"]
    make_film(results / "one", texts=texts)
    make_film(results / "two", texts=texts, names={}, prints=([0.0, 1.0], [0.9, 0.1]))
    make_film(
        results / "three", texts=texts, names={"S2": "Änne Ö"}, prints=([0.7, 0.7], [-1.0, 0])
    )
    updating.update(results)
    return results


def named(results):
    db = connect(results / "catalog.db")
    try:
        return db.execute(
            "SELECT video, speaker, name, guessed FROM speakers JOIN films ON films.id = film"
            " ORDER BY video, speaker"
        ).fetchall()
    finally:
        db.close()


def test_the_catalog_guesses_when_films_are_read(library):
    assert named(library) == [
        ("one", "S1", "Anna", 0),
        ("one", "S2", None, 0),
        ("three", "S1", "Anna", 1),
        ("three", "S2", "Änne Ö", 0),
        ("two", "S1", None, 0),
        ("two", "S2", "Anna", 1),
    ]
    # A name that is taken away takes the guesses with it; and so does its film.
    make_film(library / "one", texts=["hello"], names={})
    updating.update(library, match=0.7)
    assert [row[2:] for row in named(library) if row[2]] == [("Änne Ö", 0)]
    make_film(library / "one", texts=["hello"], names={"S1": "Eve"})
    updating.update(library, match=0.95)
    assert [row[2:] for row in named(library) if row[2]] == [
        ("Eve", 0),
        ("Änne Ö", 0),
        ("Eve", 1),
    ]
    (library / "one").rename(library.parent / "gone")
    updating.update(library, match=0.95)
    assert [row[2:] for row in named(library) if row[2]] == [("Änne Ö", 0)]


def test_another_setting_of_likeness_guesses_anew(library, monkeypatch):
    assert updating.is_current(library, 0.7)
    assert not updating.is_current(library, 0.999)
    monkeypatch.setattr("reelmake.catalog.film_rows.read", None)  # for which no film is read
    updating.update(library, match=0.999)
    assert updating.is_current(library, 0.999) and updating.is_current(library)
    assert [row for row in named(library) if row[3]] == []
    updating.update(library, match=0.7)
    assert [row[:3] for row in named(library) if row[3]] == [
        ("three", "S1", "Anna"),
        ("two", "S2", "Anna"),
    ]


def test_of_a_new_film_its_own_voices_alone_are_compared(library, monkeypatch):
    asked = []

    def listened(voices, match):
        asked.append([(voice.film, voice.label) for voice in voices if not voice.is_named])
        return guesses(voices, match)

    monkeypatch.setattr("reelmake.catalog.voices.guesses", listened)
    make_film(library / "four", texts=["hello"], names={}, prints=([1.0, 0.05], [0.0, 1.0]))
    updating.update(library)
    assert asked == [[(4, "S1"), (4, "S2")]]
    found = named(library)
    assert ("four", "S1", "Anna", 1) in found
    updating.update(library, rebuild=True)
    assert named(library) == found
    # Somebody has a name that nobody had: all are compared.
    make_film(library / "four", texts=["hello"], names={"S1": "Eve"}, prints=([0.0, 1.0], [1, 0]))
    updating.update(library)
    assert len(asked[-1]) > 2
    assert ("two", "S1", "Eve", 1) in named(library)


def test_a_guess_says_how_alike_the_voices_are_now(library):
    def likeness():
        with contextlib.closing(connect(library / "catalog.db")) as db:
            return dict(db.execute("SELECT film, likeness FROM speakers WHERE guessed").fetchall())

    before = likeness()
    make_film(library / "one", texts=["hello"], prints=([1.0, 0.3], [0.0, 1.0]))
    updating.update(library)
    now = likeness()
    assert now.keys() == before.keys() and now != before
    updating.update(library, rebuild=True)
    assert likeness() == now


def found(results, words, **given):
    answer = search(results / updating.NAME, words, **given)
    return {(moment.film, moment.start) for moment in answer.moments}


def test_a_search_finds_what_somebody_says(library):
    everywhere = found(library, "goal")
    assert {film for film, _ in everywhere} == {"one", "two", "three"}
    hers = search(library / updating.NAME, "goal", speaker="anna", kinds=("said",))
    assert {(moment.film, moment.said) for moment in hers.moments} == {
        ("one", "what a goal"),
        ("three", "what a goal"),
        ("two", "no goal"),
    }
    assert {moment.film: moment.speakers for moment in hers.moments} == {
        "one": ("Anna",),
        "three": ("Anna?",),
        "two": ("Anna?",),
    }
    # Case and diacritics, and a part of the name; only in one film; what is seen meanwhile.
    assert {film for film, _ in found(library, "goal", speaker="ANNE o")} == {"three"}
    assert {film for film, _ in found(library, "goal", speaker="Anna", film="two")} == {"two"}
    assert found(library, "outside", kinds=("seen",), speaker="Anna", film="one") == {("one", 1.2)}


def test_without_words_all_that_somebody_says_is_found(library):
    answer = search(library / updating.NAME, "", speaker="Anna", film="one")
    assert sorted(moment.said for moment in answer.moments) == ["hello there", "what a goal"]
    assert answer.notes == []


def test_of_somebody_in_many_films_what_mostly_they_say_is_found(library, monkeypatch):
    exactly = search(library / updating.NAME, "", speaker="Anna").moments
    monkeypatch.setattr(speakers, "MANY", 0)
    of_many = search(library / updating.NAME, "", speaker="Anna").moments
    assert {(each.film, each.said) for each in of_many} == {
        (each.film, each.said) for each in exactly
    }
    assert {each.film for each in of_many} == {"one", "two", "three"}
    # However few films' turns are kept, those of each are read once to rank its lines.
    read: list[int] = []
    real = speakers.Turns
    monkeypatch.setattr(speakers, "Turns", lambda rows: read.append(1) or real(rows))
    monkeypatch.setattr(speakers, "KEPT", 1)
    assert search(library / updating.NAME, "", speaker="Anna").moments
    assert len(read) < 9


def test_only_turns_of_films_that_are_asked_about_are_read(library, monkeypatch):
    """Who is in all of 10,000 films has millions of turns: to read them took 19 s and 0.5 GB."""
    read: list[int] = []
    real = speakers.Turns
    monkeypatch.setattr(speakers, "Turns", lambda rows: read.append(1) or real(rows))
    with contextlib.closing(connect(library / "catalog.db")) as db:
        speaking = speakers.Speaking(db, "Anna")
        assert set(speaking.films) == {1, 2, 3} and read == []
        hit = Hit(Place(2, "said", 0), 0.0, 100.0, "")
        assert speaking.kept([hit, hit]) == [hit, hit] and read == [1]


def test_nobody_of_that_name_is_said(library):
    with pytest.raises(UserError, match=r"no speaker is called 'Ana' \(did you mean 'Anna'"):
        found(library, "goal", speaker="Ana")
    with pytest.raises(UserError, match="a name that was just given is known here after the next"):
        found(library, "goal", speaker="Zoë")


def test_who_speaks_in_candidates_and_words(library):
    db = connect(library / "catalog.db")
    rows = db.execute("SELECT DISTINCT speakers FROM highlights").fetchall()
    assert rows == [("S1, S2",)]
    who_says = dict(db.execute("SELECT text, who FROM said_by WHERE film = 1").fetchall())
    one = db.execute("SELECT video FROM films WHERE id = 1").fetchone()
    words = db.execute("SELECT DISTINCT word, speaker FROM words WHERE segment < 2 AND film = 1")
    assert one == ("one",)
    assert who_says["hello there"] == "Anna" and who_says["good morning"] == "S2"
    assert ("morning", "S2") in {(word.strip(), speaker) for word, speaker in words}
    assert speakers.present(db, 1, 0.0, 12.0) == ["Anna", "S2"]
    db.close()


def test_segments_are_said_by_whom_subtitles_have_them(library):
    """Two at once over two short segments, and one of them alone."""
    said = {
        "language": "en",
        "segments": [
            {"id": n, "start": n * 0.6, "end": n * 0.6 + 0.6, "text": "a", "words": [
                {"word": "a", "start": n * 0.6, "end": n * 0.6 + 0.6, "probability": 1.0}
            ]}
            for n in range(3)
        ],
    }  # fmt: skip
    turns = {"turns": [{"start": 0.0, "end": end, "speaker": who} for who, end in TOGETHER]}
    (library / "one" / "transcript.json").write_text(json.dumps(said))
    (library / "one" / "speakers.json").write_text(json.dumps(turns))
    cut = with_speakers(said, Turns.of(turns))["segments"]
    for table in ("segments", "words"):
        found = rows.of(table, rows.Artifacts(library / "one"))
        assert [each["speaker"] for each in found] == ["S1+S2", "S1+S2", "S1"]
    assert [each["speaker"] for each in cut] == ["S1+S2", "S1+S2", "S1"]


def test_a_side_of_the_sound_is_a_voice_that_has_a_name(library):
    """With a microphone on each side the transcript knows who speaks, and nobody has to guess."""
    folder = library / "one"
    document = json.loads((folder / "transcript.json").read_bytes())
    for number, segment in enumerate(document["segments"]):
        segment["speaker"] = ("left", "right")[number % 2]
    (folder / "transcript.json").write_text(json.dumps(document))
    sidecar = json.loads((folder / "fingerprints" / "subtitles.json").read_bytes())
    sidecar["settings"]["speakers.names"] = {"left": "Eve"}
    (folder / "fingerprints" / "subtitles.json").write_text(json.dumps(sidecar))
    updating.update(library, rebuild=True)
    db = connect(library / "catalog.db")
    (film,) = db.execute("SELECT id FROM films WHERE video = 'one'").fetchone()
    rows = db.execute("SELECT speaker, name FROM speakers WHERE film = ?", (film,)).fetchall()
    assert rows == [("left", "Eve"), ("right", None)]
    db.close()
    assert search(library / updating.NAME, "", speaker="Eve").moments
