"""`reel speakers`: who speaks in the films of the library, and giving voices names."""

from pathlib import Path
from typing import Any, NamedTuple

from reelmake.foundation import artifact_files, urls
from reelmake.foundation.errors import UserError
from reelmake.foundation.text import count, did_you_mean, printable, some, visible
from reelmake.foundation.units import show_seconds
from reelmake.library import sidecars, speaker_names
from reelmake.library.config import expand
from reelmake.library.library import RESULTS
from reelmake.reel.options import Arguments, add_command, match_of, print_json, read_config, say

SHOWN = 30
"""Voices without a name that are listed."""


class Voice(NamedTuple):
    """A voice of a film. film: its id. likeness: of a guess, to a voice that is named."""

    film: str
    title: str
    label: str
    name: str | None
    guessed: bool
    likeness: float | None
    seconds: float


def add_to(commands: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        commands,
        "speakers",
        _speakers,
        "list who speaks in the films, and for how long; or give voices names",
        "  reel speakers\n"
        "  reel speakers --film holiday\n"
        "  reel speakers name holiday S1 Anna     # in speakers.csv, which you may edit, too\n"
        "  reel speakers name '*' S1 Anna         # S1 of every film\n"
        "  reel speakers name holiday S1 ''       # nobody after all\n"
        "  reel speakers accept                   # all guesses\n"
        "  reel speakers accept Anna              # those of Anna\n"
        "Anna? is a guess: the voice is like one that is named Anna in another film. Subtitles\n"
        "have names that were given or accepted only; the next run writes them.",
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="name FILM LABEL NAME | accept [NAME]",
        help="what to change; without it, voices are listed",
    )
    parser.add_argument(
        "--film", metavar="FILM", help="only of this one: its id, or a part of its title or file"
    )


def _speakers(arguments: Arguments) -> int:
    action, *words = arguments.words or [""]
    if action == "name" and len(words) == 3:
        return _name(arguments, *words)
    if action == "accept" and len(words) < 2:
        return _accept(arguments, *words)
    if action:
        actions = ("name", "accept")
        hint = "" if action in actions else did_you_mean(action, actions)
        raise UserError(
            f"speakers {printable(action)}{hint}: give `name FILM LABEL NAME` or `accept [NAME]`; "
            "a name of several words in quotes"
        )
    found, current = _voices(arguments)
    if arguments.json:
        print_json({"current": current, "speakers": [voice._asdict() for voice in found]})
    else:
        _show(found)
        if not current:
            say("the catalog is older than the results; `reel catalog` brings it up to date")
    return 0


def _voices(arguments: Arguments) -> tuple[list[Voice], bool]:
    """The voices that the catalog has, those who speak most first, with the names that the table
    has by now; and whether the catalog is up to date."""
    from reelmake.catalog import film_choice, updating
    from reelmake.catalog.opening import opened

    names = speaker_names.read(_table(arguments))
    with opened(RESULTS / updating.NAME) as db:
        only = None
        if arguments.film is not None:
            only = {film.video for film in film_choice.named(db, arguments.film)}
        rows = db.execute(
            "SELECT video, title, source, speaker, name, guessed, likeness, seconds FROM speakers"
            " JOIN films ON films.id = speakers.film ORDER BY seconds DESC, video, speaker"
        ).fetchall()
    found = []
    for video, title, source, label, name, guessed, likeness, seconds in rows:
        if only is None or video in only:
            if names and urls.is_url(source or ""):
                source = _source(video)  # whole: the catalog has no secrets of addresses
            given = names.of(video, source or "").get(label)
            # Of a name that was taken away, the next run makes nothing.
            name = given or (name if guessed else None)
            is_guess = bool(guessed) and not given
            found.append(
                Voice(
                    *(video, title or video, label, name, is_guess),
                    *(likeness if is_guess else None, seconds or 0.0),
                )
            )
    return found, updating.is_current(RESULTS, match_of(arguments))


