"""Moments that mean what is asked for, in whatever words, as ranked lists of a search."""

import contextlib
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelmake.catalog import film_choice, nearest, query, vector_files, vector_index
from reelmake.catalog.candidates import Filters, Hit, Place
from reelmake.catalog.database import Connection
from reelmake.catalog.query_vectors import QueryModels
from reelmake.catalog.vector_files import SPACES, Rows
from reelmake.foundation.errors import StageError
from reelmake.library import fingerprints
from reelmake.library.config import Config
from reelmake.library.film_vectors import KINDS

MOST = 50
"""Hits of a list: what is further away means something else."""
LEAST = {"text": 0.3, "image": 0.2}
"""Cosines below which nothing has to do with each other. Of a query and a picture they are smaller
than of two texts, with all models like CLIP."""
NEAR = 0.8
"""Of the nearest one's cosine, what others have at least: what is much further away is there only
because a list has no end."""
PICTURES_ALIKE = 0.6
"""The same of two pictures."""
EXACT = '"“”„‟«»＂*'
"""Signs of a query by which it asks for these very words."""

SAID, DESCRIBED, SHOWN = range(len(KINDS))


class Opened(NamedTuple):
    """The vectors of one model. videos: the ids of the films that have rows; starts, ends: of
    these, in order."""

    rows: Rows
    videos: list[str]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


class Nearest:
    """Ranks moments by how near they lie to a vector. A `search.Ranker`.

    results: the folder of all films. name: the key of the model. vector: of unit length. least: a
    cosine. left_out: moments that are not to be found: number of a film, and a scene.
    """

    def __init__(
        self,
        results: Path,
        name: str,
        vector: NDArray[np.float32],
        least: float,
        left_out: Sequence[tuple[int, int]] = (),
    ):
        self._results, self._name, self._vector = results, name, vector
        self._least, self._left_out = least, frozenset(left_out)

    def __call__(self, db: Connection, filters: Filters, most: int) -> list[Hit]:
        """The hits, the nearest first."""
        table = opened(self._results, self._name)
        kinds = _kinds(filters, self._name)
        if table is None or kinds == [] or table.rows.vectors.shape[1] != len(self._vector):
            return []
        ranges = _ranges(table, db, filters.films)
        wanted = min(most, MOST)
        # Several of one scene are one hit.
        found = nearest.nearest(table.rows, self._vector, wanted * 4, ranges, kinds)
        hits: dict[Place, Hit] = {}
        least = self._least
        for row, cosine in zip(found.rows.tolist(), found.cosines.tolist(), strict=True):
            if cosine < least or len(hits) == wanted:
                break
            kind, item, start, end = table.rows.rows[row].tolist()
            video = table.videos[int(np.searchsorted(table.starts, row, "right")) - 1]
            film = _number(db, video)
            if film is None:
                continue
            place = Place(film, "said" if kind == SAID else "seen", item)
            if place not in hits and (film, item) not in self._left_out:
                hits[place] = Hit(place, start, end, "", meaning=round(cosine, 4))
                least = max(least, NEAR * cosine) if len(hits) == 1 else least
        return [_told(db, hit) for hit in hits.values()]


class LikePicture:
    """Ranks keyframes by how near their vectors lie to that of the one of `film` (id, or a part of
    its name) at `time` (s); each scene once, that one not. A `search.Ranker`, which finds nothing
    where the film has no vectors."""

    def __init__(self, results: Path, film: str, time: float):
        self._results, self._film, self._time = results, film, time

    def __call__(self, db: Connection, filters: Filters, most: int) -> list[Hit]:
        """The hits, those that look most alike first."""
        given = film_choice.one(db, self._film)
        index = vector_files.read(self._results)
        ranges = index.films[given.video].ranges if index and given.video in index.films else {}
        for name, (start, count) in ranges.items():
            table = opened(self._results, name) if name.startswith("image-") else None
            if table is None:
                continue
            mine = table.rows.rows[start : start + count]
            near = int(np.argmin(np.abs(mine["start"] - self._time)))
            vector = np.asarray(table.rows.vectors[start + near], np.float32)
            here = [(given.number, int(mine["item"][near]))]
            found = Nearest(self._results, name, vector, PICTURES_ALIKE, here)
            return found(db, filters, most)
        return []


class Rankers(NamedTuple):
    """rankers: of a search. notes: why there are none, or fewer."""

    rankers: list[Nearest]
    notes: list[str]


