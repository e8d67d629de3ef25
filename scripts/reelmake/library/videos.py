"""Which videos there are, and the id under which each one's results lie."""

import csv
import functools
import glob
import hashlib
import io
import os
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reelmake.foundation import artifact_files, urls
from reelmake.foundation.errors import UserError
from reelmake.foundation.text import did_you_mean, some
from reelmake.library.config import Config, expand, settings, with_overrides
from reelmake.library.own_output import OwnOutput
from reelmake.library.stages import STAGES

SHEETS = (".tsv", ".csv")

MAX_ID_BYTES = 150
"""So that the longest name made from an id (a temporary one) fits into 255 bytes."""

_PLAIN = re.compile("[A-Za-z0-9](_?[A-Za-z0-9.-])*")
"""Names of which nothing is replaced."""

_OF_ALL = re.compile(r"pages|catalog\..*", re.I)
"""What lies in `results/` beside the folders of videos: pages/, catalog.db and such."""


@dataclass(frozen=True)
class Video:
    """A video of the library: its id, its source (an absolute path or a URL), and its own settings.

    `overrides` maps dotted setting names to values (from a sample sheet).
    """

    id: str
    source: str
    overrides: dict[str, Any] = field(default_factory=dict, hash=False)


def find(config: Config, say: Callable[[str], None] = print) -> dict[str, Video]:
    """The videos that the config names, by id, in the order of their ids.

    say: told of folders that can't be looked into, or that reelmake has filled. Raises UserError
    where there is none, or two that would share a folder.
    """
    given, extensions = config["videos"], config["extensions"]
    found: dict[str, Video] = {}
    for video in _find(config, say):
        other = found.setdefault(video.id, video)
        if other is video:
            continue
        if other.source != video.source:
            raise UserError(
                f"videos: {urls.shown(other.source)} and {urls.shown(video.source)} would both be "
                f"'{video.id}'; "
                "give them ids of their own in a sample sheet (columns source and id)"
            )
        if other != video:
            raise UserError(f"videos: '{video.id}' has two rows with different settings")
    if not found and str(given).lower().endswith(SHEETS):
        raise UserError(f"videos: the sample sheet {given} has no rows")
    if not found:
        raise UserError(
            f"videos: nothing found in {given!r} with the extensions {', '.join(extensions)}; "
            "name a folder that has some (--config videos=~/Movies) or set extensions"
        )
    return dict(sorted(found.items()))


def make_id(relative: str, extensions: list[str]) -> str:
    """The id of the video at the path `relative` to its folder.

    It depends on nothing but that path, so it stays the same when other files come and
    go, and no two paths share one. `holiday.mp4` is `holiday`; other extensions stay
    (`holiday.mkv`); `/` becomes `__`; what is not a letter, digit, `_`, `-` or `.`
    becomes `_`. Where that loses something that another path could have, or is what the library
    itself calls a file, eight hex digits of the path's SHA-256 follow.
    """
    name = relative.removesuffix(".mp4")
    parts = name.split("/")
    slug = "__".join(_safe(part) for part in parts)
    lossless = (
        slug != ""
        and not _OF_ALL.fullmatch(slug)
        and slug == "__".join(parts)  # nothing was replaced
        and not any("__" in part or part.startswith("_") or part.endswith("_") for part in parts)
        # Neither is `a.mkv.mp4` `a.mkv`, nor is `a.mp4` a file that is called `a`.
        and (_ends_with(name, extensions) != (name != relative))
        and len(slug.encode()) <= MAX_ID_BYTES
    )
    if lossless:
        return slug
    return _marked(slug, relative)


def _marked(slug: str, text: str) -> str:
    """`slug`, no longer than an id may be, with eight hex digits of the SHA-256 of `text`."""
    mark = "-" + hashlib.sha256(os.fsencode(text)).hexdigest()[:8]
    stem = slug.encode()[: MAX_ID_BYTES - len(mark)].decode(errors="ignore")
    return (stem.rstrip("-._") or "video") + mark


