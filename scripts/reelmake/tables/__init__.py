"""A library's results as tidy pandas DataFrames, for notebooks.

    from reelmake import tables
    best = tables.highlights("results").sort_values("score", ascending=False)

Each function takes the results folder and, if only some are wanted, the ids of videos. Columns,
dtypes and units are always those that `tables.columns.TABLES` declares, in an empty library too.
What is missing, or can't be read, is left out. pandas is imported when a table is asked for.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelmake.foundation.errors import UserError
from reelmake.foundation.text import did_you_mean
from reelmake.tables import rows
from reelmake.tables.columns import TABLES

if TYPE_CHECKING:
    import pandas as pd

Results = str | Path


def read(
    table: str, results: Results = "results", videos: Iterable[str] | None = None
) -> "pd.DataFrame":
    """The table of that name (see `TABLES`) as a DataFrame.

    results: the folder. videos: only these, by their ids; None: all. Raises UserError where there
    is no such table, folder or video.
    """
    import pandas as pd

    if table not in TABLES:
        raise UserError(f"there is no table '{table}'{did_you_mean(table, TABLES)}")
    columns = TABLES[table]
    values: dict[str, list[Any]] = {column.name: [] for column in columns}
    for folder in _folders(Path(results), videos):
        for row in rows.of(table, rows.Artifacts(folder)):
            row = row | {"video": folder.name}
            for column in columns:
                values[column.name].append(row.get(column.name))
    return pd.DataFrame(
        {column.name: _series(pd, values[column.name], column.dtype) for column in columns}
    )


def _series(pd: Any, values: list[Any], dtype: str) -> Any:
    """A column of that dtype. A value that does not fit, as in an edited file, is missing."""
    if dtype == "string":
        kept = [None if value is None else _writable(str(value)) for value in values]
        return pd.Series(kept, dtype=dtype)
    numbers = pd.to_numeric(pd.Series(values, dtype="object"), errors="coerce")
    if dtype.startswith("datetime64"):
        return pd.to_datetime(numbers.astype("float64"), unit="s", utc=True).astype(dtype)
    if dtype == "boolean":
        return pd.Series([each if isinstance(each, bool) else None for each in values], dtype=dtype)
    if dtype == "Int64":
        return numbers.astype("Float64").round().astype(dtype)
    return numbers.astype(dtype)


def _writable(text: str) -> str:
    """The text without halves of surrogate pairs, which no file can hold."""
    return text.encode(errors="replace").decode()


def _folders(results: Path, videos: Iterable[str] | None) -> list[Path]:
    if not results.is_dir():
        raise UserError(f"{results}: there is no such folder; run snakemake first, or name another")
    there = sorted(
        entry.name for entry in results.iterdir() if entry.is_dir() and entry.name[0] != "."
    )
    if videos is None:
        return [results / name for name in there]
    wanted = [videos] if isinstance(videos, str) else list(videos)
    for name in wanted:
        if name not in there:
            hint = did_you_mean(name, there)
            raise UserError(f"{results}: there is no video '{name}'{hint}")
    return [results / name for name in wanted]


def videos(results: Results = "results", videos: Iterable[str] | None = None) -> "pd.DataFrame":
    """One row a video: its source, state, length and what was made of it."""
    return read("videos", results, videos)


def streams(results: Results = "results", videos: Iterable[str] | None = None) -> "pd.DataFrame":
    """One row a stream of a film's file."""
    return read("streams", results, videos)


def segments(results: Results = "results", videos: Iterable[str] | None = None) -> "pd.DataFrame":
    """One row a segment of speech."""
    return read("segments", results, videos)


def words(results: Results = "results", videos: Iterable[str] | None = None) -> "pd.DataFrame":
    """One row a spoken word."""
    return read("words", results, videos)


def speakers(results: Results = "results", videos: Iterable[str] | None = None) -> "pd.DataFrame":
    """One row a voice of a film."""
    return read("speakers", results, videos)


def speaker_turns(
    results: Results = "results", videos: Iterable[str] | None = None
) -> "pd.DataFrame":
    """One row a turn: somebody speaks."""
    return read("speaker_turns", results, videos)


def translations(
    results: Results = "results", videos: Iterable[str] | None = None
) -> "pd.DataFrame":
    """Segments of speech in other languages, one a row."""
    return read("translations", results, videos)


def scenes(results: Results = "results", videos: Iterable[str] | None = None) -> "pd.DataFrame":
    """One row a scene."""
    return read("scenes", results, videos)


def keyframes(results: Results = "results", videos: Iterable[str] | None = None) -> "pd.DataFrame":
    """One row a keyframe."""
    return read("keyframes", results, videos)


def onscreen_texts(
    results: Results = "results", videos: Iterable[str] | None = None
) -> "pd.DataFrame":
    """One row a line of text in the picture."""
    return read("onscreen_texts", results, videos)


def descriptions(
    results: Results = "results", videos: Iterable[str] | None = None
) -> "pd.DataFrame":
    """One row a described keyframe."""
    return read("descriptions", results, videos)


def scores(results: Results = "results", videos: Iterable[str] | None = None) -> "pd.DataFrame":
    """One row a candidate for a highlight, with its score."""
    return read("scores", results, videos)


def highlights(results: Results = "results", videos: Iterable[str] | None = None) -> "pd.DataFrame":
    """One row a highlight."""
    return read("highlights", results, videos)


def clips(results: Results = "results", videos: Iterable[str] | None = None) -> "pd.DataFrame":
    """One row a clip."""
    return read("clips", results, videos)


def beats(results: Results = "results", videos: Iterable[str] | None = None) -> "pd.DataFrame":
    """One row a beat of a film's narrative."""
    return read("beats", results, videos)


def chapters(results: Results = "results", videos: Iterable[str] | None = None) -> "pd.DataFrame":
    """One row a chapter."""
    return read("chapters", results, videos)


def jobs(results: Results = "results", videos: Iterable[str] | None = None) -> "pd.DataFrame":
    """One row a job record: what happened to a stage of a video."""
    return read("jobs", results, videos)


def failures(results: Results = "results", videos: Iterable[str] | None = None) -> "pd.DataFrame":
    """One row a stage that failed or was stopped, and is not done since."""
    return read("failures", results, videos)


def provenance(results: Results = "results", videos: Iterable[str] | None = None) -> "pd.DataFrame":
    """One row a stage that is done: what made its artifact, where and when."""
    return read("provenance", results, videos)
