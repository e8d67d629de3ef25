"""What one film's artifacts become: odd values, odd names, damaged files."""

import json

import pytest

from make_moments import make_film
from reelmake.catalog import film_rows, schema, updating


def said(film: film_rows.FilmRows, kind: str) -> list[str]:
    return [text for of, _, _, _, text, *_ in film.moments if of == kind]


def test_every_row_fits_its_table(results):
    film = film_rows.read(results / "film0")
    assert len(film.film) == len(schema.columns(schema.FILMS))
    for table, rows in film.tables.items():
        assert all(len(row) == len(schema.columns(table)) for row in rows), table
    assert {kind for kind, *_ in film.moments} == {"said", "seen", "title", "written"}


def test_a_moment_seen_lasts_to_the_end_of_its_scene(tmp_path):
    make_film(tmp_path / "film", seen=["a red ball", "a door"])
    seen = [row for row in film_rows.read(tmp_path / "film").moments if row[0] == "seen"]
    assert [(item, start, end) for _, item, start, end, *_ in seen] == [
        (0, 1.2, 6.0),
        (1, 7.2, 12.0),
    ]
    assert seen[0][4] == "a red ball\nnothing\noutside\ncalm"


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b"7", b"\xff\xfe", b'{"segments": 3}', b'{"segments": [1, null]}']
)
def test_a_damaged_artifact_is_absent_and_takes_no_other_with_it(tmp_path, damage):
    make_film(tmp_path / "film")
    whole = film_rows.read(tmp_path / "film").tables
    for name in ("transcript.json", "media.json", "jobs/media.json", "chapters.ffmetadata"):
        (tmp_path / "film" / name).write_bytes(damage)
    film = film_rows.read(tmp_path / "film")
    for table in ("segments", "streams", "chapters"):
        assert film.tables[table] == []
    for table in ("scenes", "descriptions", "highlights", "clips"):
        assert film.tables[table] == whole[table] != []


@pytest.mark.parametrize("time", ["NaN", "Infinity", "1e999", "true", '"1"', "null"])
def test_a_turn_at_no_time_takes_nothing_else_with_it(tmp_path, time):
    make_film(tmp_path / "film")
    path = tmp_path / "film" / "speakers.json"
    document = json.loads(path.read_bytes())
    document["turns"][-1]["end"] = "here"
    path.write_text(json.dumps(document).replace('"here"', time))
    tables = film_rows.read(tmp_path / "film").tables
    assert len(tables["segments"]) > 1 and len(tables["speaker_turns"]) > 1


def test_values_that_do_not_fit_are_missing(tmp_path):
    make_film(tmp_path / "film")
    segments = [
        {"id": 0, "start": "soon", "end": 1e400, "text": "half \ud800", "words": [{"word": 1}]},
        {"id": None, "start": 0, "text": "no number"},
        {"id": 2**70, "text": "too large a number"},
        {"id": 1, "start": True, "end": 2, "text": 5, "words": "many"},
    ]
    (tmp_path / "film" / "transcript.json").write_text(json.dumps({"segments": segments}))
    rows = film_rows.read(tmp_path / "film").tables["segments"]
    assert [row[:4] for row in rows] == [[0, None, None, "half ?"], [1, 1.0, 2.0, "5"]]
    assert updating.update(tmp_path).films == 1


NAMES = {
    "emoji": "/films/🎬 the best 👨‍👩‍👧.mp4",
    "quotes": '/films/it\'s "quoted"; DROP TABLE films--.mkv',
    "rtl": "/films/\u202egpj.exe.mp4",
    "hebrew": "/films/שלום עולם.mov",
    "script": "/films/<script>alert(1)</script>.mp4",
    "bytes": "/films/\udcff.mp4",
    "url": "https://user:secret@example.org/a/My_Film.mp4?token=secret",
}


def test_odd_names_are_there_as_they_are(tmp_path):
    results = tmp_path / "results"
    for id, source in NAMES.items():
        make_film(results / id, source=source)
    updating.update(results)
    from reelmake.catalog import database

    db = database.connect(results / "catalog.db")
    found = dict(db.execute("SELECT video, source FROM films"))
    titles = dict(db.execute("SELECT video, title FROM films"))
    (dump,) = db.execute("SELECT group_concat(text) FROM moments WHERE kind = 'title'").fetchone()
    db.close()
    for id in ("emoji", "quotes", "rtl", "hebrew", "script"):
        assert found[id] == NAMES[id]
    assert titles["emoji"] == "🎬 the best 👨‍👩‍👧"
    assert titles["rtl"] == "gpj exe"  # as it is, not as it would be shown
    assert titles["hebrew"] == "שלום עולם"
    assert found["bytes"] == "/films/?.mp4" and titles["bytes"] == "?"
    assert titles["url"] == "My Film" and "secret" not in found["url"] + dump
