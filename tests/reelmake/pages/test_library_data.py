"""The rows of the library's page."""

import contextlib
import json

from make_moments import make_film
from make_pages import HOSTILE
from reelmake.catalog import database, updating
from reelmake.pages import film_page, library_data


def test_a_row_has_what_the_grid_shows(library):
    with contextlib.closing(database.connect(library / "catalog.db")) as db:
        rows = library_data.rows(db)
    films = {row[0]: dict(zip(library_data.FIELDS, row, strict=True)) for row in rows}
    assert films["holiday"]["picture"] == "scene0002_0.jpg"  # next to the best highlight
    assert films["holiday"]["best"] == 3
    assert films["holiday"]["modified"] == "2023-11-14"
    assert films["broken"]["failure"] == "manifest: it broke"
    assert films["holiday"]["failure"] is None
    assert "\u202e" not in films[HOSTILE]["title"]


def test_a_reason_begins_with_what_is_wrong(tmp_path):
    """The grid shows three lines of it: no id, no path, no stage twice."""
    results = tmp_path / "results"
    make_film(results / "cut", state="failed", source="/films/long/way/cut.mp4")
    record = results / "cut" / "jobs" / "manifest.json"
    error = "cut: manifest: /films/long/way/cut.mp4 is empty"
    record.write_text(json.dumps(json.loads(record.read_bytes()) | {"error": error}))
    updating.update(results)
    with contextlib.closing(database.connect(results / "catalog.db")) as db:
        (row,) = library_data.rows(db)
    assert row[library_data.FIELDS.index("failure")] == "manifest: cut.mp4 is empty"


def test_silence_has_no_language(tmp_path):
    """What transcript.json says then is what was set, or a guess."""
    results = tmp_path / "results"
    make_film(results / "silent", segments=0)
    make_film(results / "spoken")
    updating.update(results)
    with contextlib.closing(database.connect(results / "catalog.db")) as db:
        rows = library_data.rows(db)
        facts = {
            row[0]: film_page.read(db, results, film_page.find(db, row[0]))["facts"] for row in rows
        }
    languages = {row[0]: row[library_data.FIELDS.index("language")] for row in rows}
    assert languages == {"silent": None, "spoken": "en"}
    assert "spoken: en" in facts["spoken"] and "spoken: en" not in facts["silent"]


def test_the_script_is_only_data():
    script = library_data.script([["</script><!--\u2028", "\ud800"]]).decode()
    assert "<" not in script
    assert "\u2028" not in script
    films = script.split("films:")[1].rstrip("};\n")
    assert json.loads(films) == [["</script><!--\u2028", "?"]]
