"""`reel similar`: films that are there more than once, for people who clean up."""

from typing import TYPE_CHECKING, Any

from reelmake.foundation.errors import UserError
from reelmake.foundation.text import printable, visible
from reelmake.foundation.units import show_bytes
from reelmake.library.library import RESULTS
from reelmake.reel.options import Arguments, add_command, news, print_json, say
from reelmake.reel.search_command import clock

if TYPE_CHECKING:
    from reelmake.catalog.duplicates import Alike, Copy, Identical, Report, SameScenes
    from reelmake.catalog.similar import Pair

SCENES = 50
"""Pairs of scenes that are shown."""


def add_to(commands: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        commands,
        "similar",
        _similar,
        "find films that are there more than once: identical, or the same pictures in another "
        "resolution, container or encoding; removes nothing",
        "  reel similar\n"
        "  reel similar --identical --json\n"
        "  reel similar --film holiday --scenes\n"
        "Pictures are compared by hashes of the keyframes, which the first time takes about a\n"
        "second for a thousand, and are then kept beside the catalog. docs/search.md says more.",
    )
    parser.add_argument(
        "--identical", action="store_true", help="only films with the same content; no pictures"
    )
    parser.add_argument(
        "--scenes",
        action="store_true",
        help=f"also scenes of different films that look the same, {SCENES} at most",
    )
    parser.add_argument(
        "--film", metavar="FILM", help="only what is like this one: its id, or a part of its name"
    )


def _similar(arguments: Arguments) -> int:
    from reelmake.catalog import duplicates, updating

    if arguments.identical and arguments.scenes:
        raise UserError("--identical looks at no pictures, --scenes at nothing else: give one")
    path = RESULTS / updating.NAME
    report = duplicates.find(
        path,
        film=arguments.film,
        pictures=not arguments.identical,
        scenes=SCENES if arguments.scenes else 0,
        tell=news("looking at keyframes"),
    )
    if arguments.json:
        print_json(as_json(report))
        return 0
    for line in lines(report):
        print(printable(line))
    print(duplicates.summary(report))
    if not updating.is_current(RESULTS):
        say(f"{path} is older than the results; `reel catalog` brings it up to date")
    return 0


def as_json(report: "Report") -> dict[str, Any]:
    """What `--json` prints; docs/search.md describes it."""
    return {
        "identical": [
            {
                "films": [_film(each) for each in group.films],
                "saved": group.saved,
                "linked": group.linked,
            }
            for group in report.identical
        ],
        "alike": [
            {"films": [_film(each) for each in group.films], "share": round(group.share, 3)}
            for group in report.alike
        ],
        "overlapping": [
            pair._asdict()
            | {"share": round(pair.share, 3), "other_share": round(pair.other_share, 3)}
            for pair in report.overlapping
        ],
        "scenes": [
            {"one": each.one._asdict(), "other": each.other._asdict(), "bits": each.bits}
            for each in report.scenes
        ],
    }


def _film(film: "Copy") -> dict[str, Any]:
    return film._asdict()


def lines(report: "Report") -> list[str]:
    """The report for people, a line each; not yet made printable."""
    found: list[str] = []
    for group in report.identical:
        found += _identical(group)
    for alike in report.alike:
        found += _alike(alike)
    found += [_overlapping(pair) for pair in report.overlapping]
    found += [_scenes(each) for each in report.scenes]
    return found


def _identical(group: "Identical") -> list[str]:
    saved = (
        "one file under several names: nothing would be saved"
        if group.linked
        else f"keeping one saves {show_bytes(group.saved)}"
    )
    head = f"identical, {len(group.films)} films; {saved}"
    return [head, *(f"  {_told(film)}" for film in group.films)]


def _alike(group: "Alike") -> list[str]:
    sizes = [film.size or 0 for film in group.films]
    saved = show_bytes(sum(sizes) - sizes[0])
    head = f"the same pictures, {len(group.films)} films, {group.share:.0%} of the keyframes in "
    head += f"order; keeping the first saves {saved}"
    return [head, *(f"  {_told(film)}" for film in group.films)]


def _told(film: "Copy") -> str:
    size = show_bytes(film.size) if film.size is not None else "? B"
    picture = f"{film.width}x{film.height}" if film.width else "no picture"
    length = clock(film.duration) if film.duration else "?"
    where = film.source or film.film
    return f"{size:>9}  {picture:>10}  {length:>8}  {visible(film.title)}  {where}"


def _overlapping(pair: "Pair") -> str:
    whole, part, share = (
        (pair.film, pair.other, pair.other_share)
        if pair.other_share > pair.share
        else (pair.other, pair.film, pair.share)
    )
    return f"overlapping: {share:.0%} of the keyframes of {part} are in {whole}, too, in order"


def _scenes(each: "SameScenes") -> str:
    one, other = each.one, each.other
    return (
        f"alike: {one.film} at {clock(one.time)} and {other.film} at {clock(other.time)}"
        f" ({each.bits} of 64 bits differ)"
    )
