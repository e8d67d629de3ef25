"""What a run says at its end."""

from pathlib import Path

import pytest

from reelmake.foundation import artifact_files, process_identity
from reelmake.library import job_records
from reelmake.reel import run_summary

BEGAN = 1000.0


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Path("results")


def record(results, video: str, stage: str, **values) -> None:
    known = {"state": "done", "started": BEGAN + 1, "ended": BEGAN + 11, "cache": "miss"}
    job_records.write(results / video, stage, known | values)


def fail(results, video: str, why: str, stage: str = "media", kind: str = "input", path: str = ""):
    source = {"source": {"path": path or f"/films/{video}.mp4"}}
    artifact_files.write_json(results / video / "fingerprints" / f"{stage}.json", source)
    error = f"{video}: {stage}: {why}"
    record(results, video, stage, state="failed", error=error, **{"class": kind})


def lines(results, left_out: int = 0, *argv: str, missing: str = "") -> list[str]:
    return run_summary.lines(
        *(results, BEGAN, BEGAN + 100, left_out, ["snakemake", *argv]),
        can_try=lambda stage: stage != missing,
    )


def test_a_run_that_started_nothing_says_nothing(results):
    assert lines(results) == []
    record(results, "one", "media", started=BEGAN - 1)
    assert lines(results) == []


def test_a_run_that_went_well_is_one_line(results):
    for video in ("one", "two"):
        for stage in ("media", "audio", "transcript", "scenedesc", "manifest"):
            record(results, video, stage, cache="hit" if stage == "media" else "miss")
    assert lines(results) == [
        "2 videos done; 10 jobs in 1 min 40 s, 2 restored from the cache, 40 s in GPU stages"
    ]


def test_voices_without_a_word_are_said(results):
    record(results, "one", "transcript", made={"bytes": 1, "unheard": 12.5})
    record(results, "two", "transcript", made={"bytes": 1, "unheard": 0.0})
    record(results, "three", "transcript", made={"bytes": 1, "unheard": 60.0})
    assert lines(results)[1:] == [
        "  voices without a word: 1 min 12 s in 2 videos (one, three); `unheard` in "
        "transcript.json says where"
    ]


def test_what_nobody_can_have_said_is_counted(results):
    record(results, "one", "transcript", made={"bytes": 1, "doubtful": 2})
    record(results, "two", "transcript", made={"bytes": 1})
    assert lines(results)[1:] == [
        "  doubtful: 2 sentences in 1 video (one); `dropped` and `doubt` in transcript.json "
        "say which"
    ]


def test_failures_are_grouped_by_their_reason(results):
    for number in range(5):
        fail(results, f"a{number}", f"/films/a{number}.mp4 is empty (0 bytes)")
    fail(results, "b", "results/b/scenes.json is damaged", "keyframes", "engine")
    fail(results, "c", "results/c/scenes.json is damaged", "keyframes", "engine")
    fail(results, "d", "/films/d.mp4 is a riddle")
    said = lines(results, 3, "--cores", "8")
    assert said == [
        "0 videos done, 8 failed, 3 left out; 0 jobs in 1 min 40 s, 0 s in GPU stages",
        "  failed (input): 5 videos (a0, a1, a2, …): media: … is empty (0 bytes)",
        "  failed (engine): 2 videos (b, c): keyframes: …/scenes.json is damaged",
        "  failed (input): d: media: /films/d.mp4 is a riddle",
        "  the failed ones again: snakemake --cores 8 --config failed=only",
    ]


def test_a_short_name_is_no_part_of_a_word(results):
    for name in ("i", "e"):
        fail(results, f"film-{name}", f"{name} has no index", path=f"/films/{name}")
    assert lines(results)[1].endswith("2 videos (film-e, film-i): media: … has no index")


def test_what_was_killed_or_stopped_is_no_failure(results):
    record(results, "one", "media", state="failed", error="stopped", **{"class": "killed"})
    me = process_identity.this_process()
    record(results, "two", "media", **me | {"state": "running", "boot": "before"})
    said = lines(results)
    assert said[0].startswith("0 videos done, 2 stopped; ")
    assert said[1:] == ["  stopped: 2 jobs (one, two); the same command goes on with them"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("--cores 8", "--cores 8 --config failed=only"),
        ("--config videos=x --cores 8", "--config failed=only videos=x --cores 8"),
        ("-C failed=skip videos=x", "-C failed=only videos=x"),
        ("--config failed=only", "--config failed=only"),
    ],
)
def test_the_command_for_the_failed_ones(given, expected):
    assert run_summary.retry(["/usr/bin/snakemake", *given.split()]) == f"snakemake {expected}"


def test_a_word_with_spaces_stays_one():
    said = run_summary.retry(["x", "--config", "scenes={threshold: 7}"])
    assert said == "snakemake --config failed=only 'scenes={threshold: 7}'"


def test_films_without_speakers_are_done_and_said(results):
    for video in ("one", "two"):
        fail(results, video, "out of memory", "speakers", "resources")
        record(results, video, "manifest")
    assert lines(results) == [
        "2 videos done; 2 jobs in 1 min 40 s, 0 s in GPU stages",
        "  without speakers: 2 videos (one, two) (resources): out of memory; the next run tries "
        "that again",
    ]


def test_no_run_tries_again_what_a_model_is_missing_for(results):
    fail(results, "one", "the model a/b is not on this machine", "speakers", "engine")
    record(results, "one", "manifest")
    assert lines(results, missing="speakers")[1:] == [
        "  without speakers: 1 video (one) (engine): the model a/b is not on this machine; that is "
        "tried again once the models are here (`reel models`)",
    ]
