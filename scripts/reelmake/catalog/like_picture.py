"""Keyframes that look like a given one, as a ranked list of a search."""

import re
from pathlib import Path

import numpy as np

from reelmake.catalog import film_choice, picture_hashes
from reelmake.catalog.candidates import Filters, Hit, Place
from reelmake.catalog.database import Connection
from reelmake.catalog.picture_hashes import Hashes, Told
from reelmake.foundation.errors import UserError

ALIKE = 16
"""Bits of 64 up to which two pictures look alike. Of pictures that have nothing to do with each
other 32 differ, give or take 4."""

_TIME = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)s?")


def parse(text: str) -> tuple[str, float]:
    """The film and the time (s) in FILM@TIME: holiday@83.5, holiday@1:23, holiday@0:01:23.

    Raises UserError.
    """
    film, at, time = text.rpartition("@")
    found = _TIME.fullmatch(time.strip())
    if not at or not film or not found:
        raise UserError(f"--like {text}: give it as FILM@TIME, such as holiday@1:23")
    hours, minutes, seconds = found.groups(default="0")
    return film, int(hours) * 3600 + int(minutes) * 60 + float(seconds)


class LikePicture:
    """Ranks keyframes by how much they look like the one of `film` (id, or a part of its name) that
    is nearest to `time` (s); each scene once, that one not.

    results: the folder of all films. tell: called while hashes are made. A `search.Ranker`, which
    raises UserError where there is no such film, or no picture of it that says something.
    """

    def __init__(self, results: Path, film: str, time: float, tell: Told | None = None):
        self._results, self._film, self._time, self._tell = results, film, time, tell

    def __call__(self, db: Connection, filters: Filters, most: int) -> list[Hit]:
        """The hits, those that look most alike first."""
        given = film_choice.one(db, self._film)
        numbers = {video: number for number, video in db.execute("SELECT id, video FROM films")}
        films = picture_hashes.of_films(self._results, [*numbers], self._tell)
        scene, wanted = self._given(given.video, films.get(given.video))
        chosen = None if filters.films is None else set(filters.films)
        if "seen" not in filters.kinds:
            return []
        hits = []
        for video, found in films.items():
            number = numbers[video]
            if chosen is not None and number not in chosen:
                continue
            bits = picture_hashes.differing(found.hashes, wanted)
            for place in np.flatnonzero(bits <= ALIKE):
                here = int(found.scenes[place])
                if (video, here) != (given.video, scene):
                    time = float(found.times[place])
                    hits.append(Hit(Place(number, "seen", here), time, time, "", int(bits[place])))
        hits.sort(key=lambda hit: hit.like or 0)
        return [_described(db, hit) for hit in hits[:most]]

    def _given(self, video: str, found: Hashes | None) -> tuple[int, np.uint64]:
        """The scene that is meant, and its picture's hash."""
        if found is None or not len(found.hashes):
            raise UserError(f"{video}: there is no keyframe of it that says something")
        nearest = int(np.argmin(np.abs(found.times - self._time)))
        return int(found.scenes[nearest]), found.hashes[nearest]


def _described(db: Connection, hit: Hit) -> Hit:
    row = db.execute(
        "SELECT text, \"end\" FROM moments WHERE film = ? AND kind = 'seen' AND item = ?"
        " ORDER BY abs(start - ?) LIMIT 1",
        (hit.place.film, hit.place.item, hit.start),
    ).fetchone()
    return hit if row is None else hit._replace(text=row[0], end=max(hit.start, row[1] or 0.0))
