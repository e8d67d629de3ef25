"""Titles of films, from the names of their files."""

import pytest

from reelmake.tables import titles


@pytest.mark.parametrize(
    "source, title",
    [
        ("/films/My_Holiday.2019.mp4", "My Holiday 2019"),
        ("/films/The Wire S01E02 2.5.mkv", "The Wire S01E02 2.5"),
        ("/films/a.b.c", "a b c"),
        ("/films/clip.2.5.MOV", "clip 2.5"),
        ("/films/noextension", "noextension"),
        ("/films/.mp4", "mp4"),
        ("/films/___.mp4", "___.mp4"),
        ("/films/\u202egpj.exe.mp4", "gpj exe"),
        ("/films/a\nb\tc.mp4", "a b c"),
        ("/films/🎬.mp4", "🎬"),
        ("/films/\udcff.mp4", "?"),
        ("https://example.org/films/My%20Film.mp4?key=1", "My Film"),
        ("https://example.org/", "example"),
        ("film00001", "film00001"),
    ],
)
def test_a_title_is_one_readable_line(source, title):
    assert titles.of(source) == title
