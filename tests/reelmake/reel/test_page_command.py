"""`reel page`: what it writes and says; `reel serve`: where it refuses."""

import json
import socket

import pytest

from make_moments import make_film
from reelmake.reel import main


@pytest.fixture(autouse=True)
def library(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_film(tmp_path / "results" / "film", texts=["first"])
    return tmp_path


def test_pages_follow_the_results(library, capsys):
    assert main.main(["page"]) == 0
    assert "results/pages/index.html: 1 film, 1 written in" in capsys.readouterr().out
    make_film(library / "results" / "other", texts=["second"])
    assert main.main(["page", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {
        "films": 2,
        "written": 1,
        "removed": 0,
        "library": str(library / "results" / "pages" / "index.html"),
    }
    assert "second" in (library / "results/pages/film/other/index.html").read_text()


def test_the_pages_are_no_film(library, capsys):
    main.main(["page"])
    main.main(["verify"])
    assert "of 1 video read" in capsys.readouterr().out
    main.main(["status", "--json"])
    assert json.loads(capsys.readouterr().out)["videos"]["total"] == 1
    main.main(["catalog", "--json"])
    assert json.loads(capsys.readouterr().out)["films"] == 1


def test_where_nothing_is_it_says_so(tmp_path, monkeypatch, capsys):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    for command in ("page", "serve"):
        assert main.main([command]) == 1
        assert "there is no such folder" in capsys.readouterr().err


def test_a_port_that_is_taken_is_said(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main.main(["serve", "--port", str(taken.getsockname()[1])]) == 1
    said = capsys.readouterr().err
    assert "in use" in said and "choose another --port" in said
    assert main.main(["serve", "--port", "99999"]) == 1
    assert "a port is a number" in capsys.readouterr().err
