"""The catalog's schema: its tables follow from `tables.columns`, which says what a row holds."""

import zlib
from typing import NamedTuple

from reelmake.tables.columns import TABLES, Column

FORMAT = 1
"""To be raised when rows are made otherwise and the schema stays: catalogs are then rebuilt."""

FILMS = "films"
"""What the table `videos` is called here: its `video` is the text id, `id` the number."""

KEYS: dict[str, tuple[str, ...]] = {
    "streams": ("stream",),
    "segments": ("segment",),
    "speakers": ("speaker",),
    "speaker_turns": ("turn",),
    "translations": ("language", "segment"),
    "scenes": ("scene",),
    "keyframes": ("file",),
    "onscreen_texts": ("line",),
    "descriptions": ("file",),
    "scores": ("candidate",),
    "highlights": ("candidate",),
    "clips": ("file",),
    "beats": ("beat",),
    "chapters": ("chapter",),
    "jobs": ("stage",),
    "failures": ("stage",),
    "provenance": ("stage",),
}
"""The tables of what a film has, and what tells two rows of one film apart."""

ONLY_HERE: dict[str, tuple[Column, ...]] = {
    "segments": (
        Column(
            "words", "string", "", "JSON: [word, start, end, probability, speaker]; see `words`"
        ),
    ),
    "speakers": (
        Column("guessed", "Int64", "", "1: the name is that of a voice like it in another film"),
        Column("likeness", "float64", "", "of a guess: the cosine between the two voice prints"),
        Column("print", "string", "", "the voice print: float16 numbers in base64"),
        Column("model", "string", "", "JSON: the model of voice prints; those of one compare"),
    ),
}
"""The columns that the tables of `reelmake.tables` are without."""

TYPES = {
    "string": "TEXT",
    "Int64": "INTEGER",
    "boolean": "INTEGER",
    "float64": "REAL",
    "Float64": "REAL",
    "datetime64[us, UTC]": "TEXT",
}
"""Of a column, by its dtype. Times are in ISO 8601: 2026-01-31T12:00:00Z."""

MOMENTS = (
    Column("id", "Int64", "", "also the rowid in both indexes"),
    Column("film", "Int64", "", "`films.id`"),
    Column("kind", "string", "", "said, seen, written or title"),
    Column("item", "Int64", "", "the number of the segment of speech, scene or line of text"),
    Column("start", "float64", "s", "when it begins, after the film's time zero"),
    Column("end", "float64", "s", "when it ends"),
    Column("text", "string", "", "what is said, seen or written, or the title and the file's name"),
    Column("spread", "string", "", "the text as `moment_words` has it, where folded is not"),
    Column("folded", "string", "", "the text as `moment_parts` has it, where that differs"),
    Column("language", "string", "", "of a translation; missing of what the film itself says"),
)


class View(NamedTuple):
    """question: what it answers."""

    question: str
    sql: str


VIEWS: dict[str, View] = {
    "words": View(
        "When is each word spoken?",
        """SELECT segments.film, segments.segment,
       json_extract(each.value, '$[1]') AS start, json_extract(each.value, '$[2]') AS "end",
       json_extract(each.value, '$[0]') AS word, json_extract(each.value, '$[3]') AS probability,
       json_extract(each.value, '$[4]') AS speaker
FROM segments, json_each(segments.words) AS each""",
    ),
    "said_by": View(
        "Who says what?",
        """SELECT segments.film, films.title, segments.start, segments."end",
       coalesce(speakers.name || iif(speakers.guessed, '?', ''), segments.speaker) AS who,
       segments.text
FROM segments JOIN films ON films.id = segments.film
LEFT JOIN speakers ON speakers.film = segments.film AND speakers.speaker = segments.speaker""",
    ),
    "voices": View(
        "Who speaks in which films, and for how long?",
        """SELECT name, sum(guessed = 0) AS named, sum(guessed) AS guessed,
       count(DISTINCT film) AS films, round(sum(seconds) / 60, 1) AS minutes
FROM speakers WHERE name IS NOT NULL GROUP BY name ORDER BY sum(seconds) DESC""",
    ),
    "best_highlights": View(
        "What are the best moments of all films?",
        """SELECT films.id AS film, films.title, highlights.start, highlights."end",
       highlights.score, highlights.reason, highlights.text,
       films.source || '#t=' || round(highlights.start, 2) AS link
FROM highlights JOIN films ON films.id = highlights.film
ORDER BY highlights.score DESC, films.title, highlights.start""",
    ),
    "scenes_told": View(
        "What is seen and what is said in each scene?",
        """SELECT scenes.film, films.title, scenes.scene, scenes.start, scenes."end",
       (SELECT group_concat(visual_content, ' ') FROM descriptions
        WHERE descriptions.film = scenes.film AND descriptions.scene = scenes.scene) AS seen,
       (SELECT group_concat(trim(text), ' ') FROM segments
        WHERE segments.film = scenes.film AND segments.start < scenes."end"
          AND segments."end" > scenes.start) AS said
FROM scenes JOIN films ON films.id = scenes.film""",
    ),
    "failed_films": View(
        "Which films failed, and why?",
        """SELECT films.id AS film, films.title, films.source, failures.stage, failures.class,
       failures.error, failures.ended, failures.log
FROM failures JOIN films ON films.id = failures.film
ORDER BY failures.ended DESC""",
    ),
    "states": View(
        "How far is the library?",
        """SELECT state, count(*) AS films, round(sum(duration) / 3600, 2) AS hours,
       sum(bytes) AS bytes, sum(size) AS size
FROM films GROUP BY state""",
    ),
    "languages": View(
        "Which languages are spoken, and for how long?",
        """SELECT language, count(*) AS films, round(sum(duration) / 3600, 2) AS hours,
       sum(segments) AS segments
FROM films WHERE language IS NOT NULL GROUP BY language ORDER BY films DESC""",
    ),
    "copies": View(
        "Which films are there more than once?",
        """SELECT content, count(*) AS films, group_concat(video, ', ') AS videos,
       sum(size) - max(size) AS saved
FROM films WHERE content IS NOT NULL GROUP BY content HAVING count(*) > 1
ORDER BY saved DESC""",
    ),
    "engines": View(
        "Which version of which package made what?",
        """SELECT provenance.film, provenance.stage, provenance.version, each.key AS engine,
       each.value AS engine_version, provenance.made, provenance.host
FROM provenance, json_each(provenance.engines) AS each""",
    ),
}

