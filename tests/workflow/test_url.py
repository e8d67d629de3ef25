"""Videos on the web, through the real workflow and a real server."""

import os
import signal
import time

import pytest

import make_media
from faults import long
from reelmake.library.stages import STAGES, chosen
from web import Page
from workspace import snapshot, wait_for

MADE = chosen(["transcripts", "descriptions"])
EVERYTHING = sorted(STAGES[stage].rule for stage in MADE)
LOCAL = [rule for rule in EVERYTHING if rule != "fetch_source"]


@pytest.fixture
def library(workspace, web, film):
    """A library of one video on the web, `V`, that is asked for at each run."""
    web.pages["/film.mp4"] = Page(film("cfr.mp4").read_bytes(), etag='"1"')
    (workspace.folder / "sheet.csv").write_text(
        f"source,id\n{web.url('/film.mp4')}?token=secret,V\n"
    )
    workspace.config["videos"] = "sheet.csv"
    workspace.config["source"] = {"url_ttl": "0s"}
    return workspace


def test_a_video_on_the_web_goes_all_the_way_and_is_then_free(workspace, web, spoken_film):
    web.pages["/my film.mp4"] = Page(spoken_film.read_bytes(), etag='"1"')
    workspace.config["videos"] = web.url("/my%20film.mp4?token=secret")
    assert workspace.plan() == EVERYTHING
    assert not (workspace.folder / "results").exists()
    output = workspace.run()
    (results,) = (workspace.folder / "results").iterdir()
    id = results.name
    assert id.startswith("my_film-")
    assert workspace.json(id, "transcript.json")["segments"]
    record = workspace.json(id, "source.json")
    assert (results / record["file"]).read_bytes() == spoken_film.read_bytes()
    manifest = workspace.json(id, "manifest.json")
    assert [entry["path"] for entry in manifest["stages"]["source"]["artifacts"]] == ["source.json"]
    assert "yt-dlp" in manifest["stages"]["source"]["engines"]
    # Secrets are kept where they are needed, and are nowhere else.
    logs = "".join(path.read_text() for path in workspace.folder.rglob("*.log"))
    assert "secret" not in output + logs
    # Within a day nothing is asked, and nothing runs.
    web.asked.clear()
    assert workspace.plan() == []
    assert "Nothing to be done" in workspace.run()
    assert "Nothing to be done" in workspace.run("--config", "prune=false")
    assert web.asked == []
    # A server that is gone is not even noticed.
    web.close()
    assert "can't be reached" not in workspace.run()
    web.open()


def test_after_its_time_to_live_a_video_is_asked_for_and_only_a_change_runs(library, web, film):
    library.run()
    before = snapshot(library.folder / "results")
    web.asked.clear()
    # A dry run asks and writes nothing.
    assert library.plan() == []
    assert web.statuses("/film.mp4") == [304]
    assert snapshot(library.folder / "results") == before
    # A real run asks and notes that it did.
    asked = library.record("V", "source")["asked"]
    assert "Nothing to be done" in library.run()
    assert web.statuses("/film.mp4") == [304]
    assert library.record("V", "source")["asked"] > asked
    after = snapshot(library.folder / "results")
    assert {path for path in after if after[path] != before[path]} == {
        *("V/jobs", "V/jobs/source.json")
    }
    # Changed: everything. The new film takes the place of the old one.
    web.pages["/film.mp4"] = Page(film("vfr.mkv").read_bytes(), "video/x-matroska", etag='"2"')
    old = library.json("V", "media.json")["content"]
    output = library.run("-n")
    assert "source changed: 1 video (V), source and everything after it" in output
    assert library.plan() == EVERYTHING
    library.run()
    assert library.json("V", "media.json")["content"] != old
    assert library.json("V", "source.json")["state"] == {"etag": '"2"'}
    assert {path.name for path in library.result("V").glob("source.*")} == {
        *("source.json", "source.mp4")
    }
    assert library.plan() == []


def test_a_server_that_tells_nothing_is_asked_again_after_a_step_of_time(library, web):
    web.pages["/film.mp4"].etag = None
    library.config["source"]["url_step"] = "36500d"
    library.run("scenes")
    assert set(library.json("V", "source.json")["state"]) == {"step"}
    assert library.plan("scenes") == []  # in the same step
    library.config["source"]["url_step"] = "1s"
    assert "fetch_source" in library.plan("scenes")
    assert "source may have changed, its server can't tell: 1 video" in library.run("-n", "scenes")
    library.config["source"]["url_ttl"] = "1h"  # asked a moment ago
    assert library.plan("scenes") == []


def test_offline_the_last_download_is_used(library, web):
    library.run("scenes")
    web.close()
    output = library.run("scenes")
    assert "Nothing to be done" in output
    assert "can't be reached; what was downloaded last is used: 1 video (V)" in output
    # And it is worked with: other settings need no network.
    library.run("scenes", "--config", "scenes={threshold: 9}")
    assert library.record("V", "scenes")["state"] == "done"
    web.open()
    # Taken off the web: so too.
    del web.pages["/film.mp4"]
    output = library.run("scenes")
    assert "answers 404; what was downloaded last is used" in output


