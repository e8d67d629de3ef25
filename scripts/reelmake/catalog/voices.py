"""Who a voice of a film is, by who it is like in other films.

A voice without a name gets that of one whose print is like its own and which people have named in
another film. That is written down in the catalog, once a film is read: no run has to compare
voices to know that there is nothing to do, and what only may be is in no file that people publish.
"""

import json
import zlib
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelmake.library import voice_prints

Vectors = NDArray[np.float32]
TOGETHER = 1000
"""Voices that are compared with all that are named at once."""


class Voice(NamedTuple):
    """A voice of a film. film: its number. label: S1 speaks first. name: who it is. guessed:
    whether that is only likely. model: of its print."""

    film: int
    label: str
    name: str | None
    guessed: bool
    model: str | None
    print: str | None

    @property
    def is_named(self) -> bool:
        """Whether people have named it."""
        return self.name is not None and not self.guessed


class Guess(NamedTuple):
    """likeness: the cosine between two voice prints."""

    name: str
    likeness: float


def guesses(voices: Sequence[Voice], match: float) -> dict[tuple[int, str], Guess]:
    """Who those without a name may be, by film and label: of each film at most one is somebody, and
    nobody who is named in it.

    match: the least likeness.
    """
    found: dict[tuple[int, str], Guess] = {}
    for same, vectors in _by_kind(voices):
        named = [place for place, voice in enumerate(same) if voice.is_named]
        named.sort(key=lambda place: same[place].name or "")
        others = [place for place, voice in enumerate(same) if not voice.is_named]
        if not named or not others:
            continue
        there, names = vectors[named], [same[place].name for place in named]
        # Of all that have one name, the likest counts: a host may be named in thousands of films.
        firsts = [place for place, name in enumerate(names) if name not in names[place - 1 : place]]
        taken = {(same[place].film, same[place].name) for place in named}
        likely = []
        for start in range(0, len(others), TOGETHER):
            some = others[start : start + TOGETHER]
            likeness = np.maximum.reduceat(there @ vectors[some].T, firsts, axis=0)
            for row, column in zip(*np.nonzero(likeness >= match), strict=True):
                voice, name = same[some[column]], names[firsts[row]]
                likely.append((float(likeness[row, column]), voice, name))
        likely.sort(key=lambda each: (-each[0], each[1].film, each[1].label))
        for value, voice, name in likely:
            place = (voice.film, voice.label)
            if place in found or (voice.film, name) in taken:
                continue
            taken.add((voice.film, name))
            found[place] = Guess(name, round(value, 4))
    return found


def _by_kind(voices: Sequence[Voice]) -> Iterator[tuple[list[Voice], Vectors]]:
    """The voices whose prints can be compared, with these as vectors of unit length, a row each.

    A library has tens of thousands: they are made into numbers together.
    """
    kinds: dict[tuple[str | None, int], tuple[list[Voice], list[bytes]]] = {}
    for voice in voices:
        try:
            packed = voice_prints.packed(voice.print)
        except ValueError:
            continue
        if packed and len(packed) % np.dtype(voice_prints.DTYPE).itemsize == 0:
            same, prints = kinds.setdefault((voice.model, len(packed)), ([], []))
            same.append(voice)
            prints.append(packed)
    for same, prints in kinds.values():
        numbers = np.frombuffer(b"".join(prints), voice_prints.DTYPE).astype(np.float32)
        vectors = numbers.reshape(len(same), -1)
        lengths = np.linalg.norm(vectors, axis=1)
        good = np.flatnonzero((lengths > 0) & np.isfinite(lengths))
        yield [same[place] for place in good], vectors[good] / lengths[good, None]


_ROWS = "SELECT film, speaker, name, guessed, model, print, likeness FROM speakers"
_NAMED = "name IS NOT NULL AND NOT guessed"
_FILMS = "SELECT id FROM films WHERE video IN (SELECT value FROM json_each(?))"


def basis(db: Any, match: float) -> int:
    """A number, 1 to 2^31 - 1, that is another one where guesses may be others, though the voice
    is the same: of all voices that people have named, and of `match`."""
    named = db.execute(f"{_ROWS} WHERE {_NAMED} ORDER BY film, speaker")
    number = zlib.crc32(repr(match).encode())
    for row in named:
        number = zlib.crc32(repr(row).encode(), number)
    return number & 0x7FFFFFFF or 1


def update(db: Any, match: float, films: Collection[str] | None = None) -> int:
    """Have the catalog guess who is who; how many guesses are others than before. In a
    transaction of the caller's.

    db: an open catalog. match: the least likeness. films: the ids of those whose voices alone may
    have become others; None: all. Raises sqlite3.Error.
    """
    if films is None:
        rows = db.execute(_ROWS).fetchall()
    else:
        chosen = json.dumps([*films])
        rows = db.execute(f"{_ROWS} WHERE {_NAMED} OR film IN ({_FILMS})", (chosen,)).fetchall()
    voices = [
        Voice(film, label, name, bool(guessed), model, text)
        for film, label, name, guessed, model, text, _ in rows
    ]
    found = guesses(voices, match) if any(voice.is_named for voice in voices) else {}
    changes = []
    for voice, (*_, likeness) in zip(voices, rows, strict=True):
        if voice.is_named:
            continue
        guess = found.get((voice.film, voice.label))
        if (guess or (None, None)) != (voice.name, likeness):
            given = (guess.name, 1, guess.likeness) if guess else (None, 0, None)
            changes.append((*given, voice.film, voice.label))
    db.executemany(
        "UPDATE speakers SET name = ?, guessed = ?, likeness = ? WHERE film = ? AND speaker = ?",
        changes,
    )
    return len(changes)