# Filled by statements of its own for a film's moments together: by triggers, SQLite would write the
# index to the disk after each of them, and take ten times as long.
INDEXES = ("moment_words", "moment_parts")
"""The full-text indexes, each beside the view that has its text."""

_SEARCH = """
CREATE TABLE moments (
    id INTEGER PRIMARY KEY,
    film INTEGER NOT NULL REFERENCES films (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    item INTEGER,
    start REAL,
    "end" REAL,
    text TEXT NOT NULL,
    spread TEXT,
    folded TEXT,
    language TEXT
);
CREATE INDEX moments_by_film ON moments (film, start);
CREATE VIEW moment_words_text AS
SELECT id, coalesce(spread, folded, text) AS text FROM moments;
CREATE VIEW moment_parts_text AS SELECT id, coalesce(folded, text) AS text FROM moments;
CREATE VIRTUAL TABLE moment_words USING fts5 (
    text, content='moment_words_text', content_rowid='id',
    tokenize="unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'"
);
CREATE VIRTUAL TABLE moment_parts USING fts5 (
    text, content='moment_parts_text', content_rowid='id', tokenize='trigram'
);
"""

_STATES = """
CREATE TABLE catalog_states (
    film INTEGER PRIMARY KEY REFERENCES films (id) ON DELETE CASCADE,
    video TEXT NOT NULL UNIQUE,
    manifest_size INTEGER NOT NULL,
    manifest_mtime_ns INTEGER NOT NULL,
    jobs_mtime_ns INTEGER NOT NULL
);
"""

_INDEXES = """
CREATE INDEX films_by_content ON films (content);
CREATE INDEX films_by_modified ON films (modified);
CREATE INDEX highlights_by_score ON highlights (score);
CREATE INDEX speaker_turns_by_start ON speaker_turns (film, start);
CREATE INDEX speakers_by_name ON speakers (name);
"""


def columns(table: str) -> tuple[Column, ...]:
    """The columns of one of `KEYS` or of `FILMS`, without `film` and `id`."""
    if table == FILMS:
        return TABLES["videos"]
    without_video = TABLES[table][1:]
    return (*without_video, *ONLY_HERE.get(table, ()))


def insertion(table: str) -> str:
    """The statement that adds a row of one of `KEYS`: the film's number, then its columns."""
    marks = ", ".join("?" * (1 + len(columns(table))))
    return f"INSERT OR REPLACE INTO {table} VALUES ({marks})"


def statements() -> str:
    """The SQL that makes an empty catalog."""
    parts = [_films(), *(_table(name) for name in KEYS), _SEARCH, _STATES, _INDEXES]
    parts += [f"CREATE VIEW {name} AS\n{view.sql};" for name, view in VIEWS.items()]
    return "\n".join(parts)


def version() -> int:
    """What `PRAGMA user_version` says of a catalog of this schema: another one is rebuilt."""
    return zlib.crc32(f"{FORMAT}\n{statements()}".encode()) & 0x7FFFFFFF


def _films() -> str:
    rows = ["    id INTEGER PRIMARY KEY", "    video TEXT NOT NULL UNIQUE"]
    rows += [f"    {_declared(column)}" for column in columns(FILMS)[1:]]
    return f"CREATE TABLE {FILMS} (\n" + ",\n".join(rows) + "\n);"


def _table(name: str) -> str:
    # Without a rowid: the rows of a film lie together, found by the key alone.
    key = ", ".join(("film", *KEYS[name]))
    rows = ["    film INTEGER NOT NULL REFERENCES films (id) ON DELETE CASCADE"]
    rows += [f"    {_declared(column)}" for column in columns(name)]
    rows.append(f"    PRIMARY KEY ({key})")
    return f"CREATE TABLE {name} (\n" + ",\n".join(rows) + "\n) WITHOUT ROWID;"


def _declared(column: Column) -> str:
    return f'"{column.name}" {TYPES[column.dtype]}'
