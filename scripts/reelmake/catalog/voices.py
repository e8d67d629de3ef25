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
        known = [voice for voice, _ in same if voice.is_named]
        others = [voice for voice, _ in same if not voice.is_named]
        if not known or not others:
            continue
        there = np.stack([vector for voice, vector in same if voice.is_named])
        here = np.stack([vector for voice, vector in same if not voice.is_named])
        taken = {(voice.film, voice.name) for voice in known}
        likely = []
        for start in range(0, len(others), TOGETHER):
            likeness = here[start : start + TOGETHER] @ there.T
            for row, column in zip(*np.nonzero(likeness >= match), strict=True):
                voice, like = others[start + row], known[column]
                likely.append((float(likeness[row, column]), voice, like))
        likely.sort(key=lambda each: (-each[0], each[1].film, each[1].label))
        for value, voice, like in likely:
            place = (voice.film, voice.label)
            if place in found or (voice.film, like.name) in taken or like.name is None:
                continue
            taken.add((voice.film, like.name))
            found[place] = Guess(like.name, round(value, 4))
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
    """Have the catalog guess who is who; how many voices are another's than before. In a
    transaction of the caller's.

    db: an open catalog. match: the least likeness. Raises sqlite3.Error.
    """
    rows = db.execute("SELECT film, speaker, name, guessed, model, print FROM speakers").fetchall()
    voices = [
        Voice(film, label, name, bool(guessed), model, text)
        for film, label, name, guessed, model, text in rows
    ]
    found = guesses(voices, match) if any(voice.is_named for voice in voices) else {}
    changes = []
    for voice in voices:
        if voice.is_named:
            continue
        guess = found.get((voice.film, voice.label))
        if (guess.name if guess else None) != voice.name:
            given = (guess.name, 1, guess.likeness) if guess else (None, 0, None)
            changes.append((*given, voice.film, voice.label))
    db.executemany(
        "UPDATE speakers SET name = ?, guessed = ?, likeness = ? WHERE film = ? AND speaker = ?",
        changes,
    )
    return len(changes)
