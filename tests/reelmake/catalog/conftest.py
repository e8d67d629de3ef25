"""A small library of films, and what tests ask of its catalog."""

from pathlib import Path

import pytest

from make_moments import make_film
from reelmake.catalog import database, schema


@pytest.fixture
def results(tmp_path) -> Path:
    """The folder of three films."""
    folder = tmp_path / "results"
    for number in range(3):
        make_film(folder / f"film{number}", seed=number, translated={"de": ["übersetzt"] * 3})
    return folder


@pytest.fixture
def ask(results):
    """What a query gives, as a list of rows."""

    def rows(query: str, *values: object) -> list[tuple]:
        db = database.connect(results / "catalog.db")
        try:
            return db.execute(query, values).fetchall()
        finally:
            db.close()

    return rows


@pytest.fixture
def content(ask):
    """All that the catalog says, whatever numbers films and moments have; checked, too."""

    def everything() -> dict[str, list]:
        assert ask("PRAGMA integrity_check") == [("ok",)]
        assert ask("PRAGMA foreign_key_check") == []
        found = {}
        for table in (schema.FILMS, *schema.KEYS, "moments"):
            rest = [name for _, name, *_ in ask(f"PRAGMA table_info({table})")]
            kept = ", ".join(f'"{name}"' for name in rest if name not in ("id", "film", "video"))
            of = "id" if table == schema.FILMS else "film"
            query = (
                f"SELECT (SELECT video FROM films WHERE films.id = t.{of}), {kept} FROM {table} t"
            )
            found[table] = sorted(ask(query), key=repr)
        for index in schema.INDEXES:
            found[index] = sorted(
                ask(
                    f"SELECT video, kind, moments.text FROM {index} JOIN moments"
                    f" ON moments.id = {index}.rowid JOIN films ON films.id = film"
                    f" WHERE {index} MATCH ?",
                    "ba OR basen OR ban",
                )
            )
        return found

    return everything
