"""Who a voice of a film is, by who it is like in other films.

A voice without a name gets that of one whose print is like its own and which people have named in
another film. That is written down in the catalog, once a film is read: no run has to compare
voices to know that there is nothing to do, and what only may be is in no file that people publish.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelmake.library import voice_prints

Vector = NDArray[np.float32]
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
    by_kind: dict[tuple[str | None, int], list[tuple[Voice, Vector]]] = {}
    for voice in voices:
        vector = _vector(voice.print)
        if vector is not None:
            by_kind.setdefault((voice.model, len(vector)), []).append((voice, vector))
    found: dict[tuple[int, str], Guess] = {}
    for same in by_kind.values():
        known = sorted(
            (each for each in same if each[0].is_named), key=lambda each: each[0].name or ""
        )
        others = [voice for voice, _ in same if not voice.is_named]
        if not known or not others:
            continue
        there = np.stack([vector for _, vector in known])
        names = [voice.name for voice, _ in known]
        # Of all that have one name, the likest counts: a host may be named in thousands of films.
        firsts = [place for place, name in enumerate(names) if name not in names[place - 1 : place]]
        here = np.stack([vector for voice, vector in same if not voice.is_named])
        taken = {(voice.film, voice.name) for voice, _ in known}
        likely = []
        for start in range(0, len(others), TOGETHER):
            each = here[start : start + TOGETHER] @ there.T
            likeness = np.maximum.reduceat(each, firsts, axis=1)
            for row, column in zip(*np.nonzero(likeness >= match), strict=True):
                voice, name = others[start + row], names[firsts[column]]
                likely.append((float(likeness[row, column]), voice, name))
        likely.sort(key=lambda each: (-each[0], each[1].film, each[1].label))
        for value, voice, name in likely:
            place = (voice.film, voice.label)
            if place in found or (voice.film, name) in taken:
                continue
            taken.add((voice.film, name))
            found[place] = Guess(name, round(value, 4))
    return found


def _vector(text: str | None) -> Vector | None:
    """A print as a vector of unit length; None where it is none."""
    try:
        vector = np.frombuffer(voice_prints.packed(text), voice_prints.DTYPE).astype(np.float32)
    except ValueError:
        return None
    length = float(np.linalg.norm(vector))
    return vector / length if 0 < length < np.inf else None


def update(db: Any, match: float) -> int:
    """Have the catalog guess who is who; how many guesses are others than before. In a
    transaction of the caller's.

    db: an open catalog. match: the least likeness. Raises sqlite3.Error.
    """
    rows = db.execute(
        "SELECT film, speaker, name, guessed, model, print, likeness FROM speakers"
    ).fetchall()
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
