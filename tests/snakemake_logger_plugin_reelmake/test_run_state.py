"""What the logger makes of Snakemake's events."""

import importlib.util
import logging
import time
from pathlib import Path

import pytest

from reelmake.library import job_records
from snakemake_logger_plugin_reelmake import LogHandler
from snakemake_logger_plugin_reelmake.chatter import IN_OTHER_WORDS, is_chatter
from snakemake_logger_plugin_reelmake.dry_run import DryRun, reason
from snakemake_logger_plugin_reelmake.run_state import ALIKE, RESULTS, RunState

STATS = {"probe_media": 3, "write_manifest": 3, "all": 1, "total": 7}


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    state = RunState()
    state.plan(STATS)
    return state


def fail(video: str, error: str, kind: str = "input") -> None:
    """What the job leaves behind."""
    record = {"state": "failed", "error": error, "class": kind, "ended": time.time()}
    job_records.write(RESULTS / video, "media", record)


def test_a_video_is_finished_with_its_last_stage(state):
    state.start(1, "probe_media", {"video": "one"})
    assert state.finish(1) == []
    state.start(2, "write_manifest", {"video": "one"})
    (line,) = state.finish(2)
    assert line.endswith("one: done in 0 s (1 of 3)")
    assert state.headline() == "1 of 3 videos"
    state.start(3, "all", {})
    assert state.finish(3) == []


def test_where_no_manifest_is_asked_for_the_last_stage_counts(state):
    state.plan({"probe_media": 1, "detect_scenes": 1, "scenes": 1, "total": 3})
    state.start(1, "detect_scenes", {"video": "one"})
    assert state.finish(1)[0].endswith("one: done in 0 s")


def test_a_failure_is_the_one_sentence_of_its_job(state):
    state.start(1, "probe_media", {"video": "one"})
    fail("one", "one: media: a.mp4 is empty\x1b[31m")
    (line,) = state.fail(1, "RuleException:\nCalledProcessError in file …")
    assert line.endswith("failed: one: media: a.mp4 is empty�[31m")
    assert state.headline() == "0 of 3 videos, 1 failed"


def test_a_job_that_left_no_reason_is_shown_with_what_snakemake_says(state):
    state.start(1, "probe_media", {"video": "one"})
    lines = state.fail(1, "RuleException:\nCalledProcessError")
    assert lines[0].endswith("one: media failed; Snakemake says:")
    assert lines[1:] == ["RuleException:", "CalledProcessError"]


def test_a_reason_of_an_earlier_run_is_not_taken_for_this_ones(state):
    fail("one", "one: media: long ago")
    record = job_records.read(RESULTS / "one", "media")
    job_records.write(RESULTS / "one", "media", record | {"ended": time.time() - 1000})
    state.start(1, "probe_media", {"video": "one"})
    assert "Snakemake says" in state.fail(1, "why")[0]


def test_failures_of_one_cause_are_counted_not_repeated(state):
    said = []
    for number in range(20):
        state.start(number, "probe_media", {"video": f"v{number}"})
        fail(f"v{number}", f"v{number}: media: it is empty")
        said += state.fail(number, "")
    assert len(said) == ALIKE + 1
    assert "and others like it" in said[-1]
    assert state.headline() == "0 of 3 videos, 20 failed"


def test_what_was_stopped_is_left_to_the_summary(state):
    state.start(1, "probe_media", {"video": "one"})
    fail("one", "one: media: stopped from outside", kind="killed")
    assert state.fail(1, "RuleException") == []


def test_a_dry_run_is_a_table_in_the_order_of_the_pipeline():
    dry = DryRun()
    dry.plan({"write_manifest": 2, "probe_media": 2, "all": 1, "total": 5})
    for video, why in (("one", "Missing output files: a"), ("two", "Updated input files: b")):
        told = {"rule_name": "probe_media", "wildcards": {"video": video}, "reason": why}
        dry.add(told)
        after = "Input files updated by another job: results/one/media.json"
        dry.add(told | {"rule_name": "write_manifest", "reason": after})
    lines = dry.lines()
    rows = [line.split(maxsplit=2) for line in lines[2:5]]
    assert rows == [
        ["media", "2", "not made yet (1), changed (1)"],
        ["manifest", "2", "after a stage before it"],
        ["in", "all", "4  of 2 videos"],
    ]
    assert "nothing was changed" in lines[-2]


def test_a_dry_run_of_the_catalog_alone_does_not_say_that_nothing_is_to_do():
    dry = DryRun()
    dry.plan({"update_catalog": 1, "all": 1, "total": 2})
    dry.add({"rule_name": "update_catalog", "wildcards": None, "reason": "Missing output files: a"})
    (line,) = [line for line in dry.lines() if line.startswith("in all")]
    assert line.split(maxsplit=2)[2] == "0  of 0 videos; the catalog is brought up to date"


def test_the_catalog_is_spoken_of_where_there_is_nothing_else_to_say(state):
    assert state.start(1, "update_catalog", {}) == []
    alone = RunState()
    alone.plan({"update_catalog": 1, "all": 1})
    (line,) = alone.start(1, "update_catalog", {})
    assert line.endswith("bringing the catalog up to date")


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("Missing output files: a; Input files updated by another job: b", "not made yet"),
        ("Forced execution", "forced"),
        ("Rules with neither input nor output files are always executed.", None),
        ("", "asked for"),
    ],
)
def test_reasons_in_few_words(said, means):
    assert reason(said) == (means or said[:40])


def test_nothing_but_chatter_is_dropped():
    for message in (
        "Building DAG of jobs...",
        "Select jobs to execute...",
        "Elapsed time: 1",
        "Some jobs were triggered by provenance information, see 'reason' section",
        "\n",
    ):
        assert is_chatter(message)
    for message in ("reelmake: new: 1 video (a)", "Nothing to be done", "MissingRuleException: x"):
        assert not is_chatter(message)


def test_a_dry_run_beside_a_run_is_no_error():
    (message,) = IN_OTHER_WORDS
    spec = importlib.util.find_spec("snakemake.persistence")
    assert message in Path(spec.origin).read_text()  # it is what Snakemake says
    handler = object.__new__(LogHandler)
    handler._dry_run = handler._shares = None
    told = []
    handler._print = told.extend
    handler._print_message(logging.LogRecord("", 20, "", 0, message, (), None))
    (line,) = told
    assert "a run is going on" in line and "Error" not in line
