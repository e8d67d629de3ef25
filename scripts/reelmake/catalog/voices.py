"""Who a voice of a film is, by who it is like in other films.

A voice without a name gets that of one whose print is like its own and which people have named in
another film. That is written down in the catalog, once a film is read: no run has to compare
voices to know that there is nothing to do, and what only may be is in no file that people publish.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from reelmake.library import voice_prints

MATCH = 0.7
"""The setting `speakers.match`, where nobody says another."""


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
    import numpy as np

    by_model: dict[str | None, list[Voice]] = {}
    for voice in voices:
        by_model.setdefault(voice.model, []).append(voice)
    found: dict[tuple[int, str], Guess] = {}
    for same in by_model.values():
        prints = {voice: voice_prints.decode(voice.print) for voice in same}
        known = [voice for voice in same if voice.is_named and prints[voice]]
        others = [voice for voice in same if not voice.is_named and prints[voice]]
        sizes = {len(prints[voice] or ()) for voice in (*known, *others)}
        if not known or not others or len(sizes) != 1:
            continue
        there = np.array([prints[voice] for voice in known], np.float32)
        taken = {(voice.film, voice.name) for voice in known}
        likely = []
        for start in range(0, len(others), 1000):
            some = others[start : start + 1000]
            likeness = np.array([prints[voice] for voice in some], np.float32) @ there.T
            for row, column in zip(*np.nonzero(likeness >= match), strict=True):
                likely.append((float(likeness[row, column]), some[row], known[column]))
        likely.sort(key=lambda each: (-each[0], each[1].film, each[1].label))
        for value, voice, like in likely:
            place = (voice.film, voice.label)
            if place in found or (voice.film, like.name) in taken or like.name is None:
                continue
            taken.add((voice.film, like.name))
            found[place] = Guess(like.name, round(value, 4))
    return found


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
