"""What `reel status` says of job records and fingerprints, whatever state they are in."""

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

import make_library
from recorded_library import STAGES, Library
from reelmake.foundation import artifact_files, process_identity
from reelmake.library import job_records, library_scan, measures, sources
from reelmake.library.job_records import SILENT, state
from reelmake.reel import main, status, status_table


@pytest.fixture
def library(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Library(tmp_path)


def running(**values) -> dict:
    """What the record of a job at work in this process says."""
    me = process_identity.this_process()
    return {"state": "running", "started": me["since"], "updated": me["since"]} | me | values


def test_nothing_yet(library):
    found = library.status()
    assert found["videos"]["total"] == 0
    assert found["eta"] == {"p50": 0.0, "p90": 0.0, "without": []}
    assert "no videos here yet" in library.shown()
    assert main.main(["status", "--json"]) == 0


@pytest.mark.parametrize("old", [False, True])
def test_finished_videos(library, old):
    for video in ("one", "two"):
        library.finish(video, old)
    found = library.status()
    assert found["videos"] | {"total": 2, "done": 2} == found["videos"]
    assert sum(found["videos"].values()) == 4
    assert all(counts["done"] == 2 for counts in found["stages"].values())
    assert list(found["stages"]) == STAGES
    assert (found["frames"], found["descriptions"], found["segments"]) == (10, 8, 14)
    assert found["highlights"] == 6
    assert "6 highlights" in library.shown()
    assert found["media_seconds"] == 240
    assert found["bytes"] == 2 * 10 * (len(STAGES) - 2)  # neither the sound nor the manifest
    assert found["cache"] == {"hits": 0, "misses": 2 * (len(STAGES) - 1), "ratio": 0.0}


def test_a_finished_video_costs_two_files(library, monkeypatch):
    for video in ("one", "two", "three"):
        library.finish(video)
    read = []
    plain = library_scan.read
    monkeypatch.setattr(library_scan, "read", lambda path: read.append(path) or plain(path))
    looked = library_scan.Scan(library.results)
    looked.look()
    assert len(read) == 6
    assert {Path(path).name for path in read} == {"manifest.json"}


def test_what_did_not_change_is_not_read_again(library, monkeypatch):
    for video in ("one", "two"):
        library.finish(video)
        for folder in ("jobs", "fingerprints"):
            os.utime(library.results / video / folder, (1, 1))
    looked = library_scan.Scan(library.results)
    assert len(looked.look()) == 2
    read = []
    plain = library_scan.read
    monkeypatch.setattr(library_scan, "read", lambda path: read.append(path) or plain(path))
    assert len(looked.look()) == 2
    assert read == []
    time.sleep(0.06)
    library.record("two", "scenes", state="failed")
    assert [video.state for video in looked.look()] == ["done", "failed"]
    assert all("/two/" in path for path in read)


def test_records_of_an_earlier_version_are_counted_by_their_artifacts(library):
    library.finish("one", old=True, made=None)
    results = library.results / "one"
    artifact_files.write_json(results / "keyframes.json", {"keyframes": [{}, {}, {}]})
    artifact_files.write_json(results / "transcript.json", {"segments": [{}]})
    artifact_files.write_json(results / "media.json", {"duration": 60.0})
    found = library.status()
    assert (found["frames"], found["segments"], found["media_seconds"]) == (3, 1, 60.0)
    assert found["bytes"] > 50


def test_a_video_at_work(library):
    library.fingerprints("one")
    library.record("one", "media")
    items = {"items_done": 3, "items_total": 9, "items_resumed": 1}
    library.record("one", "scenedesc", **running(**items))
    found = library.status()
    assert found["videos"]["running"] == 1
    assert found["stages"]["media"]["done"] == found["stages"]["scenedesc"]["running"] == 1
    assert found["stages"]["manifest"]["waiting"] == 1
    (job,) = found["running"]
    assert (job["video"], job["stage"], job["pid"]) == ("one", "scenedesc", os.getpid())
    assert job["items"] == {"done": 3, "total": 9, "unit": "keyframes"}
    assert found["descriptions"] == 3
    assert "3 of 9 keyframes" in library.shown()


def test_a_job_after_the_video_was_finished_is_seen(library):
    library.finish("one")
    time.sleep(0.06)  # no job starts sooner
    library.record("one", "scenes", **running())
    assert library.status()["stages"]["scenes"]["running"] == 1


def test_what_is_stale_waits(library):
    library.finish("one")
    path = library.results / "one" / "fingerprints" / "transcript.json"
    changed = artifact_files.read_json(path)
    artifact_files.write_json(path, changed | {"key": "0" * 64})
    # As a run leaves it: what follows has other keys, too.
    last = library.results / "one" / "fingerprints" / "manifest.json"
    artifact_files.write_json(last, artifact_files.read_json(last) | {"key": "1" * 64})
    found = library.status()
    assert found["videos"]["waiting"] == 1
    assert found["stages"]["transcript"]["waiting"] == found["stages"]["manifest"]["waiting"] == 1
    assert found["stages"]["scenes"]["done"] == 1


def test_what_was_tried_in_vain_and_changed_back_is_done(library):
    library.finish("one")
    record = job_records.read(library.results / "one", "scenedesc")
    time.sleep(0.06)
    job_records.write(
        library.results / "one", "scenedesc", record | {"key": "0" * 64, "state": "failed"}
    )
    assert library.status()["videos"]["done"] == 1


def test_failures_are_listed_with_their_reasons(library):
    library.fingerprints("one")
    library.record(
        "one",
        "media",
        state="failed",
        error="one: media: it is empty",
        log="logs/probe_media/one.log",
        **{"class": "input"},
    )
    found = library.status()
    assert (found["videos"]["failed"], found["stages"]["media"]["failed"]) == (1, 1)
    (job,) = found["failed"]
    assert job["error"] == {"class": "input", "message": "one: media: it is empty"}
    shown = library.shown()
    assert "[input] one: media: it is empty" in shown
    assert "failed (1)" in shown


def test_a_video_that_is_still_being_written(library):
    record = {"state": "failed", "error": "still being written", "class": "transient", "ended": 1.0}
    job_records.write(library.results / "one", "media", record)
    assert library.status()["videos"]["failed"] == 1


def dead() -> int:
    """The number of a process that is gone."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "running"),
        ({"pid": dead()}, "killed"),
        ({"process": 1}, "killed"),  # another process has the number now
        ({"boot": "another"}, "killed"),
        ({"host": "elsewhere"}, "running"),
        ({"host": "elsewhere", "updated": 0}, "running"),  # it never says anything
        ({"host": "elsewhere", "items_total": 9}, "running"),
        ({"host": "elsewhere", "items_total": 9, "updated": time.time() - SILENT - 9}, "killed"),
        ({"state": "failed", "class": "killed"}, "killed"),
        ({"state": "failed", "class": "input"}, "failed"),
        ({"state": "done"}, "done"),
    ],
)
def test_a_job_whose_process_is_gone_was_killed(library, values, expected):
    assert state(running(**values)) == expected
    library.fingerprints("one")
    library.record("one", "media", **running(**values))
    assert library.status()["stages"]["media"][expected] == 1


def test_a_zombie_is_dead():
    """In a container nobody may ever wait for the processes of a run that was killed."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        stat = Path(f"/proc/{process.pid}/stat")
        started = int(stat.read_text().rpartition(")")[2].split()[19])
        record = running(pid=process.pid, process=started)
        assert state(record) == "running"
        process.kill()
        while ") Z " not in stat.read_text():
            time.sleep(0.01)
        assert state(record) == "killed"
    finally:
        process.communicate()


def test_the_run_that_holds_the_library(library):
    lock = Path(".snakemake/reelmake.lock")
    lock.parent.mkdir()
    me = process_identity.this_process()
    lock.write_text(json.dumps(me))
    library.finish("one", ended=me["since"] + 50)
    found = library.status(now=me["since"] + 60)
    expected = {"pid": os.getpid(), "host": socket.gethostname(), "since": me["since"]}
    assert found["run"] == expected | {"certain": True}
    assert found["rate"]["videos"] == 1
    assert found["rate"]["videos_per_hour"] == 60
    assert found["rate"]["media_per_second"] == 2
    assert library.status(now=me["since"] + 50 + 3601)["rate"]["videos"] == 0
    lock.write_text(json.dumps(me | {"host": "elsewhere"}))
    assert library.status()["run"]["certain"] is False
    lock.write_text(json.dumps(me | {"pid": dead()}))
    found = library.status()
    assert found["run"] is found["rate"] is None


def test_the_time_that_is_left_is_known_from_finished_videos(library):
    for video in ("one", "two"):  # each stage took 12 s for 2 minutes, one after the other
        library.fingerprints(video)
        for number, stage in enumerate(STAGES):
            start = 1000.0 + 12 * (number + (len(STAGES) if video == "two" else 0))
            library.record(video, stage, started=start, ended=start + 12)
        last = {"totals": measures.collect(library.results / video)}
        library.record(video, "manifest", started=start, ended=start + 12, **last)
    library.fingerprints("three")
    eta = library.status()["eta"]
    assert eta["p50"] == pytest.approx(12 * len(STAGES), rel=0.05)
    assert eta["p50"] <= eta["p90"]
    # What failed waits for somebody to do something.
    library.record("three", "media", state="failed", error="three: media: it is empty")
    assert library.status()["eta"]["p50"] == 0
    # Half of a stage is done, and all others but the last.
    library.fingerprints("three")
    for stage in STAGES[:-1]:
        library.record("three", stage)
    items = {"items_done": 5, "items_total": 10, "items_resumed": 0}
    library.record("three", "scenedesc", **running(**items))
    assert library.status()["eta"]["p50"] == pytest.approx(6 + 12, rel=0.05)
    assert "about " in library.shown()
    assert "no run is going on" in library.shown()


def test_without_history_nobody_knows_how_long(library):
    library.fingerprints("one")
    assert library.status()["eta"] is None
    assert "no history yet" in library.shown()
    library.record("one", "media")
    eta = library.status()["eta"]
    assert eta is None or "scenedesc" in eta["without"]


def test_a_job_at_work_is_a_first_hint(library):
    library.fingerprints("one")
    for stage in STAGES:
        library.record("one", stage)
    (library.results / "one" / "jobs" / "manifest.json").unlink()
    begun = running(items_done=3, items_total=9, items_resumed=0, started=1000.0)
    library.record("one", "scenedesc", **begun)
    eta = library.status(now=1030.0)["eta"]  # 3 in 30 s
    assert eta["p50"] == pytest.approx(60, rel=0.15)
    assert eta["without"] == ["manifest"]


def test_hits_of_the_cache_are_counted_and_take_no_time(library):
    library.finish("one", cache="hit", saved=60.0, ended=1000.1)
    library.fingerprints("two")
    found = library.status()
    assert found["cache"] == {"hits": len(STAGES) - 1, "misses": 0, "ratio": 1.0}
    assert found["eta"]["p50"] > 300  # what it took when it was computed


def test_names_and_errors_do_not_steer_the_terminal(library):
    name = "[red]x[blink]\x1b[31m"
    library.fingerprints(name)
    library.record(name, "media", state="failed", error="\x1b]0;title\x07 [link=x]why\r\n[/]")
    library.record(name, "audio", **running(host="[b]\x1b[0m"))
    for width in (80, 140):
        shown = library.shown(width)
        assert "\x1b" not in shown
        assert "\x07" not in shown
        assert "\r" not in shown
        assert "[red]x[blink]" in shown
        assert "[link=x]why" in shown


@pytest.mark.parametrize("width", [40, 80, 140])
def test_it_fits_the_terminal(library, width):
    for number in range(30):
        video = f"{number}-a-rather-long-name-of-a-film-that-goes-on-and-on-{number}"
        library.fingerprints(video)
        library.record(video, "media", state="failed", error=f"{video}: media: " + "why " * 40)
        library.record(video, "scenes", **running(items_done=1, items_total=100))
    shown = library.shown(width, rows=5)
    assert max(map(len, shown.splitlines())) <= width
    assert shown.count("… and 25 more (--json)") == 2
    console = Console(file=io.StringIO(), width=width, color_system=None, markup=False)
    console.print(status_table.library(library.status(), width, 5, wrap=False))
    failed = console.file.getvalue().partition("failed (30)")[2]
    assert len(failed.splitlines()) == 7  # each on one line


def test_one_video_with_its_fingerprints(library, capsys):
    library.finish("one")
    assert main.main(["status", "--video", "one", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    artifact_files.validate(found, "status_video")
    assert found["state"] == "done"
    assert list(found["stages"]) == STAGES
    assert found["stages"]["scenes"]["fingerprint"]["settings"]["scenes.threshold"] is None
    assert main.main(["status", "--video", "one"]) == 0
    shown = capsys.readouterr().out
    assert found["stages"]["scenes"]["fingerprint"]["key"][:12] in shown
    library.fingerprints("new")
    library.record("new", "media", state="failed", error="new: media: [b]why", log="a/log")
    assert main.main(["status", "--video", "new"]) == 0
    assert "new: media: [b]why (log: a/log)" in capsys.readouterr().out
    assert main.main(["status", "--video", "onee"]) == 1
    assert "did you mean 'one'" in capsys.readouterr().err
    assert main.main(["status", "--video", "../results/one"]) == 1


def test_watching_needs_a_terminal(library, capsys):
    assert main.main(["status", "--watch"]) == 1
    assert "needs a terminal" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"totals": 3}', b'{"state": "done"}'])
def test_a_damaged_record_hides_no_other_video(library, content):
    for video in ("one", "two"):
        library.finish(video)
    (library.results / "one" / "jobs" / "manifest.json").write_bytes(content)
    (library.results / "a file").write_bytes(content)
    found = library.status()
    assert (found["videos"]["total"], found["videos"]["done"]) == (2, 1)
    shutil.rmtree(library.results / "one" / "fingerprints")
    assert library.status()["videos"]["total"] == 2


def test_nothing_is_written_and_no_lock_is_taken(library, capsys):
    library.finish("one")
    before = sorted(Path().rglob("*"))
    assert main.main(["status"]) == 0
    assert sorted(Path().rglob("*")) == before


def test_source_sizes_stand_for_unknown_lengths(library):
    library.finish("one")
    library.fingerprints("two", size=2000)  # twice as large: twice as long
    alone = library.status()["eta"]["p50"]
    shutil.rmtree(library.results / "two")
    library.fingerprints("two", size=1000)
    assert alone == pytest.approx(2 * library.status()["eta"]["p50"], rel=0.2)
    assert sources.identify("/films/two.mp4")["size"] is None


def test_a_film_without_speakers_is_done_and_counted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_library.make_library(2, {"videos": "films", "stages": ["transcripts", "speakers"]})
    results = tmp_path / "results" / "film00001"
    failure = {"class": "resources", "error": "film00001: speakers: out of memory"}
    content = make_library.SPEAKERS | {"failure": failure}
    (results / "speakers.json").write_text(json.dumps(content))
    record = job_records.read(results, "speakers") | {"state": "failed", **failure}
    made = measures.count("speakers", results)
    job_records.write(results, "speakers", record | {"made": made})
    last = job_records.read(results, "manifest") | {"totals": measures.collect(results)}
    job_records.write(results, "manifest", last)
    found = status.status(library_scan.Scan(results.parent).look())
    artifact_files.validate(found, "status")
    assert found["videos"]["done"] == 2 and found["videos"]["failed"] == 0
    assert found["without_speakers"] == 1
    assert found["stages"]["speakers"] == found["stages"]["speakers"] | {"done": 1, "failed": 1}
    (job,) = found["failed"]
    assert (job["video"], job["error"]["class"]) == ("film00001", "resources")
