"""Links to a moment, and the commands of players."""

from pathlib import Path

import pytest

from reelmake.foundation.errors import UserError
from reelmake.reel import players


@pytest.mark.parametrize(
    "path, source, start, link",
    [
        ("/films/a b.mp4", None, 12.5, "file:///films/a%20b.mp4#t=12.5"),
        ("/films/a.mp4", None, 3600.0, "file:///films/a.mp4#t=3600"),
        ("/films/a.mp4", None, 0.0, "file:///films/a.mp4"),
        ("/films/50%#1?.mp4", None, 1.0, "file:///films/50%25%231%3F.mp4#t=1"),
        ("/films/\x1b]0;a\x07.mp4", None, 1.0, "file:///films/%1B%5D0%3Ba%07.mp4#t=1"),
        ("/films/\u202e4pm.mp4", None, 1.0, "file:///films/%E2%80%AE4pm.mp4#t=1"),
        (None, "https://example.org/a.mp4", 1.25, "https://example.org/a.mp4#t=1.25"),
        (None, "https://example.org/\x1b[2J", 1.0, "https://example.org/%1B%5B2J#t=1"),
        (None, "https://example.org/watch?…", 1.0, None),
        (None, "javascript:alert(1)", 1.0, None),
        ("relative.mp4", None, 1.0, None),
        (None, None, 1.0, None),
    ],
)
def test_links(path, source, start, link):
    assert players.link(path, source, start) == link


@pytest.fixture
def film(tmp_path) -> Path:
    (tmp_path / "-a film.mp4").write_bytes(b"film")
    return tmp_path / "-a film.mp4"


def player(folder: Path, name: str) -> Path:
    """A program of that name that writes down what it was given; no player plays without a
    screen."""
    path = folder / name
    path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {folder}/given\nexit 3\n')
    path.chmod(0o755)
    return path


def test_mpv_is_taken_before_vlc(film, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    player(tmp_path, "mpv")
    player(tmp_path, "vlc")
    assert players.play(str(film), 83.5) == 3
    assert (tmp_path / "given").read_text().splitlines() == ["--start=83.500", "--", str(film)]


def test_vlc(film, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    vlc = player(tmp_path, "vlc")
    assert players.command(str(film), 83.5) == [str(vlc), "--start-time=83.500", film.as_uri()]


def test_where_neither_is_there_it_is_said(film, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match="--play needs mpv or VLC"):
        players.command(str(film), 1.0)


def test_where_the_film_is_not_there_it_is_said(tmp_path):
    with pytest.raises(UserError, match="is not there: is its disk mounted"):
        players.command(str(tmp_path / "gone.mp4"), 1.0)