def test_a_url_that_fails_fails_alone_and_is_tried_again(workspace, web, film):
    web.pages["/here.mp4"] = Page(film("cfr.mp4").read_bytes(), etag='"1"')
    web.pages["/login.mp4"] = Page(b"<!doctype html><html><body>Log in</body></html>", "text/html")
    make_media.one_frame(workspace.videos / "local.mp4")
    sources = {
        "here": web.url("/here.mp4"),
        "gone": web.url("/gone.mp4?token=secret"),
        "login": web.url("/login.mp4?token=secret"),
        "local": workspace.videos / "local.mp4",
    }
    rows = "".join(f"{source},{id}\n" for id, source in sources.items())
    (workspace.folder / "sheet.csv").write_text(f"source,id\n{rows}")
    workspace.config["videos"] = "sheet.csv"
    output = workspace.run("scenes", ok=False)
    assert workspace.result("here", "scenes.json").exists()
    assert workspace.result("local", "scenes.json").exists()
    assert {path.name for path in workspace.result("local", "fingerprints").iterdir()} == {
        f"{name}.json" for name in MADE if name != "source"
    }
    assert not workspace.result("local", "jobs", "source.json").exists()
    for id, says in (("gone", "is not there (its server answers 404)"), ("login", "is a web page")):
        record = workspace.record(id, "source")
        assert (record["state"], record["class"]) == ("failed", "input")
        assert record["error"].startswith(f"{id}: source: {web.url('')}")
        assert says in record["error"]
        assert record["error"] in output
        assert {path.name for path in workspace.result(id).iterdir()} == {"fingerprints", "jobs"}
    assert "secret" not in output
    assert "Traceback" not in output
    web.pages["/gone.mp4"] = web.pages["/here.mp4"]
    workspace.run("results/gone/scenes.json")
    assert workspace.record("gone", "source")["state"] == "done"


def test_a_film_deleted_to_save_space_is_only_missed_where_it_is_needed(library, web):
    library.run()
    library.result("V", "source.mp4").unlink()
    assert library.plan() == []
    library.run("--config", "description={prompt: What is it}")
    output = library.run("--config", "scenes={threshold: 9}", ok=False)
    error = library.record("V", "scenes")["error"]
    assert error in output
    assert "source.mp4 is gone; delete results/V/source.json to download it again" in error
    library.result("V", "source.json").unlink()
    library.run("--config", "scenes={threshold: 9}")
    assert library.result("V", "source.mp4").exists()


@pytest.mark.parametrize("target", [[], long(["scenes"])])
def test_a_failed_download_leaves_the_one_before(library, web, film, target):
    library.run(*target)
    before = library.result("V", "source.json").read_bytes()
    web.pages["/film.mp4"] = Page(b"<html>Log in</html>", "video/mp4", etag='"2"')
    library.run(*target, ok=False)
    failed = library.record("V", "source")
    assert "is a web page, not a video" in failed["error"]
    web.close()  # offline, what there is counts
    for _ in range(2):
        library.run(*target)
        assert library.record("V", "source") == failed
        assert library.result("V", "source.json").read_bytes() == before
    assert library.plan(*target) == []
    web.open()
    web.pages["/film.mp4"] = Page(film("cfr.mp4").read_bytes(), etag='"3"')
    library.run(*target)
    assert library.json("V", "source.json")["state"] == {"etag": '"3"'}
    assert library.plan(*target) == []


def test_a_stopped_download_stops_at_once_and_goes_on_later(library, web, film):
    content = film("cfr.mp4").read_bytes() + bytes(8_000_000)  # what follows is ignored
    web.pages["/film.mp4"] = page = Page(content, etag='"1"', pause=0.05)
    process = library.start("scenes")
    part = "journal/source.*/source.mp4.part"
    wait_for(lambda: sum(p.stat().st_size for p in library.result("V").glob(part)) > 1_000_000)
    wait_for(lambda: "unit" in library.record("V", "source"))  # written once a second
    record = library.record("V", "source")
    assert (record["state"], record["unit"]) == ("running", "bytes")
    assert record["items_total"] == len(content)
    begin = time.monotonic()
    os.killpg(process.pid, signal.SIGTERM)
    process.communicate(timeout=60)
    assert time.monotonic() - begin < 5
    assert library.record("V", "source")["class"] == "killed"
    assert not list(library.result("V").glob("source.*"))
    (kept,) = library.result("V").glob(part)
    size = kept.stat().st_size
    assert size > 1_000_000
    page.pause = 0
    web.asked.clear()
    library.run("scenes")
    (resumed,) = [asked.headers["Range"] for asked in web.asked if "Range" in asked.headers]
    assert resumed == f"bytes={size}-"
    assert library.result("V", "source.mp4").read_bytes() == content
    assert not library.result("V", "journal").exists()


def test_a_forced_download_is_a_new_one(library, web):
    library.run("scenes")
    web.asked.clear()
    library.run("scenes", "-R", "fetch_source")
    assert 200 in web.statuses("/film.mp4")
    assert library.plan("scenes") == []
