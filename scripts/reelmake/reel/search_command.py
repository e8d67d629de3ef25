"""`reel search`: the moments of all films at which something is said, seen or written."""

from typing import TYPE_CHECKING, Any

from reelmake.foundation.errors import UserError
from reelmake.foundation.text import JOINERS, count, visible, without
from reelmake.library.library import RESULTS
from reelmake.reel import meaning_option, players
from reelmake.reel.options import (
    Arguments,
    add_command,
    news,
    positive,
    print_json,
    say,
)

if TYPE_CHECKING:
    from rich.text import Text

    from reelmake.catalog.moments import Match, Moment
    from reelmake.catalog.search import Answer, Ranker

SHOWN = 300
"""Characters of a text that are shown."""
BEFORE = 100
"""Of them, before the first word that was looked for."""


def add_to(commands: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        commands,
        "search",
        _search,
        "find the moments of all films at which something is said, seen or written, best first",
        '  reel search "the crowd cheers"\n'
        "  reel search '\"the crowd\" cheer* -boo'   # words in a row, a beginning, not boo\n"
        "  reel search goal --said --film holiday --since 30d\n"
        "  reel search 'quarterly results' --written    # on slides, signs, captions\n"
        "  reel search 'foot*' --json --limit 100\n"
        "  reel search goal --speaker Anna              # while Anna speaks\n"
        "  reel search --like holiday@1:23              # pictures like the one there\n"
        "  reel search goal --play                      # open the first in mpv or VLC\n"
        "  reel search 'a round crimson shape'          # finds \"a red circle\", too\n"
        "All words are wanted; beside them, what means the same is found, where films have\n"
        "embeddings. Where no moment has all, those that have most are shown. Case and\n"
        "diacritics don't matter. docs/search.md says more.",
    )
    parser.add_argument(
        "query", metavar="WORDS", nargs="*", help='words, "phrases", -without, begin*'
    )
    parser.add_argument("--said", action="store_true", help="only in what is said")
    parser.add_argument("--seen", action="store_true", help="only in what is seen")
    parser.add_argument(
        "--written", action="store_true", help="only in what is written in the picture"
    )
    parser.add_argument(
        "--film", metavar="FILM", help="only in this one: its id, or a part of its title or file"
    )
    parser.add_argument(
        "--since",
        metavar="TIME",
        help="only films whose file is not older: 2026-01-31, or an age such as 30d or 12h",
    )
    parser.add_argument(
        "--speaker", metavar="NAME", help="only while this person speaks; without WORDS, all of it"
    )
    parser.add_argument(
        "--like", metavar="FILM@TIME", help="pictures like the one there, such as holiday@1:23"
    )
    meaning_option.add_to(parser)
    parser.add_argument(
        "--limit", type=positive, default=20, metavar="N", help="how many at most (default: 20)"
    )
    parser.add_argument("--play", action="store_true", help="open the first in mpv or VLC")


def _search(arguments: Arguments) -> int:
    from reelmake.catalog import by_meaning, film_choice, updating
    from reelmake.catalog.candidates import KINDS
    from reelmake.catalog.search import search

    words, path = " ".join(arguments.query), RESULTS / updating.NAME
    if not words.strip() and arguments.like is None and arguments.speaker is None:
        taken = arguments.configfile or arguments.config
        hint = "; write it before --configfile and --config, which take what follows them"
        raise UserError(
            f'say what to look for: reel search "the crowd cheers"{hint if taken else ""}'
        )
    if arguments.play and arguments.json:
        raise UserError("--play is for people, --json for scripts: give one of them")
    others: list[Ranker] = []
    if arguments.like is not None:
        from reelmake.catalog.like_picture import LikePicture, parse

        others.append(LikePicture(RESULTS, *parse(arguments.like), news("looking at keyframes")))
        others.append(by_meaning.LikePicture(RESULTS, *parse(arguments.like)))
    meant = meaning_option.rankers(arguments, RESULTS, words)
    others += meant.rankers
    kinds = tuple(kind for kind in ("said", "seen", "written") if getattr(arguments, kind))
    found = search(
        path,
        words,
        kinds=kinds or KINDS,
        film=arguments.film,
        since=film_choice.parse_since(arguments.since) if arguments.since else None,
        speaker=arguments.speaker,
        limit=arguments.limit,
        others=others,
    )
    found = found._replace(notes=[*meant.notes, *found.notes])
    if arguments.json:
        current = updating.is_current(RESULTS)
        print_json(as_json(words, found, current))
        return 0
    _show(found)
    if not updating.is_current(RESULTS):
        say(f"{path} is older than the results; `reel catalog` brings it up to date")
    if arguments.play:
        return _play(found)
    return 0


