"""The library: sidecars change only when their content does, and only in a real run."""

import json
import os
from pathlib import Path

import pytest

import make_library
from reelmake.foundation import artifact_files
from reelmake.foundation.errors import UserError
from reelmake.library import config, job_records, manifest
from reelmake.library.library import Library
from reelmake.library.stages import TARGETS, chosen, stages_of
from workspace import snapshot


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Make a library of three videos: `library(write, **config)`; `.said` has its lines."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "videos").mkdir()
    for name in ("a", "b", "c"):
        (tmp_path / "videos" / f"{name}.mp4").write_bytes(b"x")
        os.utime(tmp_path / "videos" / f"{name}.mp4", (0, 0))

    made: list[Library] = []

    def make(write=True, also=(), **given):
        said = []
        one = Library(config.load({"videos": "videos", **given}), write, said.append, also)
        one.said = said
        made.append(one)
        return one

    yield make
    for one in made:
        one.release()


def test_a_real_run_writes_every_sidecar_once(library, tmp_path):
    first = library()
    assert first.prepare(prune=True) == ["a", "b", "c"]
    assert first.said == ["new: 3 videos (a, b, c)"]
    before = snapshot(tmp_path / "results")
    stages = {stage.name for stage in stages_of(url=False)} - {*TARGETS["translations"]}
    assert len([path for path in before if path.endswith(".json")]) == 3 * len(stages)
    first.release()
    second = library()
    assert second.prepare(prune=True) == ["a", "b", "c"]
    assert second.said == []
    assert snapshot(tmp_path / "results") == before


def test_only_what_is_asked_for_is_wanted(library, tmp_path):
    many = library(stages=["transcripts", "clips"])
    many.prepare(prune=True)
    many.release()
    folder = tmp_path / "results" / "a" / "fingerprints"
    assert {path.stem for path in folder.iterdir()} == chosen(["transcripts", "clips"]) - {"source"}
    (tmp_path / "results" / "a" / "highlights.json").touch()
    fewer = library(stages=["transcripts"])
    fewer.prepare(prune=True)
    fewer.release()
    # What was never made is no longer waited for; what was made is known when it is wanted again.
    left = chosen(["transcripts"]) - {"source"} | {"highlights"}
    assert {path.stem for path in folder.iterdir()} == left
    more = library(stages=["transcripts"], also=["media", "scenes"])
    more.prepare(prune=True)
    assert more.wanted("a")["manifest"] == fewer.wanted("a")["manifest"]


def test_a_dry_run_writes_nothing_and_hands_over_what_would_change(library, tmp_path):
    library().prepare(prune=True)
    before = snapshot(tmp_path)
    dry = library(write=False, transcription={"model": "tiny"})
    dry.prepare(prune=True)
    assert snapshot(tmp_path) == before
    assert dry.said == [
        "transcription.model small -> tiny: 3 videos (a, b, c), transcript and everything after it"
    ]
    assert dry.sidecar("a", "scenes") == "results/a/fingerprints/scenes.json"
    elsewhere = dry.sidecar("a", "transcript")
    assert not elsewhere.startswith("results")
    assert json.loads(Path(elsewhere).read_text())["settings"]["transcription.model"] == "tiny"


def test_an_unreadable_sidecar_is_written_again(library, tmp_path):
    first = library()
    first.prepare(prune=True)
    first.release()
    path = tmp_path / "results" / "a" / "fingerprints" / "media.json"
    whole = path.read_bytes()
    for broken in (b"", whole[:50], b"\xff"):
        path.write_bytes(broken)
        again = library()
        again.prepare(prune=True)
        assert path.read_bytes() == whole
        again.release()


def test_an_unknown_id_is_refused_with_the_nearest(library):
    with pytest.raises(UserError, match="no video has the id 'aa'") as error:
        library().sidecar("aa", "media")
    assert "did you mean 'a'" in str(error.value)


