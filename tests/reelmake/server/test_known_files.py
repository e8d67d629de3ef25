"""No path leaves the results and the films that are known."""

import contextlib
import json
import os

import pytest

import make_pages
from reelmake.catalog import database, updating
from reelmake.server import known_files

OUTSIDE = [
    "/media/../../etc/passwd",
    "/media/..%2f..%2f..%2f..%2fetc%2fpasswd",
    "/media/holiday/../../../../../../etc/passwd",
    "/media/holiday/..%2f..%2f..%2fetc/passwd",
    "/media/holiday/%2e%2e/%2e%2e/catalog.db",
    "/media/holiday//etc/passwd",
    "/media/%2Fetc/passwd",
    "/media/holiday/keyframes/..%2f..%2fold%2fmedia.json",
    "/media/holiday/keyframes/%00",
    "/media/holiday/fingerprints/media.json",
    "/media/holiday/jobs/media.json",
    "/media/pages/index.html",
    "/media/holiday/source/",
    "/media/nobody/source",
    "/media/hostile/source",
    "/assets/..%2ftemplates%2fbase.html",
    "/assets/%2e%2e/rendering.py",
    "/film/..",
    "/film/%2e%2e%2fholiday",
    "/media/holiday",
    "/media/holiday/translations/transcript.de.exe",
    "/media/holiday/translations/..de.vtt",
    "/media/holiday/translations",
    "/catalog.db",
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_an_address_reaches_nothing_else(site, path):
    answer = site.ask(path)
    assert answer.status == 404
    assert b"root:" not in answer.content


@pytest.mark.parametrize(
    ("path", "type"),
    [
        ("media.json", "application/json"),
        ("transcript.vtt", "text/vtt; charset=utf-8"),
        ("translations/transcript.de.vtt", "text/vtt; charset=utf-8"),
        ("keyframes/scene0001_0.jpg", "image/jpeg"),
        ("clips/clip0.mp4", "video/mp4"),
    ],
)
def test_artifacts_are_there(site, folder, path, type):
    answer = site.ask(f"/media/holiday/{path}")
    assert (answer.status, answer.getheader("Content-Type")) == (200, type)
    assert answer.content == (folder / "results" / "holiday" / path).read_bytes()


@pytest.fixture
def results(tmp_path):
    make_pages.make_library(tmp_path / "results")
    return tmp_path / "results"


def found(results, video, path):
    updating.update(results)
    with contextlib.closing(database.connect(results / "catalog.db")) as db:
        if path == "source":
            return known_files.source(db, results, video)
        return known_files.artifact(db, results, video, path)


def test_a_link_out_of_the_results_is_not_followed(results, tmp_path):
    secret = tmp_path / "secret.jpg"
    secret.write_text("secret")
    picture = results / "holiday" / "keyframes" / "scene0000_0.jpg"
    picture.unlink()
    picture.symlink_to(secret)
    assert found(results, "holiday", "keyframes/scene0000_0.jpg") is None
    other = results / "holiday" / "keyframes" / "scene0001_0.jpg"
    other.unlink()
    other.symlink_to(results / "old" / "media.json")
    assert found(results, "holiday", "keyframes/scene0001_0.jpg") is None
    (results / "old").rename(tmp_path / "elsewhere")
    (results / "old").symlink_to(tmp_path / "elsewhere")
    assert found(results, "old", "media.json") is None


def test_a_name_in_an_artifact_leads_nowhere(results):
    path = results / "holiday" / "keyframes.json"
    content = json.loads(path.read_bytes())
    content["keyframes"][0]["file"] = "../../old/media.json"
    path.write_text(json.dumps(content))
    assert found(results, "holiday", "keyframes/../../old/media.json") is None


def test_a_film_that_is_no_file_is_not_there(results):
    film = results.parent / "films" / "holiday.mp4"
    assert found(results, "holiday", "source").path == film
    film.unlink()
    assert found(results, "holiday", "source") is None
    os.mkfifo(film)
    assert found(results, "holiday", "source") is None


def test_a_download_names_a_file_of_its_own_folder(results):
    folder = results / "holiday"
    wanted = json.loads((folder / "fingerprints/media.json").read_bytes())
    wanted["source"] = {"path": "https://example.org/film.mp4", "size": 1, "mtime_ns": 1}
    (folder / "fingerprints/media.json").write_text(json.dumps(wanted))
    for name in ("../../films/holiday.mp4", "/etc/passwd", "catalog.db"):
        (folder / "source.json").write_text(json.dumps({"file": name}))
        assert found(results, "holiday", "source") is None
    (folder / "source.json").write_text(json.dumps({"file": "source.mp4"}))
    (folder / "source.mp4").symlink_to(results.parent / "films" / "holiday.mp4")
    assert found(results, "holiday", "source") is None
    (folder / "source.mp4").unlink()
    (folder / "source.mp4").write_bytes(b"film")
    assert found(results, "holiday", "source").path == folder / "source.mp4"
