"""The catalog's schema for people: a part of the documentation, and what Datasette shows."""

from typing import Any

from reelmake.catalog import schema
from reelmake.tables.columns import Column

ABOUT: dict[str, str] = {
    "films": "One row a film. `id` is its number in all other tables, as `film`.",
    "streams": "One row a stream of a film's file.",
    "segments": "One row a segment of speech, with its words as JSON.",
    "speakers": (
        "One row a voice of a film. Who it is comes from `speakers.csv`; or it is guessed: its "
        "voice print is like one that is named in another film."
    ),
    "speaker_turns": "One row a turn: somebody speaks. Where two do at once, two turns overlap.",
    "translations": "One row a translated segment of speech.",
    "scenes": "One row a scene.",
    "keyframes": "One row a keyframe.",
    "onscreen_texts": "One row a line of text in the picture.",
    "descriptions": "One row a described keyframe.",
    "scores": "One row a candidate for a highlight, with its score.",
    "highlights": "One row a highlight.",
    "clips": "One row a clip.",
    "beats": "One row a beat of a film's narrative.",
    "chapters": "One row a chapter.",
    "jobs": "One row a job record: what happened to a stage of a film.",
    "failures": "One row a stage that failed or was stopped, and is not done since.",
    "provenance": "One row a stage that is done: what made its artifact, where and when.",
    "moments": (
        "What can be searched: each segment of speech and its translations (`said`), each "
        "described frame (`seen`, to the end of its scene), the lines of text that come into the "
        "picture at one time (`written`) and each film's title and file name (`title`)."
    ),
}
"""What a row of each table is, in the order in which they are shown."""

FACETS: dict[str, tuple[str, ...]] = {
    "films": ("state", "language", "container"),
    "streams": ("type", "codec", "language"),
    "segments": ("film", "speaker"),
    "speakers": ("name", "guessed"),
    "speaker_turns": ("film", "speaker"),
    "onscreen_texts": ("film", "kind"),
    "translations": ("film", "language"),
    "descriptions": ("film", "mood", "setting"),
    "highlights": ("film", "score"),
    "scores": ("score",),
    "beats": ("beat",),
    "jobs": ("stage", "state", "cache"),
    "failures": ("stage", "class"),
    "provenance": ("stage", "host", "version"),
    "moments": ("kind", "language"),
}
"""The columns by which Datasette counts and narrows down."""

_HIDDEN = ("catalog_states", "moment_words_text", "moment_parts_text")
_ID = Column("id", "Int64", "", "its number in this catalog")
_FILM = Column("film", "Int64", "", "`films.id`")


def columns(table: str) -> tuple[Column, ...]:
    """All columns of a table, as they are in the file."""
    if table == "moments":
        return schema.MOMENTS
    own = schema.columns(table)
    return (_ID, *own) if table == schema.FILMS else (_FILM, *own)


def key(table: str) -> str:
    """The primary key of a table: its columns, as one reads them."""
    return "id" if table in (schema.FILMS, "moments") else ", ".join(("film", *schema.KEYS[table]))


def as_markdown() -> str:
    """A section for each table and one for the views, for the documentation."""
    parts = []
    for table, about in ABOUT.items():
        foreign = "" if table == schema.FILMS else "; `film` refers to `films`"
        parts.append(f"### {table}\n\n{about} Primary key: `{key(table)}`{foreign}.\n")
        rows = ["| column | type | unit | meaning |", "|---|---|---|---|"]
        rows += [
            f"| `{each.name}` | {schema.TYPES[each.dtype]} | {each.unit} | {each.meaning} |"
            for each in columns(table)
        ]
        parts.append("\n".join(rows) + "\n")
    parts.append("## Views\n")
    for name, view in schema.VIEWS.items():
        parts.append(f"### {name}\n\n{view.question}\n\n```sql\n{view.sql}\n```\n")
    return "\n".join(parts)


def datasette() -> dict[str, Any]:
    """What `datasette --metadata` takes: descriptions, labels, facets, full-text search."""
    tables: dict[str, dict[str, Any]] = {}
    for table, about in ABOUT.items():
        described = {each.name: _meaning(each) for each in columns(table)}
        tables[table] = {"description": about, "columns": described, "size": 50}
        if table in FACETS:
            tables[table]["facets"] = list(FACETS[table])
    tables["films"] |= {"label_column": "title", "sort": "title"}
    tables["highlights"]["sort_desc"] = "score"
    tables["moments"] |= {"fts_table": "moment_words", "fts_pk": "id"}
    for name, view in schema.VIEWS.items():
        tables[name] = {"description": view.question}
    for name in _HIDDEN:
        tables[name] = {"hidden": True}
    return {
        "title": "reelmake",
        "description": "What is said, seen and written in a library of films",
        "databases": {"catalog": {"tables": tables}},
    }


def _meaning(column: Column) -> str:
    return f"{column.meaning} ({column.unit})" if column.unit else column.meaning
