"""The schema: as documented, with views that answer, and shown by Datasette."""

import pytest
import yaml

from reelmake.catalog import schema, schema_docs, updating
from reelmake.tables.columns import TABLES


def test_tables_have_the_documented_columns(results, ask):
    updating.update(results)
    for table in schema_docs.ABOUT:
        info = ask(f"PRAGMA table_info({table})")
        assert [name for _, name, *_ in info] == [each.name for each in schema_docs.columns(table)]
        keys = sorted((place, name) for _, name, *_, place in info if place)
        assert ", ".join(name for _, name in keys) == schema_docs.key(table)
    shown = {name for (name,) in ask("SELECT name FROM sqlite_master WHERE type = 'table'")}
    shown = {name for name in shown if not name.startswith(("moment_", "sqlite_"))}
    assert shown == {*schema_docs.ABOUT, "catalog_states"}
    assert {*TABLES} - {"videos", "words"} == {*schema.KEYS}


@pytest.mark.parametrize("view", schema.VIEWS)
def test_each_view_answers_and_is_documented(results, ask, view):
    updating.update(results)
    assert ask(f"SELECT count(*) FROM {view}")[0][0] > 0 or view == "failed_films"
    assert f"### {view}\n" in schema_docs.as_markdown()


def test_words_have_the_columns_of_the_table_of_words(results, ask):
    updating.update(results)
    columns = [name for _, name, *_ in ask("PRAGMA table_info(words)")]
    assert columns == ["film", *(column.name for column in TABLES["words"][1:])]
    ((segments, words),) = ask("SELECT count(DISTINCT segment), count(*) FROM words WHERE film = 1")
    assert (segments, words) == (3, 15)


def test_what_a_scene_shows_and_says_is_together(results, ask):
    updating.update(results)
    ((seen, said),) = ask("SELECT seen, said FROM scenes_told WHERE film = 1 AND scene = 1")
    assert ask("SELECT visual_content FROM descriptions WHERE film = 1 AND scene = 1") == [(seen,)]
    assert ask("SELECT text FROM segments WHERE film = 1 AND segment = 1") == [(said,)]


def test_the_query_of_the_documentation_is_answered(results, ask):
    from pathlib import Path

    updating.update(results)
    page = (Path(__file__).parents[3] / "docs" / "catalog.md").read_text()
    query = page.partition("```sql\n")[2].partition("```")[0]
    assert ask(query.replace("goal NOT penalty", "ba NOT nowhere"))


def test_a_film_is_found_by_its_key_alone(results, ask):
    """Not by reading a table of millions of rows."""
    updating.update(results)
    for table in (*schema.KEYS, "moments"):
        ((*_, how),) = ask(f"EXPLAIN QUERY PLAN DELETE FROM {table} WHERE film = 1")
        assert how.startswith("SEARCH"), (table, how)


def test_datasette_is_told_of_each_table_and_column(results, ask):
    updating.update(results)
    told = yaml.safe_load((results / "catalog.metadata.yaml").read_text())
    tables = told["databases"]["catalog"]["tables"]
    assert {name for name, table in tables.items() if not table.get("hidden")} == {
        *schema_docs.ABOUT,
        *schema.VIEWS,
    }
    for table, facets in schema_docs.FACETS.items():
        assert {*facets} <= {*tables[table]["columns"]}


def test_each_row_refers_to_its_film(results, ask):
    """With the column's name, without which Datasette fails."""
    updating.update(results)
    for table in (*schema.KEYS, "moments", "catalog_states"):
        ((_, _, other, own, its, _, deleted, _),) = ask(f"PRAGMA foreign_key_list({table})")
        assert (other, own, its, deleted) == ("films", "film", "id", "CASCADE")