def as_json(words: str, answer: "Answer", current: bool) -> dict[str, Any]:
    """What `--json` prints; docs/search.md describes it. current: whether the catalog is."""
    return {
        "query": words.encode(errors="replace").decode(),  # what was typed may be no UTF-8
        "notes": answer.notes,
        "current": current,
        "moments": [_moment_as_json(moment) for moment in answer.moments],
    }


def _moment_as_json(moment: "Moment") -> dict[str, Any]:
    return {
        **moment._asdict(),
        "matches": [match._asdict() for match in moment.matches],
        "link": players.link(moment.path, moment.source, moment.start),
    }


def clock(seconds: float) -> str:
    """h:mm:ss, cut to the second, so that nothing is missed that begins within it."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def _play(answer: "Answer") -> int:
    if not answer.moments:
        return 1
    first = answer.moments[0]
    if first.path is None:
        raise UserError(f"{first.title}: no file of it is known here, so it can't be played")
    return players.play(first.path, first.start)


def _show(answer: "Answer") -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(markup=False, highlight=False, emoji=False)
    for note in answer.notes:
        say(note)
    if not answer.moments:
        console.print("nothing was found")
    for number, moment in enumerate(answer.moments, 1):
        head = Text(f"{number:>3}  ")
        head.append(visible(moment.title), "bold")
        head.append(f"  {clock(moment.start)}", "cyan")
        console.print(head)
        for label, line in _lines(moment):
            row = Text.assemble((f"     {f'{label} ':<8}", "dim"), line)
            console.print(row, soft_wrap=True)
    if len(answer.moments) > 1:
        console.print(count(len(answer.moments), "moment"), style="dim")


def _lines(moment: "Moment") -> "list[tuple[str, Text]]":
    from rich.text import Text

    found = [(match.where, _marked(match)) for match in moment.matches if match.kind != "title"]
    told = {match.where for match in moment.matches}
    for kind in ("said", "seen", "written"):
        text = getattr(moment, kind)
        if text and kind not in told:
            found.append((kind, Text(_shown(text[:SHOWN]), "dim")))
    if moment.speakers:
        found.append(("by", Text(visible(", ".join(moment.speakers)))))
    found.append(("why", Text(why(moment))))
    link = players.link(moment.path, moment.source, moment.start)
    if link:
        found.append(("", Text(link, "blue")))
    return found


def why(moment: "Moment") -> str:
    """In words, why a moment is found: "crowd, cheers: said; ball: seen"."""
    reasons: dict[str, list[str]] = {}
    for match in moment.matches:
        reasons.setdefault(match.where, []).extend(match.words)
    parts = []
    for kind, words in reasons.items():
        where = "in the title" if kind == "title" else kind
        parts.append(f"{', '.join(map(visible, dict.fromkeys(words)))}: {where}")
    if moment.like is not None:
        parts.append(f"it looks alike ({moment.like} of 64 bits differ)")
    if moment.meaning is not None:
        parts.append(f"it means about the same ({moment.meaning:.2f} of 1)")
    elif moment.missing:
        parts.append(f"without {', '.join(map(visible, moment.missing))}")
    if not parts and moment.speakers:
        parts.append(f"{visible(', '.join(moment.speakers))}: said by")
    return "; ".join(parts) or "it is near"


def _marked(match: "Match") -> "Text":
    """The text around the first word that was looked for, with all of them marked."""
    from rich.text import Text

    first = match.marks[0][0] if match.marks else 0
    start = max(0, first - BEFORE) if len(match.text) > SHOWN else 0
    end = min(len(match.text), start + SHOWN)
    line, at = Text("…" if start else ""), start
    for mark, mark_end in match.marks:
        if mark >= end:
            break
        line.append(_shown(match.text[at:mark]))
        line.append(_shown(match.text[mark : min(mark_end, end)]), "bold yellow")
        at = min(mark_end, end)
    line.append(_shown(match.text[at:end]))
    return line.append("…" if end < len(match.text) else "")


def _shown(text: str) -> str:
    """What is said, seen or written, without what could steer a terminal; a line break is a dot."""
    return without(text.replace("\n", " · "), "Cc", "Cf", "Cs", "Co", "Zl", "Zp", keep=JOINERS)