def rankers(results: Path, config: Config, text: str, models: QueryModels | None = None) -> Rankers:
    """What ranks moments by how near they lie to a query: what is said and described, and what is
    shown.

    text: the query. config: names the models. models: those that are loaded already; else those
    are loaded whose vectors the library has.
    """
    index = vector_files.read(results)
    words = meant(text)
    if index is None or not index.tables or not words:
        return Rankers([], [])
    given, models = config["embeddings"], models or QueryModels()
    found, notes, others = [], [], False
    for space, setting, asking in (
        ("text", "text_model", "text_model"),
        ("image", "image_model", "image_text_model"),
    ):
        there = [name for name in index.tables if name.startswith(f"{space}-")]
        if not there or given[setting] is None or given[asking] is None:
            continue
        name = vector_files.key(space, fingerprints.model(given[setting]))
        if name not in there:
            others = True
            continue
        try:
            vector = models.vector(words, given[asking], f"embeddings.{asking}")
        except StageError as error:
            notes.append(f"not looked for by meaning: {error}")
            continue
        if vector is not None:
            found.append(Nearest(results, name, vector, LEAST[space]))
    if others and not found and not notes:
        notes.append(
            "not looked for by meaning: the films' vectors are of other models than embeddings "
            "names; give --configfile as to snakemake"
        )
    return Rankers(found, notes)


def has_vectors(results: Path) -> bool:
    """Whether anything could be found by its meaning: asked before a configuration is read."""
    return (results / vector_index.NAME).is_file()


def meant(text: str) -> str:
    """The words of a query whose meaning is looked for; none where it asks for these very words:
    with a phrase in quotes, or a beginning*."""
    if any(sign in text for sign in EXACT):
        return ""
    return " ".join(term.typed for term in query.parse(text).terms)


def opened(results: Path, name: str) -> Opened | None:
    """The vectors of a model; None where there are none. name: its key.

    They stay open for the next question, as long as nothing has changed.
    """
    with contextlib.suppress(OSError):
        stat = (results / vector_index.NAME).stat()
        return _opened(results.absolute(), name, (stat.st_ino, stat.st_size, stat.st_mtime_ns))
    return None


@functools.lru_cache(maxsize=4)
def _opened(results: Path, name: str, state: tuple[int, ...]) -> Opened | None:
    for _ in range(2):  # the files may be written anew between the two looks
        index = vector_files.read(results)
        if index is None or name not in index.tables:
            return None
        with contextlib.suppress(OSError, ValueError):
            rows = vector_files.opened(results, name, index.tables[name])
            starts, counts = index.ranges[name].T
            order = np.argsort(starts, kind="stable")
            order = order[counts[order] > 0]
            videos = [index.videos[place] for place in order]
            return Opened(rows, videos, starts[order], (starts + counts)[order])
    return None


def _ranges(table: Opened, db: Connection, films: Sequence[int] | None) -> list[nearest.Range]:
    """Where to look, in order; ranges that touch are one."""
    starts, ends = table.starts, table.ends
    if films is not None:
        rows = db.execute(
            "SELECT video FROM films WHERE id IN (SELECT value FROM json_each(?))",
            (f"[{','.join(map(str, films))}]",),
        )
        chosen = {video for (video,) in rows}
        there = np.array([video in chosen for video in table.videos], bool)
        starts, ends = starts[there], ends[there]
    if not len(starts):
        return []
    apart = starts[1:] != ends[:-1]
    firsts = starts[np.concatenate([[True], apart])]
    lasts = ends[np.concatenate([apart, [True]])]
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def _number(db: Connection, video: str) -> int | None:
    """The film's number in the catalog; None where it is not there (yet)."""
    row = db.execute("SELECT id FROM films WHERE video = ?", (video,)).fetchone()
    return row[0] if row else None


def _kinds(filters: Filters, name: str) -> list[int] | None:
    """The kinds of vectors of the kinds of moments; None where the model has no others."""
    found = [SAID] if "said" in filters.kinds else []
    found += [DESCRIBED, SHOWN] if "seen" in filters.kinds else []
    there = {place for place, kind in enumerate(KINDS) if name.startswith(SPACES[kind])}
    return None if there <= set(found) else [kind for kind in found if kind in there]


def _told(db: Connection, hit: Hit) -> Hit:
    """A hit with what the catalog says of it."""
    for near in (0.01, 1e9):  # at that very time, which is found at once; or the nearest
        row = db.execute(
            'SELECT text, "end" FROM moments WHERE film = ? AND kind = ? AND item = ?'
            " AND language IS ? AND start BETWEEN ? AND ? ORDER BY abs(start - ?) LIMIT 1",
            (*hit.place, hit.start - near, hit.start + near, hit.start),
        ).fetchone()
        if row is not None:
            return hit._replace(text=row[0], end=max(hit.start, row[1] or 0.0))
    return hit
