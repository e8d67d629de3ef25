"""Who is who: names that people give to the voices of films, in a table beside the config.

`speakers.csv` (the setting `speakers.names`) has the columns film (the id of a film, its path or
URL, or * for all), label (S1, as in speakers.json) and name. People edit it, in whatever program,
and `reel speakers name` does. It is read in every run: nothing heavy is imported for it.
"""

import csv
import io
import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from reelmake.foundation import artifact_files, file_locks, text, urls
from reelmake.foundation.errors import UserError
from reelmake.library import config as configuration

COLUMNS = ("film", "label", "name")
LABEL = re.compile("S[1-9][0-9]{0,4}|left|right")
"""Of a voice: as speakers.json has it, or the side of its microphone (audio.mix: each)."""
ALL = "*"
LONGEST = 60
"""Characters of a name."""
MARK = "\ufeff"
"""By which programs know UTF-8."""
MOST = 16 << 20
"""Bytes of the table."""
SAID = 3
"""Rows of no film that a run says."""
PATIENCE = 10.0
"""Seconds to wait for another command that changes the table."""


class Row(NamedTuple):
    """A row of the table. line: where it begins in the file, from 1."""

    line: int
    film: str
    label: str
    name: str


class Names:
    """The names of a table, to be asked for films."""

    def __init__(self, rows: Iterable[Row]):
        self.rows = tuple(rows)
        self._of: dict[str, dict[str, str]] = {}
        for row in self.rows:
            self._of.setdefault(row.film, {})[row.label] = row.name

    def __bool__(self) -> bool:
        return bool(self.rows)

    def of(self, video: str, source: str) -> dict[str, str]:
        """The names of a film's voices by label. A row of the film comes before one of all.

        video: its id. source: its path, or its URL.
        """
        if not self._of:
            return {}
        return {**self._of.get(ALL, {}), **self._of.get(source, {}), **self._of.get(video, {})}

    def tell_unknown(
        self, path: Path, videos: Mapping[str, str], results: Path, say: Callable[[str], None]
    ) -> None:
        """Say which rows are of no film. path: of the table. videos: the source of each by id.
        results: the folder of all films, which has those, too, that a run over some leaves out."""
        known = {ALL, *videos, *videos.values()}
        unknown = [
            row
            for row in self.rows
            if row.film not in known and not os.path.lexists(results / row.film)  # or its path
        ]
        # A table may be of many more films than are here, and to look for a hint takes a while.
        for row in unknown[:SAID]:
            hint = text.did_you_mean(row.film, videos)
            say(
                f"{path}, line {row.line}: there is no film '{row.film}'{hint}; give its id or path"
            )
        if len(unknown) > SAID:
            say(f"{path}: {text.count(len(unknown) - SAID, 'more row')} of films that are not here")


def read(path: Path) -> Names:
    """The names in a table; none where there is no such file.

    Raises UserError, which names the line, for what is no such table.
    """
    written = _text(path).removeprefix(MARK)
    return Names(_unique(path, _rows(path, written)))


