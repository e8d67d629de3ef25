"""Films of the catalog that are there more than once: byte for byte, or in other clothes."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from reelmake.catalog import film_choice, picture_hashes, similar
from reelmake.catalog.opening import opened
from reelmake.catalog.picture_hashes import Hashes, Told
from reelmake.catalog.similar import Pair
from reelmake.foundation.text import count


class Copy(NamedTuple):
    """A film as one looks at it to choose. film: its id. source: its path, or its URL without
    secrets. duration: s. width, height: pixels. size: bytes."""

    film: str
    title: str
    source: str | None
    duration: float | None
    width: int | None
    height: int | None
    container: str | None
    size: int | None
    content: str | None


class Identical(NamedTuple):
    """Films with the same content. saved: bytes that are free where one is kept. linked: all are
    one file under several names, of which removing some frees nothing."""

    films: list[Copy]
    saved: int
    linked: bool


class Alike(NamedTuple):
    """Films with the same pictures in the same order, the largest picture first. share: of the
    keyframes of each that the others have, at least."""

    films: list[Copy]
    share: float


class Scene(NamedTuple):
    """One of two that look the same. time: s, of its keyframe."""

    film: str
    scene: int
    time: float


class SameScenes(NamedTuple):
    """bits: of 64, in which their pictures differ."""

    one: Scene
    other: Scene
    bits: int


class Report(NamedTuple):
    """overlapping: films of which one has most of the other's pictures, and is longer or shorter:
    a trailer and its film. scenes: of films that are not the same."""

    identical: list[Identical]
    alike: list[Alike]
    overlapping: list[Pair]
    scenes: list[SameScenes]


def find(
    catalog: Path,
    *,
    film: str | None = None,
    pictures: bool = True,
    scenes: int = 0,
    tell: Told | None = None,
) -> Report:
    """What is there more than once.

    catalog: its file, in the folder of all films. film: only what is like this one, by id, or like
    those whose title or file name has that. pictures: look at keyframes, too, not at the digests of
    the films alone. scenes: how many pairs of scenes at most. tell: called while keyframes are
    hashed. Raises UserError where there is no catalog or no such film, OSError where the hashes
    can't be kept.
    """
    with opened(catalog) as db:
        wanted = film and {each.video for each in film_choice.named(db, film)}
        rows = db.execute(
            "SELECT video, title, source, duration, width, height, container, size, content"
            " FROM films ORDER BY video"
        ).fetchall()
    copies = {row[0]: Copy(*row) for row in rows}
    identical = _identical(copies.values())
    # Of identical films, one stands for all.
    spare = {each.film for group in identical for each in group.films[1:]}
    report = Report(identical, [], [], [])
    if pictures:
        hashes = picture_hashes.of_films(catalog.parent, [*copies], tell)
        some = {v: each for v, each in hashes.items() if v not in spare and len(each.hashes)}
        pairs = similar.pairs(some)
        alike, overlapping = _sorted_out(pairs, copies, some)
        found = _scenes(some, pairs, scenes) if scenes else []
        report = Report(identical, alike, overlapping, found)
    return _only(report, wanted) if wanted else report


def _identical(films: Iterable[Copy]) -> list[Identical]:
    groups: dict[str, list[Copy]] = {}
    for film in films:
        if film.content:
            groups.setdefault(film.content, []).append(film)
    found = []
    for group in groups.values():
        if len(group) > 1:
            sizes = {_file(film): film.size or 0 for film in group}
            saved = sum(sizes.values()) - max(sizes.values())
            found.append(Identical(group, saved, len(sizes) == 1))
    return sorted(found, key=lambda group: -group.saved)


def _file(film: Copy) -> object:
    """What tells one file from another, whatever their names are."""
    try:
        seen = os.stat(film.source or "")
    except (OSError, ValueError):
        return film.film
    return seen.st_dev, seen.st_ino


def _sorted_out(
    pairs: list[Pair], copies: Mapping[str, Copy], hashes: Mapping[str, Hashes]
) -> tuple[list[Alike], list[Pair]]:
    """The pairs as groups of films that are the same, and those that only overlap."""
    group_of: dict[str, set[str]] = {}
    shares: dict[str, float] = {}
    overlapping = []
    for pair in pairs:
        one, other, share = pair.film, pair.other, min(pair.share, pair.other_share)
        if share < similar.SHARE or not _as_long(copies[one], copies[other]):
            few = min(len(hashes[one].hashes), len(hashes[other].hashes)) < similar.FEWEST
            overlapping += [] if few else [pair]
            continue
        both = group_of.get(one, {one}) | group_of.get(other, {other})
        for video in both:
            group_of[video] = both
            shares[video] = min(share, shares.get(video, 1.0))
    groups = {id(group): group for group in group_of.values()}
    found = []
    for group in groups.values():
        films = sorted((copies[video] for video in group), key=_best_first)
        found.append(Alike(films, min(shares[video] for video in group)))
    return sorted(found, key=lambda group: (-group.share, group.films[0].film)), overlapping


def _as_long(one: Copy, other: Copy) -> bool:
    if not one.duration or not other.duration:
        return True
    longer = max(one.duration, other.duration)
    return abs(one.duration - other.duration) <= max(1.0, similar.LENGTH * longer)


def _best_first(film: Copy) -> tuple[int, int, str]:
    return -(film.width or 0) * (film.height or 0), -(film.size or 0), film.film


def _scenes(hashes: Mapping[str, Hashes], pairs: list[Pair], most: int) -> list[SameScenes]:
    known = {frozenset((pair.film, pair.other)) for pair in pairs}
    found = []
    for bits, film, at, other, other_at in similar.same_scenes(hashes, most, known):
        one, two = _scene(film, hashes[film], at), _scene(other, hashes[other], other_at)
        found.append(SameScenes(one, two, bits))
    return found


def _scene(film: str, hashes: Hashes, at: int) -> Scene:
    return Scene(film, int(hashes.scenes[at]), float(hashes.times[at]))


def _only(report: Report, videos: set[str]) -> Report:
    """What is said of some films, or of the identical ones that stand for them."""
    identical = [each for each in report.identical if videos & {film.film for film in each.films}]
    videos = videos | {group.films[0].film for group in identical}
    return Report(
        identical,
        [group for group in report.alike if videos & {each.film for each in group.films}],
        [pair for pair in report.overlapping if videos & {pair.film, pair.other}],
        [each for each in report.scenes if videos & {each.one.film, each.other.film}],
    )


def summary(report: Report) -> str:
    """In one sentence, how much was found."""
    spare = sum(len(group.films) - 1 for group in report.identical)
    parts = [
        f"{count(spare, 'identical copy').replace('copys', 'copies')}",
        f"{count(len(report.alike), 'group')} of films with the same pictures",
        f"{count(len(report.overlapping), 'pair')} that overlap",
    ]
    return ", ".join(parts)