def _show(found: list[Voice]) -> None:
    if not found:
        print("no voices are known; the stage speakers finds them: snakemake speakers")
        return
    people: dict[str, list[Voice]] = {}
    for voice in found:
        if voice.name is not None:
            people.setdefault(voice.name, []).append(voice)
    for name, voices in sorted(people.items(), key=lambda each: -_seconds(each[1])):
        films = list(dict.fromkeys(voice.film for voice in voices))
        line = f"{visible(name)}: {show_seconds(_seconds(voices))} in {count(len(films), 'film')}"
        print(f"{line} ({printable(some(films))})")
        for voice in voices:
            if voice.guessed:
                print(f"    {_told(voice)}: a guess ({voice.likeness or 0:.2f} of 1)")
    unnamed = [voice for voice in found if voice.name is None]
    if unnamed:
        print(f"without a name: {count(len(unnamed), 'voice')}")
    for voice in unnamed[:SHOWN]:
        print(f"    {_told(voice)}: {show_seconds(voice.seconds)}")
    if len(unnamed) > SHOWN:
        print(f"    … and {len(unnamed) - SHOWN:,} more (--film, --json)")


def _told(voice: Voice) -> str:
    return printable(f"{voice.film} {voice.label}")


def _seconds(voices: list[Voice]) -> float:
    return sum(voice.seconds for voice in voices)


def _name(arguments: Arguments, film: str, label: str, name: str) -> int:
    plain, label = speaker_names.plain(name), speaker_names.as_label(label)
    if name.strip() and not plain:
        raise UserError("the name has nothing that can be seen")
    video = film if film == speaker_names.ALL else _film(film)
    if video != speaker_names.ALL:
        known = _labels(RESULTS / video)
        if label not in known:
            has = ", ".join(known) if known else "no voices: the stage speakers finds them"
            raise UserError(f"{video} has no voice {printable(label)}; it has {has}")
    elif not speaker_names.LABEL.fullmatch(label):
        raise UserError(f"{printable(label)} is no label of a voice, such as S1")
    ends = _change(arguments, {(video, label): plain})
    if not plain and video != speaker_names.ALL:
        _tell_other_rows(_table(arguments), video, label)
    return ends


def _source(video: str) -> str:
    """The path or URL of a film, as its run had it."""
    source = sidecars.read(RESULTS / video, "media").get("source", {})
    return str(source.get("path", ""))


def _tell_other_rows(path: Path, video: str, label: str) -> None:
    """Say it where a voice whose name was taken away has one by another row."""
    name = speaker_names.read(path).of(video, _source(video)).get(label)
    if name is not None:
        say(
            f"{video} {label} is still '{visible(name)}', by a row of its path or of all films "
            f"(*); edit {path}"
        )


def _accept(arguments: Arguments, name: str | None = None) -> int:
    found, _ = _voices(arguments)
    guesses = [
        voice
        for voice in found
        if voice.guessed
        and name in (None, voice.name)
        # Else no run could read the table: somebody has edited speakers.json.
        and speaker_names.LABEL.fullmatch(voice.label)
    ]
    if not guesses:
        known = {voice.name for voice in found if voice.guessed and voice.name}
        hint = did_you_mean(name, known) if name else ""
        raise UserError(f"there is no guess{f' of {printable(name)}' if name else ''}{hint}")
    return _change(arguments, {(each.film, each.label): each.name or "" for each in guesses})


def _change(arguments: Arguments, names: dict[tuple[str, str], str]) -> int:
    path = _table(arguments)
    changed = speaker_names.change(path, names)
    films = some(list(dict.fromkeys(film for film, _ in names)))
    if changed:
        say(f"{path}: {count(changed, 'name')} ({films}); the next run writes the subtitles anew")
    else:
        say(f"{path}: nothing to change")
    return 0


def _table(arguments: Arguments) -> Path:
    return expand(read_config(arguments)["speakers"]["names"])


def _film(name: str) -> str:
    """The id of the film that a name stands for. Raises UserError where that is none or several."""
    if name not in ("", ".", "..") and "/" not in name and (RESULTS / name / "jobs").is_dir():
        return name
    from reelmake.catalog import film_choice, updating
    from reelmake.catalog.opening import opened

    with opened(RESULTS / updating.NAME) as db:
        at = (speaker_names.as_film(name),)  # as a row of the table may name it
        found = db.execute("SELECT video FROM films WHERE source = ?", at).fetchone()
        return str(found[0]) if found else film_choice.one(db, name).video


def _labels(results: Path) -> list[str]:
    """The labels of a film's voices."""
    known = [
        (artifact_files.read_json(results / name), key, at)
        for name, key, at in (
            ("speakers.json", "speakers", "label"),
            ("transcript.json", "segments", "speaker"),
        )
    ]
    return list(
        dict.fromkeys(
            each[at]
            for content, key, at in known
            if isinstance(content, dict)
            for each in content.get(key, [])
            if isinstance(each, dict) and isinstance(each.get(at), str)
        )
    )