def _safe(part: str) -> str:
    """`part` with letters, marks, digits, `_`, `-` and `.` only, and no odd first character."""
    if _PLAIN.fullmatch(part):  # most names: 2 µs less for each of 10,000 videos
        return part
    # Some file systems decompose letters (é as e + accent): both are the same name.
    part = unicodedata.normalize("NFC", part)
    kept = "".join(c if c in "_-." or unicodedata.category(c)[0] in "LMN" else "_" for c in part)
    return re.sub("_+", "_", kept).lstrip("-._")


def _find(config: Config, say: Callable[[str], None]) -> Iterator[Video]:
    given, extensions = config["videos"], config["extensions"]
    if isinstance(given, list):
        for name in given:
            if urls.is_url(name):
                yield _listed(name, extensions)
                continue
            if expand(name).is_dir() or (glob.has_magic(name) and not expand(name).exists()):
                raise UserError(
                    f"videos: {name} in the list is a folder or a pattern; a list has files only"
                )
            yield _listed(name, extensions)
        return
    if urls.is_url(given):
        yield _listed(given, extensions)
        return
    path: Path = expand(given)
    if path.name.lower().endswith(SHEETS):
        yield from _sheet(path, config)
    elif path.is_dir():
        own = OwnOutput(path, expand(config["cache"]["dir"]))
        yield from _folder(path, extensions, own, say)
        _say_left_out(own, say)
    elif glob.has_magic(given) and not path.exists():
        fixed = Path(*_before_magic(path.parts[:-1]))
        own = OwnOutput(fixed, expand(config["cache"]["dir"]))
        yield from _glob(path, fixed, extensions, own)
        _say_left_out(own, say)
    elif os.path.lexists(path):
        yield Video(make_id(path.name, extensions), _absolute(path))
    else:
        raise UserError(
            f"videos: {given} does not exist; name a folder, a glob, a file, a list or a "
            "sample sheet, such as --config videos=~/Movies"
        )


def _say_left_out(own: OwnOutput, say: Callable[[str], None]) -> None:
    if own.found:
        say(
            f"videos: {some(list(own.found))} left out, which reelmake itself has filled; to "
            "process a file of it name it in a list"
        )


def _folder(
    folder: Path, extensions: list[str], own: OwnOutput, say: Callable[[str], None]
) -> Iterator[Video]:
    if own.is_all():
        return
    if not os.access(folder, os.R_OK | os.X_OK):
        raise UserError(f"videos: no permission to look into {folder}")

    def skipped(error: OSError) -> None:
        say(f"videos: {error.filename} is left out: {error.strerror}")

    seen: set[tuple[int, int]] = set()  # a link may lead to a folder that contains it
    for parent, folders, names in os.walk(folder, followlinks=True, onerror=skipped):
        stat = os.stat(parent)
        if (stat.st_dev, stat.st_ino) in seen:
            folders.clear()
            continue
        seen.add((stat.st_dev, stat.st_ino))
        if len(seen) > 1 and not own.enters(parent, folders, names):
            folders.clear()
            continue
        # Hidden: trash folders, and the `._name` files that macOS leaves on foreign disks.
        # Links last: what is found twice goes by the name of where it is.
        seen_here = [name for name in folders if not name.startswith(".")]
        folders[:] = sorted(seen_here, key=lambda name: (Path(parent, name).is_symlink(), name))
        # Of a folder once, not of each video: a path object costs more than a `stat`.
        inside, absolute = Path(parent).relative_to(folder).as_posix(), os.path.abspath(parent)
        for name in sorted(names):
            if _ends_with(name, extensions) and not name.startswith("."):
                relative = name if inside == "." else f"{inside}/{name}"
                yield Video(make_id(relative, extensions), os.path.join(absolute, name))


