"""Addresses: relative on disk, of the server's own routes there."""

from pathlib import Path

from reelmake.pages.film_files import Source
from reelmake.pages.links import Links

ODD = 'a b?#%"\udcff/ü'


def test_pages_on_disk_find_each_other_and_the_artifacts():
    links = Links(False, "../../", Path("/lib/results/pages/film/a"))
    assert links.home() == "../../index.html"
    assert links.film("a b") == "../../film/a%20b/index.html"
    assert links.artifact("a#b", "keyframes/1 ?.jpg") == "../../../a%23b/keyframes/1%20%3F.jpg"


def test_a_name_in_an_artifact_leads_nowhere_else():
    links = Links(False, "../../", Path("/lib/results/pages/film/a"))
    assert links.artifact("a", "keyframes/../../../x.jpg") == "../../../a/keyframes/x.jpg"
    assert links.artifact("a", "clips//etc/passwd") == "../../../a/clips/etc/passwd"


def test_a_film_beside_the_results_is_linked_so_that_both_can_move(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    links = Links(False, "../../", tmp_path / "results/pages/film/a")
    near = links.source("a", Source(tmp_path / "films" / "a b.mp4", "a b.mp4", None))
    assert near == "../../../../films/a%20b.mp4"
    far = links.source("a", Source(Path(f"/else/{ODD}.mp4"), "x", None))
    assert far == "file:///else/a%20b%3F%23%25%22%FF/%C3%BC.mp4"
    assert links.source("a", Source(None, "x", None)) is None


def test_the_server_is_asked_by_id_alone():
    links = Links(True, "/")
    assert (
        links.source("a/b", Source(Path("/secret/a.mp4"), "a.mp4", None)) == "/media/a%2Fb/source"
    )
    assert links.artifact("..", "clips/1.mp4") == "/media/../clips/1.mp4"
    assert links.film("é") == "/film/%C3%A9"