def test_two_runs_at_once_are_refused_before_anything_changes(library, tmp_path):
    library(write=False).prepare(prune=True)  # a dry run takes no lock
    first = library()
    first.prepare(prune=True)
    before = snapshot(tmp_path / "results")
    second = library(transcription={"model": "tiny"})
    with pytest.raises(UserError, match=f"process {os.getpid()}"):
        second.prepare(prune=True)
    with pytest.raises(UserError, match="another run"):
        second.sidecar("a", "media")
    assert snapshot(tmp_path / "results") == before
    first.release()
    second.prepare(prune=True)


def test_a_video_that_grows_is_left_alone_and_said(library, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "reelmake.library.sources.growing", lambda paths, seconds: {sorted(paths)[1]}
    )
    growing = library()
    assert growing.prepare(prune=True) == ["a", "c"]
    assert any("b.mp4: still being written" in line for line in growing.said)
    record = json.loads((tmp_path / "results" / "b" / "jobs" / "media.json").read_text())
    assert (record["state"], record["class"]) == ("failed", "transient")
    assert not (tmp_path / "results" / "b" / "fingerprints").exists()
    with pytest.raises(UserError, match="still being written"):
        growing.sidecar("b", "media")


def test_a_missing_source_keeps_what_is_known_of_it(library, tmp_path):
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("source\nvideos/a.mp4\nvideos/never.mp4\n")
    first = library(videos="sheet.csv")
    first.prepare(prune=True)
    first.release()
    before = snapshot(tmp_path / "results")
    (tmp_path / "videos" / "a.mp4").unlink()
    second = library(videos="sheet.csv")
    second.prepare(prune=True)
    assert second.said == []
    assert snapshot(tmp_path / "results") == before


def without_speakers(tmp_path):
    """Three finished videos, of which b was finished without its speakers."""
    given = {"videos": "films", "stages": ["transcripts", "speakers"]}
    make_library.make_library(3, given)
    results = tmp_path / "results" / "film00001"
    failure = {"class": "engine", "error": "film00001: speakers: broken"}
    content = json.loads((results / "speakers.json").read_bytes()) | {"failure": failure}
    (results / "speakers.json").write_text(json.dumps(content))
    record = job_records.read(results, "speakers") | {"state": "failed", **failure}
    job_records.write(results, "speakers", record)
    artifact_files.write_json(results / "manifest.json", manifest.build(results))
    return given


@pytest.mark.parametrize(
    ("failed", "can_try", "taken"),
    [
        ("retry", True, ["film00001"]),
        ("only", True, ["film00001"]),
        ("skip", True, []),
        ("retry", False, []),
        ("only", False, []),
    ],
)
def test_a_video_without_speakers_is_taken_where_they_may_be_found_now(
    tmp_path, monkeypatch, failed, can_try, taken
):
    monkeypatch.chdir(tmp_path)
    given = without_speakers(tmp_path) | {"failed": failed}
    asked = []

    def may(stage):
        asked.append(stage)
        return can_try

    for _ in range(2):  # the second time by the shortcut
        one = Library(config.load(given), True, lambda line: None, can_try=may)
        assert [video for video, _ in one.look(prune=True)] == taken
        one.release()
    assert asked.count("speakers") <= 2  # once a run, however many videos


def test_only_a_video_whose_voices_are_named_has_them_in_what_it_prints(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = {"videos": "films", "stages": ["transcripts", "speakers"]}
    make_library.make_library(3, given)

    def looked(**more):
        one = Library(config.load(given | more), True, lambda line: None)
        found = dict(one.look(prune=True))
        one.release()
        return found

    assert looked() == {}
    Path("speakers.csv").write_text("film,label,name\nfilm00001,S1,Anna\n")
    (wanted,) = looked().values()
    assert wanted["subtitles"]["settings"]["speakers.names"] == {"S1": "Anna"}
    assert looked(stages=["transcripts"]).keys() == {"film00000", "film00001", "film00002"}
    Path("speakers.csv").write_text("film,label,name\n*,S1,Anna\n")
    assert len(looked()) == 3
    Path("speakers.csv").write_text("film,label\n")
    with pytest.raises(UserError, match=r"speakers\.csv, line 1: there is no column name"):
        looked()
