"""`reel export-edl`: highlights, scenes, beats, or what a search finds, for an editor's program."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reelmake.editing.string_out import Film, Moment
from reelmake.foundation import artifact_files
from reelmake.foundation.errors import StageError, UserError
from reelmake.foundation.text import count, did_you_mean, printable, some
from reelmake.library.library import RESULTS
from reelmake.reel import library_moments, meaning_option
from reelmake.reel.options import (
    Arguments,
    add_command,
    output_file,
    positive,
    require_results,
    say,
)

SUFFIXES = {".otio": "otio", ".edl": "edl", ".fcpxml": "fcpxml", ".xml": "fcp7"}
"""The format that a file's name asks for."""

LAYOUTS = ("cuts", "markers")
MOST_EVENTS = 999
"""Of a CMX 3600 edit list: its events have numbers of three digits."""


def add_to(commands: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        commands,
        "export-edl",
        _export,
        "write highlights, scenes, beats, or what a search finds, for an editor",
        "  reel export-edl --output best.fcpxml                       # of all films, in a row\n"
        "  reel export-edl --video holiday --what scenes --as markers --output holiday.otio\n"
        "  reel export-edl --video holiday --what beats --output beats.xml\n"
        "  reel export-edl --video holiday --format edl > holiday.edl\n"
        '  reel export-edl "the crowd cheers" --output cheers.xml      # what reel search finds\n'
        "Nothing is copied: the file names the films and counts from their own start timecode.",
        json=False,
    )
    parser.add_argument(
        "query", metavar="WORDS", nargs="*", help="what is looked for, as reel search takes it"
    )
    meaning_option.add_to(parser)
    parser.add_argument(
        "--limit",
        type=positive,
        default=100,
        metavar="N",
        help="how many of what is found, the best (default: 100)",
    )
    parser.add_argument(
        "--what", choices=[*library_moments.KINDS], help="without WORDS (default: highlights)"
    )
    parser.add_argument(
        "--as",
        dest="layout",
        choices=LAYOUTS,
        default="cuts",
        help="cuts: one after the other; markers: on the whole films (default: cuts)",
    )
    parser.add_argument(
        "--format",
        choices=sorted(SUFFIXES.values()),
        help="fcp7 is the XML for Premiere and Resolve (default: by the output's suffix "
        ".edl, .fcpxml, .otio or .xml, or else otio)",
    )
    parser.add_argument(
        "--video", nargs="+", metavar="VIDEO", help="only these, by their ids (default: all)"
    )
    parser.add_argument("--name", help="of the timeline (default: what it holds)")
    parser.add_argument("--output", metavar="FILE", help="default: standard output")


def _export(arguments: Arguments) -> int:
    target = output_file(arguments) if arguments.output else None
    format = arguments.format or _format(target)
    words = " ".join(arguments.query)
    if words and arguments.what:
        raise UserError("--what is for what is there without a search: give WORDS, or --what")
    if words:
        name = words
        films, moments = _search(RESULTS, words, arguments)
    else:
        what = arguments.what or "highlights"
        films, moments = _read(RESULTS, arguments.video, what)
        alone = arguments.video and len(arguments.video) == 1
        name = f"{arguments.video[0]} {what}" if alone else what
    write(
        arguments.name or name,
        moments,
        films,
        format,
        arguments.layout,
        target,
    )
    return 0


def write(
    name: str,
    moments: Sequence[Moment],
    films: dict[Path, Film],
    format: str,
    layout: str,
    target: Path | None,
) -> None:
    """Write moments of films for an editor, to a file or to standard output.

    name: of the timeline. moments: one at least, in the order that they shall have. films: those
    of the moments by source, as `editor_films.read` gives them. format: one of `SUFFIXES`' values.
    layout: `cuts` or `markers`. Raises UserError, for a target that is one of the films, too.
    """
    from reelmake.media import string_out_formats  # no other command waits for it

    content = string_out_formats.write(name, moments, films, format, layout)
    if format == "edl" and layout == "cuts" and len(moments) > MOST_EVENTS:
        say(f"{len(moments):,} events: many editors read only {MOST_EVENTS} from an edit list")
    if target is None:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
        return
    if target.exists() and any(target.samefile(film) for film in films if film.exists()):
        raise UserError(f"--output {target}: it is one of the films; name another file")
    artifact_files.write_bytes(target, content)
    say(f"{target}: {count(len(moments), 'moment')} of {count(len(films), 'film')}")


def _format(target: Path | None) -> str:
    if target is None:
        return "otio"
    found = SUFFIXES.get(target.suffix.lower())
    if found is None:
        raise UserError(
            f"--output {target}: add --format, or a suffix that says it: {', '.join(SUFFIXES)}"
        )
    return found


def _search(
    results: Path, words: str, arguments: Arguments
) -> tuple[dict[Path, Film], list[Moment]]:
    """The films in which a search finds something, and the moments, best first."""
    from reelmake.catalog import updating
    from reelmake.catalog.search import search
    from reelmake.media import editor_films

    wanted, limit = arguments.video, arguments.limit
    only = [folder.name for folder in _folders(results, wanted)] if wanted else [None]
    meant = meaning_option.rankers(arguments, results, words)
    for note in meant.notes:
        say(note)
    found = []
    for film in only:
        answer = search(
            results / updating.NAME,
            words,
            kinds=("said", "seen", "written"),
            film=film,
            limit=limit,
            others=meant.rankers,
        )
        found += answer.moments
        for note in answer.notes:
            say(note)
    found = sorted(found, key=lambda moment: -moment.score)[:limit]
    if not found:
        raise UserError(f"nothing was found of '{printable(words)}'; reel search shows what is")
    films: dict[str, Film] = {}
    for each in found:
        if each.film not in films:
            try:
                films[each.film] = editor_films.read(results / each.film)
            except StageError as error:
                raise UserError(f"{each.film}: {error}") from None
    moments = [
        Moment(
            films[each.film].source,
            each.start,
            each.end,
            each.title,
            each.said or each.seen or each.written,
        )
        for each in found
    ]
    return {film.source: film for film in films.values()}, moments


def _read(
    results: Path, wanted: Sequence[str] | None, what: str
) -> tuple[dict[Path, Film], list[Moment]]:
    """The films that have such moments, and the moments, film by film."""
    from reelmake.media import editor_films  # PyAV comes with it

    films: dict[Path, Film] = {}
    moments: list[Moment] = []
    without = []
    for folder in _folders(results, wanted):
        # Asked before the film is opened: most of a library may have none yet.
        found = library_moments.of(what, folder, folder)
        if not found:
            without.append(folder.name)
            continue
        try:
            film = editor_films.read(folder)
        except StageError as error:
            raise UserError(f"{folder.name}: {error}") from None
        films[film.source] = film
        moments += [moment._replace(source=film.source) for moment in found]
    if without and (wanted or not moments):
        raise UserError(
            f"no {what} of {some(without)}: make them with snakemake, or --what something else"
        )
    if without:
        say(f"without {what}, left out: {some(without)} ({count(len(without), 'video')})")
    if not moments:
        raise UserError(f"{results}: there is no video in it; run snakemake first")
    return films, moments


def _folders(results: Path, wanted: Sequence[str] | None) -> list[Path]:
    require_results(results)
    there = sorted(
        entry.name for entry in results.iterdir() if entry.is_dir() and entry.name[0] != "."
    )
    for name in wanted or ():
        if name not in there:
            raise UserError(f"{results}: there is no video '{name}'{did_you_mean(name, there)}")
    return [results / name for name in dict.fromkeys(wanted or there)]
