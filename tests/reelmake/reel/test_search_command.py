"""`reel search`: what it prints, and that nothing that was said or named steers a terminal."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from make_moments import make_film
from make_pictures import picture, write_keyframes
from reelmake.catalog import updating
from reelmake.reel import main

ESCAPE = "\x1b]0;owned\x07\x1b[2J\u202e\x9b31m"
REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def library(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results = tmp_path / "results"
    said = ["The crowd cheers", "Nothing more", f"A {ESCAPE} goal"]
    make_film(results / "match", texts=said, seen=["A stadium"], scenes=1, written=["Gate 7"],
              source=tmp_path / "Summer_Match.mp4")  # fmt: skip
    make_film(results / "odd", texts=[f"{ESCAPE} penalty"], segments=1, seen=[f"{ESCAPE}\nred"],
              scenes=1, source=f"/films/{ESCAPE}.mp4")  # fmt: skip
    updating.update(results)
    return tmp_path


def test_a_list_for_people(library, capsys):
    assert main.main(["search", "crowd", "cheers"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "  1  Summer Match  0:00:00",
        "     said    The crowd cheers",
        "     seen    A stadium · nothing · outside · calm",
        "     written Gate 7",
        "     by      Anna",
        "     why     crowd, cheers: said",
        f"             file://{library}/Summer_Match.mp4",
    ]


def test_a_moment_is_found_by_its_translation_and_it_is_said(library, capsys):
    lines = {"de": ["Die Menge jubelt", None, "Ein Tor"], "pt-BR": [None, "Nada mais", None]}
    lines |= {f"x{ESCAPE}": ["Menge"] * 3, "fr": ["Menge"]}  # none: no language, too few lines
    said = ["The crowd cheers", "Nothing more", "A goal"]
    make_film(library / "results" / "match", texts=said, seen=["A stadium"], scenes=1, written=[],
              translated=lines, source=library / "Summer_Match.mp4")  # fmt: skip
    updating.update(library / "results")
    assert main.main(["search", "menge jubelt"]) == 0
    shown = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert shown[1:3] == ["said (de) Die Menge jubelt", "said The crowd cheers"]
    assert "why menge, jubelt: said (de)" in shown
    assert main.main(["search", "nada", "--said", "--json"]) == 0
    (moment,) = json.loads(capsys.readouterr().out)["moments"]
    assert moment["said"] == "Nothing more"
    assert [match["language"] for match in moment["matches"]] == ["pt-BR"]
    assert main.main(["search", "menge", "--seen"]) == 0
    assert "nothing was found" in capsys.readouterr().out


def test_json_for_scripts(library, capsys):
    assert main.main(["search", "goal elephant", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert list(said) == ["query", "notes", "current", "moments"]
    assert said["query"] == "goal elephant" and said["current"] is True and len(said["notes"]) == 1
    (moment,) = said["moments"]
    assert list(moment) == ["film", "title", "source", "path", "start", "end", "said", "seen",
                            "written", "keyframe", "matches", "missing", "like", "score", "meaning",
                            "speakers", "link"]  # fmt: skip
    assert moment["film"] == "match" and moment["start"] == 12.0
    assert moment["missing"] == ["elephant"] and moment["link"].endswith("/Summer_Match.mp4#t=12")
    (match,) = moment["matches"]
    ((start, end),) = match["marks"]
    assert (match["kind"], match["words"], match["text"][start:end]) == ("said", ["goal"], "goal")


@pytest.mark.parametrize("query", ["penalty", "red", "mp4", "goal"])
def test_nothing_that_was_said_or_named_steers_a_terminal(query, capsys):
    assert main.main(["search", query]) == 0
    out = capsys.readouterr().out
    assert "\n" in out and all(c.isprintable() or c == "\n" for c in out)


def test_on_a_terminal_the_words_are_marked_and_only_by_us(library):
    """On a real one: rich writes its own escapes there, and only there."""
    reader, writer = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100",
                                "PYTHONPATH": str(REPOSITORY / "scripts")}  # fmt: skip
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "reelmake.reel", "search", "penalty"]
    with os.fdopen(reader, "rb", buffering=0) as terminal:
        done = subprocess.Popen(command, stdout=writer, env=environment)
        os.close(writer)
        out = b""
        try:
            while piece := terminal.read(4096):
                out += piece
        except OSError:  # its other end is closed
            pass
        assert done.wait() == 0
    text = out.decode()
    assert "\x1b[1;33mpenalty\x1b[0m" in text
    assert "\x1b]" not in text and "\x1b[2J" not in text and "\x9b" not in text
    assert "\u202e" not in text


def test_nothing_found_is_an_answer(capsys):
    assert main.main(["search", "elephant"]) == 0
    assert capsys.readouterr().out == "nothing was found\n"
    assert main.main(["search", ")))"]) == 0
    assert "there is no word in the query" in capsys.readouterr().err
    assert main.main(["search"]) == 1
    assert "say what to look for" in capsys.readouterr().err
    assert main.main(["search", "--configfile", "config.yaml", "elephant"]) == 1
    assert "before --configfile" in capsys.readouterr().err


@pytest.mark.parametrize("options", [[], ["--json"], ["--film", "\udcff\x1b[2J"]])
def test_what_was_typed_may_be_no_utf_8(options, capsys):
    status = main.main(["search", "\udcffcrowd \0", *options])
    said = capsys.readouterr()
    assert status == (1 if "--film" in options else 0)
    assert "\x1b" not in said.out + said.err


def test_without_a_catalog_it_is_said_how_to_make_one(library, capsys):
    (library / "results" / "catalog.db").unlink()
    assert main.main(["search", "crowd"]) == 1
    assert "`reel catalog` makes one" in capsys.readouterr().err


def test_an_older_catalog_is_used_and_it_is_said(library, capsys):
    make_film(library / "results" / "new", texts=["The crowd is new"])
    assert main.main(["search", "crowd"]) == 0
    said = capsys.readouterr()
    assert "Summer Match" in said.out and "is older than the results" in said.err
    assert main.main(["search", "crowd", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["current"] is False


def test_filters_and_limit(capsys):
    assert main.main(["search", "stadium", "--said"]) == 0
    assert capsys.readouterr().out == "nothing was found\n"
    assert main.main(["search", "nothing", "--limit", "1", "--film", "summer", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["moments"]) == 1
    assert main.main(["search", "nothing", "--since", "1d"]) == 0
    assert capsys.readouterr().out == "nothing was found\n"
    assert main.main(["search", "nothing", "--since", "soon"]) == 1
    for wrong in ("0", "-1", "x", "99999999999999999999"):
        with pytest.raises(SystemExit):
            main.main(["search", "nothing", f"--limit={wrong}"])


def test_pictures_like_one(library, capsys):
    for name in ("match", "odd"):
        write_keyframes(library / "results" / name, [picture(3)])
    updating.update(library / "results")
    capsys.readouterr()
    assert main.main(["search", "--like", "match@0:01"]) == 0
    assert "it looks alike (0 of 64 bits differ)" in capsys.readouterr().out
    assert main.main(["search", "--like", "match"]) == 1
    assert "give it as FILM@TIME" in capsys.readouterr().err


def test_play(library, capsys, monkeypatch):
    monkeypatch.setenv("PATH", str(library))
    assert main.main(["search", "goal", "--play"]) == 1
    assert "is not there" in capsys.readouterr().err
    (library / "Summer_Match.mp4").write_bytes(b"film")
    assert main.main(["search", "goal", "--play"]) == 1
    assert "--play needs mpv or VLC" in capsys.readouterr().err
    assert main.main(["search", "elephant", "--play"]) == 1
