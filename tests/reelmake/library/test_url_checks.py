"""Whether a download is still what is there: asked seldom, of a real server, by many at once."""

import time

import pytest

from reelmake.foundation import artifact_files
from reelmake.library import url_checks
from reelmake.library.url_checks import NoAnswer, ask
from web import Page

DAY = 86400.0
STEP = 900.0


@pytest.fixture
def library(web, tmp_path):
    """library.add(path, state): a finished download. library(**options): ask for all of them."""
    sources = {}
    said = []

    def identify(ttl=0.0, write=True):
        said.clear()
        found = url_checks.identify(sources, ttl, STEP, write, said.append)
        return {results.name: identity for results, identity in found.items()}

    def add(path, state=None, asked=0.0):
        results = tmp_path / path.strip("/")
        sources[results] = web.url(path)
        if state:
            record = {"url": web.url(path), "state": state, "file": "source.mp4", "size": 1}
            artifact_files.write_json(results / "source.json", record)
            record = {"state": "done", "key": "k", "asked": asked}
            artifact_files.write_json(results / "jobs" / "source.json", record)
        return results

    identify.add, identify.said = add, said
    return identify


def test_what_the_server_says_of_its_version_is_the_identity(web):
    web.pages["/a"] = Page(b"x", etag='"1"', last_modified=1e9)
    url = web.url("/a")
    known = ask(url, None, STEP)
    modified = "Sun, 09 Sep 2001 01:46:40 GMT"
    assert known == {"path": url, "etag": '"1"', "last_modified": modified}
    assert ask(url, known, STEP) is known
    assert web.statuses("/a") == [200, 304]
    web.pages["/a"].etag = '"2"'
    assert ask(url, known, STEP)["etag"] == '"2"'


def test_the_time_alone_tells_too(web):
    web.pages["/a"] = Page(b"x", last_modified=1e9)
    known = ask(web.url("/a"), None, STEP)
    assert ask(web.url("/a"), known, STEP) is known
    assert web.statuses("/a") == [200, 304]
    web.pages["/a"].last_modified = 1e9 + 1
    assert ask(web.url("/a"), known, STEP) != known


def test_a_server_that_sends_all_again_has_not_changed_anything(web):
    """It knows no conditional requests, but its ETag is the same, whatever its time says."""
    web.pages["/a"] = Page(b"x", etag='"1"', last_modified=2e9)
    known = {"path": web.url("/a"), "etag": '"1"', "last_modified": "another"}
    web.pages["/a"].headers = {"ETag": '"1"'}
    web.pages["/a"].etag = None
    assert ask(web.url("/a"), known, STEP) is known
    assert web.statuses("/a") == [200]


def test_without_either_one_step_of_time_is_one_version(web, monkeypatch):
    web.pages["/a"] = Page(b"x")
    monkeypatch.setattr(url_checks.time, "time", lambda: 10 * STEP + 1)
    first = ask(web.url("/a"), None, STEP)
    assert first == {"path": web.url("/a"), "step": int(10 * STEP)}
    monkeypatch.setattr(url_checks.time, "time", lambda: 11 * STEP - 1)
    assert ask(web.url("/a"), first, STEP) == first
    monkeypatch.setattr(url_checks.time, "time", lambda: 11 * STEP)
    assert ask(web.url("/a"), first, STEP) != first


def test_the_body_of_a_film_is_not_read_to_ask(web):
    web.pages["/a"] = Page(bytes(50_000_000), etag='"1"', pause=0.01)
    begin = time.monotonic()
    ask(web.url("/a"), None, STEP)
    assert time.monotonic() - begin < 3
    assert web.asked[0].sent < 20_000_000


def test_what_cannot_be_asked_is_said_in_words(web):
    web.pages["/busy"] = Page(status=429)
    for path, says in (("/nothing", "answers 404"), ("/busy", "answers 429")):
        with pytest.raises(NoAnswer, match=says):
            ask(web.url(path), None, STEP)
    web.close()
    with pytest.raises(NoAnswer, match="can't be reached"):
        ask(web.url("/a"), None, STEP)
    web.open()