def _text(path: Path) -> str:
    """What is in the file, nothing where there is none. Raises UserError."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST + 1)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise UserError(f"{path}: can't be read: {error.strerror or error}") from None
    if len(content) > MOST:
        raise UserError(f"{path}: it is far too large for a table of names (speakers.names)")
    try:
        # Programs for tables also write what they call Unicode. Its mark stays, as that of UTF-8.
        wide = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}.get(content[:2])
        return content.decode(wide or "utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UserError(f"{path}, line {line}: it is no UTF-8; save it as CSV UTF-8") from None


def change(path: Path, names: Mapping[tuple[str, str], str]) -> int:
    """Have the table give voices these names, and leave everything else in it as it is; how many
    rows are other than before. It is made where there is none.

    names: by film and label; an empty one takes the name away. Raises UserError for a table that
    can't be read, or that somebody else is changing for long, and OSError.
    """
    path = path.resolve()  # through a link: the table itself is written, not a file in its place
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = file_locks.acquire(path.with_name(f".{path.name}.lock"), PATIENCE)
    if lock is None:
        raise UserError(f"{path}: another command is changing it; wait for it, then try again")
    try:
        return _change(path, names)
    finally:
        file_locks.release(lock)


def _change(path: Path, names: Mapping[tuple[str, str], str]) -> int:
    read(path)  # a table that no run would take is nobody's to change
    text_there = _text(path)
    written = text_there.removeprefix(MARK)
    delimiter = _delimiter(written)
    rows = list(csv.reader(io.StringIO(written, newline=""), delimiter=delimiter))
    head = next((row for row in rows if any(cell.strip() for cell in row)), None)
    if head is None:
        head = list(COLUMNS)
        rows = [head]
    places = _columns(path, 1, [cell.strip() for cell in head])
    changed, there = 0, set()
    kept = []
    for row in rows:
        film, label = (_cell(row, places[name]) for name in ("film", "label"))
        voice = as_film(film), as_label(label)
        wanted = names.get(voice) if row is not head else None
        if wanted is not None:
            there.add(voice)
        if wanted is None or wanted == _cell(row, places["name"]):
            kept.append(row)
            continue
        changed += 1
        if wanted:
            row += [""] * (places["name"] + 1 - len(row))
            row[places["name"]] = wanted
            kept.append(row)
    for (film, label), name in names.items():
        if name and (film, label) not in there:
            cells = {places["film"]: film, places["label"]: label, places["name"]: name}
            kept.append([cells.get(place, "") for place in range(len(head))])
            changed += 1
    if changed:
        made = io.StringIO(newline="")
        ends = "\r\n" if "\r\n" in written else "\n"
        csv.writer(made, delimiter=delimiter, lineterminator=ends).writerows(kept)
        mark = MARK if text_there.startswith(MARK) else ""
        with artifact_files.writing(path) as temporary:
            temporary.write_bytes((mark + made.getvalue()).encode())
            if path.exists():  # who may read it, and who may edit it
                shutil.copymode(path, temporary)
    return changed


def plain(name: str) -> str:
    """A name as it may be written: one line of at most `LONGEST` characters, without what is not
    seen, such as marks that turn the direction of what follows."""
    return text.line(name, LONGEST)


def as_film(film: str) -> str:
    """A film as a row names it: an id stays, the path of a file becomes absolute."""
    if film == ALL or urls.is_url(film) or not (os.sep in film or film.startswith("~")):
        return film
    return os.path.abspath(configuration.expand(film))


def _rows(path: Path, written: str) -> Iterable[Row]:
    # Strict: a quotation mark that is never closed would make one name of all rows after it.
    reader = csv.reader(
        io.StringIO(written, newline=""), delimiter=_delimiter(written), strict=True
    )
    places: dict[str, int] = {}
    line = 1
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if any(cells):
                if not places:
                    places = _columns(path, line, cells)
                else:
                    cells += [""] * (max(places.values()) + 1 - len(cells))
                    row = Row(line, *(cells[places[name]] for name in COLUMNS))
                    if row.name:  # else it is yet to be filled in
                        yield _checked(path, row)
            line = reader.line_num + 1
    except csv.Error as error:
        raise UserError(
            f"{path}, line {line}: it is no CSV: {error}; look at its quotation marks"
        ) from None


def _delimiter(written: str) -> str:
    """What stands between the cells of the first line: programs write what their country does."""
    first = next((line for line in written.splitlines() if line.strip()), "")
    return max(",;\t", key=first.count)


def _columns(path: Path, line: int, cells: list[str]) -> dict[str, int]:
    """The place of each column, by the first row."""
    names = [cell.lower() for cell in cells]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise UserError(
            f"{path}, line {line}: there is no column {', '.join(missing)}; the first line of the "
            f"table is: {','.join(COLUMNS)}"
        )
    return {name: names.index(name) for name in COLUMNS}


def _checked(path: Path, row: Row) -> Row:
    """The row as it is used. Raises UserError."""
    where = f"{path}, line {row.line}"
    if not row.film:
        raise UserError(f"{where}: it names no film; give its id, its path, or * for all")
    if "\0" in row.film:
        raise UserError(f"{where}: no film can have this name")
    label = as_label(row.label)
    if not LABEL.fullmatch(label):
        raise UserError(
            f"{where}: '{row.label[:40]}' is no label of a voice; `reel speakers` lists them, such "
            "as S1"
        )
    name = plain(row.name)
    if not name:
        raise UserError(f"{where}: the name has nothing that can be seen")
    return row._replace(film=as_film(row.film), label=label, name=name)


def as_label(label: str) -> str:
    """A label as it is written elsewhere: s1 is S1."""
    return label[:1].upper() + label[1:] if label[:1] == "s" else label


def _cell(row: list[str], place: int) -> str:
    return row[place].strip() if place < len(row) else ""


def _unique(path: Path, rows: Iterable[Row]) -> list[Row]:
    """The rows. Raises UserError where two give a voice two names."""
    found: dict[tuple[str, str], Row] = {}
    for row in rows:
        other = found.setdefault((row.film, row.label), row)
        if other.name != row.name:
            raise UserError(
                f"{path}, line {row.line}: {row.label} of {row.film} is '{row.name}' here, and "
                f"'{other.name}' in line {other.line}; delete one of them"
            )
    return list(found.values())
