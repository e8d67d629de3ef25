"""Chapters read back as they were written."""

import pytest

from reelmake.editing import chapters
from reelmake.editing.chapters import Chapter
from reelmake.tables import chapter_file

TITLES = ["plain", "a=b; c#d", "back\\slash", "[CHAPTER]", "title=x", "足球 🎬", "\u202eabc"]


def test_what_is_written_is_read(tmp_path):
    found = [Chapter(n * 1000, n * 1000 + 1000, title) for n, title in enumerate(TITLES)]
    (tmp_path / "chapters").write_text(chapters.ffmetadata(found))
    assert chapter_file.read(tmp_path / "chapters") == found


@pytest.mark.parametrize(
    "damage",
    [b"", b"\xff", b"[CHAPTER]\n", b"[CHAPTER]\nTIMEBASE=1/1000\nSTART=x\nEND=1\ntitle=a\n"],
)
def test_what_is_damaged_is_left_out(tmp_path, damage):
    (tmp_path / "chapters").write_bytes(damage)
    assert chapter_file.read(tmp_path / "chapters") == []
    assert chapter_file.read(tmp_path / "missing") == []