def test_nothing_is_asked_within_the_time_to_live(web, library):
    web.pages["/a"] = Page(b"x", etag='"2"')
    results = library.add("/a", {"etag": '"1"'}, asked=time.time() - DAY + 60)
    assert library(ttl=DAY)["a"]["etag"] == '"1"'
    assert web.asked == []
    record = artifact_files.read_json(results / "jobs" / "source.json") | {
        "asked": time.time() - DAY - 1
    }
    artifact_files.write_json(results / "jobs" / "source.json", record)
    assert library(ttl=DAY)["a"]["etag"] == '"2"'
    assert len(web.asked) == 1


def test_a_clock_that_was_wrong_does_not_keep_it_from_asking(web, library):
    web.pages["/a"] = Page(b"x", etag='"2"')
    library.add("/a", {"etag": '"1"'}, asked=time.time() + 10 * DAY)
    assert library(ttl=DAY)["a"]["etag"] == '"2"'


def test_an_answer_that_nothing_changed_counts_from_now_on_in_a_real_run(web, library):
    web.pages["/a"] = Page(b"x", etag='"1"')
    results = library.add("/a", {"etag": '"1"'})
    before = (results / "jobs" / "source.json").read_bytes()
    library(ttl=DAY, write=False)
    assert (results / "jobs" / "source.json").read_bytes() == before
    library(ttl=DAY)
    record = artifact_files.read_json(results / "jobs" / "source.json")
    assert abs(record["asked"] - time.time()) < 60
    assert (record["state"], record["key"]) == ("done", "k")
    web.asked.clear()
    library(ttl=DAY)
    assert web.asked == []


def test_an_answer_that_something_changed_is_no_reason_to_wait(web, library):
    """The job notes when it was asked, once it has what is there now."""
    web.pages["/a"] = Page(b"x", etag='"2"')
    library.add("/a", {"etag": '"1"'})
    for _ in range(2):
        assert library(ttl=DAY)["a"]["etag"] == '"2"'
        assert web.statuses("/a") == [200]


def test_a_download_of_another_address_does_not_count(web, library):
    web.pages["/a"] = Page(b"x", etag='"1"')
    results = library.add("/a", {"etag": '"1"'}, asked=time.time())
    record = artifact_files.read_json(results / "source.json") | {"url": "http://example.org/a"}
    artifact_files.write_json(results / "source.json", record)
    library(ttl=DAY)
    assert web.statuses("/a") == [200]


def test_offline_the_last_download_is_used_and_said_once(web, library):
    for path in ("/a", "/b", "/c", "/d"):
        library.add(path, {"etag": '"1"'})
    library.add("/new")
    web.close()
    found = library()
    assert {found[name]["etag"] for name in "abcd"} == {'"1"'}
    assert "step" in found["new"]
    (line,) = library.said
    assert line.endswith(
        "can't be reached; what was downloaded last is used: 4 videos (a, b, c, …)"
    )
    web.open()


def test_without_a_download_offline_it_is_wanted_what_was_wanted(web, library):
    """So that a partial download is gone on with."""
    results = library.add("/a")
    identity = {"path": web.url("/a"), "etag": '"1"'}
    artifact_files.write_json(results / "fingerprints" / "source.json", {"source": identity})
    web.close()
    assert library()["a"] == identity
    assert library.said == []
    web.open()


@pytest.mark.parametrize("page", [Page(status=429), None])
def test_a_server_that_does_not_answer_is_not_asked_for_every_video(
    web, library, page, monkeypatch
):
    for number in range(60):
        library.add(f"/{number}", {"etag": '"1"'})
        web.pages[f"/{number}"] = page or Page(b"x", delay=2)
    monkeypatch.setattr(url_checks, "TIMEOUT", 0.5)
    begin = time.monotonic()
    found = library()
    assert time.monotonic() - begin < 5
    assert len(web.asked) < 3 * url_checks.AT_ONCE
    assert len(found) == 60
    (line,) = library.said
    assert "60 videos" in line


def test_many_are_asked_at_once(web, library):
    for number in range(40):
        library.add(f"/{number}", {"etag": '"1"'})
        web.pages[f"/{number}"] = Page(b"x", etag='"1"', delay=0.2)
    begin = time.monotonic()
    library()
    assert time.monotonic() - begin < 40 * 0.2 / 2
    assert len(web.asked) == 40
