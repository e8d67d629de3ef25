"""`reel catalog`: what it does and says."""

import json

import pytest

from make_moments import make_film
from reelmake.reel import main


@pytest.fixture(autouse=True)
def library(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_film(tmp_path / "results" / "film")
    return tmp_path


def test_it_is_made_brought_up_to_date_and_made_anew(library, capsys):
    assert main.main(["catalog"]) == 0
    assert "made anew (there was none), 1 film read" in capsys.readouterr().out
    assert main.main(["catalog"]) == 0
    assert "up to date, checked" in capsys.readouterr().out
    make_film(library / "results" / "other")
    assert main.main(["catalog"]) == 0
    assert "1 film read, 0 removed" in capsys.readouterr().out
    assert main.main(["catalog", "--rebuild", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["rows"]["films"] == said["written"] == 2
    assert said["rows"]["moments"] == 14 and said["bytes"] > 1000


def test_where_nothing_is_it_says_so(tmp_path, monkeypatch, capsys):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert main.main(["catalog"]) == 1
    assert "there is no such folder" in capsys.readouterr().err
