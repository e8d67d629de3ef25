"""Pages on disk: written where something changed, each whole."""

import os
import shutil

import pytest

from make_moments import make_film
from reelmake.catalog import updating
from reelmake.pages import rendering, static_pages


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "results"
    for number in range(3):
        make_film(folder / f"film{number}", seed=number)
    updating.update(folder)
    return folder


def pages(results):
    found = (results / "pages").rglob("*")
    return {path: path.stat().st_mtime_ns for path in found if path.suffix in (".html", ".js")}


def test_nothing_is_written_where_nothing_changed(results):
    assert static_pages.write(results) == (3, 3, 0)
    before = pages(results)
    assert static_pages.write(results) == (3, 0, 0)
    assert pages(results) == before
    assert static_pages.write(results, everything=True) == (3, 3, 0)


def test_a_changed_film_is_written_and_one_that_is_gone_is_removed(results):
    static_pages.write(results)
    before = pages(results)
    make_film(results / "film1", texts=["something else"])
    shutil.rmtree(results / "film2")
    updating.update(results)
    assert static_pages.write(results) == (2, 1, 1)
    assert "something else" in (results / "pages/film/film1/index.html").read_text()
    assert not (results / "pages/film/film2").exists()
    assert "film2" not in (results / "pages/films.js").read_text()
    same = results / "pages/film/film0/index.html"
    assert pages(results)[same] == before[same]


def test_a_page_says_who_is_guessed_now_though_another_film_changed(results):
    for number in (1, 2):
        make_film(results / f"film{number}", names={}, prints=([1, 0], [0, 1]))
    make_film(results / "film0", names={"S1": "Anna"}, prints=([1, 0], [0, 1]))
    updating.update(results)
    static_pages.write(results)
    page = results / "pages/film/film1/index.html"
    assert "Anna?" in page.read_text()
    make_film(results / "film0", names={"S1": "Eve", "S2": "Ben"}, prints=([1, 0], [0, 1]))
    updating.update(results)
    assert static_pages.write(results).written == 3
    assert "Eve?" in page.read_text() and "Anna" not in page.read_text()
    assert static_pages.write(results).written == 0


def test_other_templates_write_all_again(results, monkeypatch):
    static_pages.write(results)
    monkeypatch.setattr(rendering, "version", lambda: "another")
    assert static_pages.write(results).written == 3


def test_a_page_that_is_missing_is_written_again(results):
    static_pages.write(results)
    (results / "pages/film/film0/index.html").unlink()
    assert static_pages.write(results).written == 1


def test_a_kill_leaves_old_pages_whole_and_the_next_call_goes_on(results, monkeypatch):
    static_pages.write(results)
    page = results / "pages/film/film1/index.html"
    before = page.read_text()
    for film in ("film0", "film1"):
        make_film(results / film, texts=["something else"])
    updating.update(results)
    real, done = os.replace, []

    def die(source, target):
        if str(target).endswith("film1/index.html"):
            raise KeyboardInterrupt
        done.append(target)
        real(source, target)

    monkeypatch.setattr(os, "replace", die)
    with pytest.raises(KeyboardInterrupt):
        static_pages.write(results)
    monkeypatch.undo()
    assert page.read_text() == before
    assert not list((results / "pages").rglob(".*.tmp-*"))
    static_pages.write(results)
    assert "something else" in page.read_text()
    assert static_pages.write(results).written == 0
