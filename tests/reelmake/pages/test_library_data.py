"""The rows of the library's page."""

import contextlib
import json

from make_pages import HOSTILE
from reelmake.catalog import database
from reelmake.pages import library_data


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


def test_the_script_is_only_data():
    script = library_data.script([["</script><!--\u2028", "\ud800"]]).decode()
    assert "<" not in script
    assert "\u2028" not in script
    films = script.split("films:")[1].rstrip("};\n")
    assert json.loads(films) == [["</script><!--\u2028", "?"]]
