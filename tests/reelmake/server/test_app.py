"""The server's pages, over a library that changes."""

import gzip
import json
import os
import shutil
import subprocess
import sys

import pytest

import make_meanings
from make_moments import make_film
from reelmake.catalog import updating
from reelmake.catalog.search import search


def test_pages_are_there(site):
    for path in ("/", "/status", "/film/holiday", "/film/hostile", "/search", "/login"):
        answer = site.ask(path)
        assert (answer.status, answer.getheader("Content-Type")) == (
            200,
            "text/html; charset=utf-8",
        )
    assert site.ask("/film/nobody").status == 404
    assert site.ask("/", "POST").status == 405


def test_the_library_comes_compressed_and_once(site):
    plain = site.ask("/films.js")
    assert b'"holiday"' in plain.content
    packed = site.ask("/films.js", Accept_Encoding="gzip")
    assert gzip.decompress(packed.content) == plain.content
    assert site.ask("/films.js", If_None_Match=plain.getheader("ETag")).status == 304


def test_a_search_finds_the_moment(site):
    page = site.ask("/search?q=crowd").content.decode()
    assert 'href="/film/holiday#t=30"' in page
    assert "<mark>crowd</mark>" in page


def test_all_that_somebody_says(site):
    page = site.ask("/search?speaker=Anna").content.decode()
    assert "What is said by" in page and "<b><bdi>Anna" in page
    assert '<p class="muted small"><a href="/search?like=' in page  # nothing to say, no dot


def test_a_search_finds_what_means_the_same(serve, shared):
    folder = shared("meanings", lambda folder: make_meanings.make(folder / "results"))
    site = serve(folder, "--config", f"embeddings={json.dumps(make_meanings.GIVEN['embeddings'])}")
    for _ in range(2):  # the model stays loaded
        page = site.ask("/search?q=the+audience+applauds").content.decode()
        first = page[page.index('class="hit"') :]
        assert first.index("/film/film1#t=") < first.index("crowd cheers") < first.index("</li>")
        assert "means about the same" in first
    assert "means about" not in site.ask('/search?q="the+audience"').content.decode()
    page = site.ask("/search?like=film0@1.2").content.decode()
    assert 'href="/film/film2#t=1.2"' in page  # a red circle, too


def test_a_search_without_the_model_says_so(serve, shared):
    folder = shared("meanings", lambda folder: make_meanings.make(folder / "results"))
    models = make_meanings.GIVEN["embeddings"] | {"image_text_model": "nobody/nothing"}
    page = serve(folder, "--config", f"embeddings={json.dumps(models)}").ask("/search?q=crowd")
    assert "not looked for by meaning" in page.content.decode()
    assert "<mark>crowd</mark>" in page.content.decode()


@pytest.mark.parametrize(
    "query",
    ["", "%22", "%22%22%22", "AND+OR+NOT", "NEAR(", "%00", "*", "-", "'%3B--", "a" * 3000,
     "%F0%9F%8E%AC", "%FF%FE", "crowd+-crowd", "(((", "col:x", "^a"],
)  # fmt: skip
def test_any_query_has_an_answer(site, query):
    assert site.ask(f"/search?q={query}&in=said&film=").status == 200


def test_pictures_like_one_are_searched(site):
    page = site.ask("/search?like=holiday@7").content.decode()
    assert 'href="/film/holiday#t=7"' in page  # the one that is given
    assert 'href="/film/old#t=7.2"' in page
    assert "looks alike (64 of 64 bits)" in page


def test_odd_questions_are_answered(site):
    for query in ("in=x", "like=x", "like=nobody@1", "film=nobody&q=a", "like=holiday@1e99&q="):
        assert site.ask(f"/search?{query}").status == 200
    assert site.ask("/search?q=" + "a" * 5000).status == 414
    page = site.ask("/search?q=%3Cscript%3Ealert(1)%3C/script%3E&film=%22onload=%22a").content
    assert b"<script>alert" not in page and b'"onload' not in page


def test_health_and_metrics(site):
    assert site.ask("/health").content == b"ok\n"
    text = site.ask("/metrics").content.decode()
    assert 'reelmake_films{state="failed"} 3\n' in text


def test_a_library_that_changes_is_shown_as_it_is(serve, tmp_path):
    results = tmp_path / "results"
    make_film(results / "one")
    site = serve(tmp_path)
    assert site.ask("/film/two").status == 404
    make_film(results / "two", texts=["a new sentence"])
    updating.update(results)
    assert b"a new sentence" in site.ask("/film/two").content
    assert b'"two"' in site.ask("/films.js").content
    shutil.rmtree(results / "one")
    updating.update(results, rebuild=True)  # another file under the same name
    assert site.ask("/film/one").status == 404
    assert b'"one"' not in site.ask("/films.js").content
    shutil.rmtree(results / "two" / "keyframes")
    (results / "two" / "media.json").write_bytes(b"\xff{")
    assert site.ask("/film/two").status == 200

    (results / "catalog.db").unlink()
    for suffix in ("-wal", "-shm"):
        (results / f"catalog.db{suffix}").unlink(missing_ok=True)
    assert site.ask("/health").status == 503
    answer = site.ask("/film/two")
    assert answer.status == 503
    assert b"reel catalog" in answer.content
    (results / "catalog.db").write_bytes(b"no database" * 1000)
    assert site.ask("/search?q=a").status in (200, 503)
    assert site.ask("/films.js").status == 503
    updating.update(results)
    assert site.ask("/health").status == 200
    status, said = site.stop()
    assert "Traceback" not in said
    assert status == 130  # as each command that Ctrl+C ends


UPDATE = """
import sys
from pathlib import Path
from reelmake.catalog import updating
for line in sys.stdin:
    updating.update(Path("results"))
    print("done", flush=True)
"""


def test_two_that_write_one_that_reads_and_the_server_are_not_in_each_others_way(serve, tmp_path):
    results = tmp_path / "results"
    for number in range(8):
        make_film(results / f"film{number}", texts=["the crowd cheers"], seed=number)
    updating.update(results)
    site = serve(tmp_path)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", UPDATE],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for turn in range(6):
        make_film(results / "film0", texts=[f"turn{turn} of the crowd"], seed=turn)
        make_film(results / f"more{turn}", texts=["the crowd cheers"], seed=turn)
        shutil.rmtree(results / f"film{turn + 1}")
        for writer in writers:
            print("go", file=writer.stdin, flush=True)
        for _ in range(3):
            assert search(results / updating.NAME, "crowd", limit=100).moments
            answer = site.ask("/search?q=crowd")
            assert (answer.status, b"<mark>crowd</mark>" in answer.content) == (200, True)
            assert site.ask("/films.js").status == 200
        for writer in writers:
            assert writer.stdout.readline() == "done\n"
        assert f"turn{turn}" in site.ask(f"/search?q=turn{turn}").content.decode()
    for writer in writers:
        assert writer.communicate()[0] == "" and writer.returncode == 0
    assert updating.is_current(results)
    found = {moment.film for moment in search(results / updating.NAME, "crowd", limit=99).moments}
    assert found == {path.parent.name for path in results.glob("*/manifest.json")}


def test_events_tell_the_status(site):
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=20)
    connection.request("GET", "/events")
    answer = connection.getresponse()
    assert answer.getheader("Content-Type").startswith("text/event-stream")
    line = answer.fp.readline()
    while not line.startswith(b"data: "):
        line = answer.fp.readline()
    assert json.loads(line[6:])["videos"]["total"] == 5
    connection.close()