def _glob(pattern: Path, fixed: Path, extensions: list[str], own: OwnOutput) -> Iterator[Video]:
    """fixed: the part of the pattern that is a plain folder."""
    for name in sorted(glob.glob(str(pattern), recursive=True)):
        if not os.path.isdir(name) and not own.has(path := Path(name)):
            relative = path.relative_to(fixed).as_posix()
            yield Video(make_id(relative, extensions), _absolute(path))


def _before_magic(parts: tuple[str, ...]) -> Iterator[str]:
    for part in parts:
        if glob.has_magic(part):
            return
        yield part


def _listed(path: str, extensions: list[str]) -> Video:
    """A file of a list: its id comes from the path as seen from the working directory.

    A file elsewhere gets the mark of its whole path: the name alone says too little. So does
    what is on the web.
    """
    if urls.is_url(path):
        return Video(_marked(_safe(urls.name(path).removesuffix(".mp4")), path), urls.check(path))
    absolute = _absolute(expand(path))
    try:
        relative = Path(absolute).relative_to(os.getcwd()).as_posix()
    except ValueError:
        stem = make_id(Path(absolute).name, extensions)
        mark = hashlib.sha256(os.fsencode(absolute)).hexdigest()[:8]
        return Video(f"{stem}-{mark}", absolute)
    return Video(make_id(relative, extensions), absolute)


def _sheet(path: Path, config: Config) -> Iterator[Video]:
    """The rows of a sample sheet: `source`, optional `id`, further columns are settings."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"videos: the sample sheet {path} does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"videos: the sample sheet {path} cannot be read: {error}") from None
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    # newline="": a quoted cell may hold a name with a line break in it
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise UserError(f"videos: the sample sheet {path} cannot be read: {error}") from None
    # Only what goes into a stage's fingerprint can differ from video to video.
    used = tuple(name for stage in STAGES.values() for name in stage.settings if name != "stages")
    known = {"source", "id", "language"}
    known |= {name for name, _ in settings() if f"{name}.".startswith(tuple(f"{u}." for u in used))}
    right = set[str]()
    header, rows = [column.strip() for column in rows[0]] if rows else [], rows[1:]
    for column in header:
        if column not in known:
            raise UserError(
                f"{path}: '{column}' can't be set for one video{did_you_mean(column, known)}; "
                "columns are source, id, language and settings such as transcription.model"
            )
    for number, row in enumerate(rows, start=2):
        where = f"{path}, row {number}"
        if row and len(row) != len(header):
            raise UserError(f"{where}: it has not as many cells as the header has columns")
        cells = {column: cell for column, cell in zip(header, row, strict=False) if cell.strip()}
        if not cells:
            continue
        try:
            artifact_files.validate(cells, "samples")
        except ValueError as error:
            raise UserError(f"{where}: {error}") from None
        source, given = cells.pop("source"), cells.pop("id", None)
        safe = given is None or re.fullmatch(r"[^\W][\w.-]*", given)
        if not safe or len((given or "").encode()) > MAX_ID_BYTES:
            raise UserError(f"{where}: the id {given!r} is too long or no safe file name")
        if given and _OF_ALL.fullmatch(given):
            raise UserError(f"{where}: results/{given} is the library's own; give another id")
        if "language" in cells:
            cells["transcription.language"] = cells.pop("language")
        if str(cells) not in right:
            try:
                with_overrides(config, cells)
            except UserError as error:
                raise UserError(f"{where}: {error}") from None
            right.add(str(cells))
        listed = _listed(source, config["extensions"])
        yield Video(given or listed.id, listed.source, cells)


def _ends_with(name: str, extensions: list[str]) -> bool:
    return name.lower().endswith(_suffixes(tuple(extensions)))


@functools.cache
def _suffixes(extensions: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f".{extension.lower()}" for extension in extensions)


def _absolute(path: Path) -> str:
    """Absolute, but links are kept: what a link points to may move."""
    return os.path.abspath(path)
