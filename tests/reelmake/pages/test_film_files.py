"""The files of a film: what is there, and nothing that an artifact only claims."""

import json

import pytest

from make_moments import make_film
from reelmake.pages import film_files

URL = {"source": {"path": "https://user:secret@example.org/a/My_Film.mp4?token=secret"}}


def test_artifacts_are_those_that_are_there(tmp_path):
    make_film(tmp_path / "film")
    (tmp_path / "film" / "scores.json").unlink()
    (tmp_path / "film" / "trailer.mp4").mkdir()
    found = {file.path for file in film_files.artifacts(tmp_path / "film")}
    assert {"media.json", "film.scenedesc.msgpack", "chapters.ffmetadata"} <= found
    assert not found & {"scores.json", "trailer.mp4", "keyframes/", "audio.wav"}


@pytest.mark.parametrize(
    "name", ["../film.mp4", "/etc/passwd", "catalog.db", "source.d/../../x", None, 7]
)
def test_a_download_is_a_file_of_the_film_s_own_folder(tmp_path, name):
    folder = tmp_path / "film"
    (folder / "source.d").mkdir(parents=True)
    for file in (tmp_path / "film.mp4", tmp_path / "x", folder / "catalog.db"):
        file.write_bytes(b"film")
    (folder / "source.json").write_text(json.dumps({"file": name}))
    assert film_files.source(folder, URL).path is None


def test_an_address_is_shown_without_its_secrets(tmp_path):
    (tmp_path / "source.mp4").write_bytes(b"film")
    (tmp_path / "source.json").write_text('{"file": "source.mp4"}')
    found = film_files.source(tmp_path, URL)
    assert (found.path, found.name) == (tmp_path / "source.mp4", "My_Film.mp4")
    assert found.url == "https://example.org/a/My_Film.mp4?…"


@pytest.mark.parametrize("path", [None, "", 7, "a\0b", "\ud800", "/nowhere/film.mp4"])
def test_a_source_that_is_none_is_not_there(tmp_path, path):
    assert film_files.source(tmp_path, {"source": {"path": path}}).path is None
    assert film_files.source(tmp_path, {}).path is None
