"""Power cuts and signals: whatever moment they come at, one more run makes what an undisturbed
one does."""

import json
import random
import shutil
import signal
import subprocess
from collections import Counter

import pytest

from faults import EngineCalls, kill_group, long
from job_script import content_of, run_job
from make_video import make_video, random_story
from reelmake.foundation import artifact_files
from reelmake.foundation.journal import Journal
from reelmake.library import config
from reelmake.library.stages import STAGES, artifact_paths
from workspace import Workspace

MODELS = {"scenedesc": "{video}.scenedesc.msgpack", "transcript": "transcript.json"}
"""The journaled stages."""


class Killed(Workspace):
    """A library that is killed again and again. whole: as an undisturbed run makes it."""

    def __init__(self, folder, whole: "Killed | None" = None):
        folder.mkdir()
        super().__init__(folder / "work", whole.videos if whole else folder / "videos")
        self.whole = whole
        self.calls = EngineCalls(folder / "calls")
        self.config["keyframes"] = {"per_scene": 8, "strategy": "first"}
        self.config["transcription"]["chunk_minutes"] = 0.05

    def start(self, *args, **options):
        return super().start(*args, env=self.calls.environment, **options)

    def clear(self) -> None:
        """As if it had never been run."""
        for name in ("results", "cache", ".snakemake"):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def kept(self, items: Counter) -> Counter:
        """How many items no run has to compute any more; of how many there are."""
        found = Counter()
        for job, number in items.items():
            video, stage = job.split("/")
            journals = list(self.result(video, "journal").glob(f"{stage}.*"))
            if self.result(video, MODELS[stage].format(video=video)).exists():
                found[job] = number
            elif journals:
                journal = Journal(journals[0].parent, stage, journals[0].suffixes[0][1:])
                journal.close()
                found[job] = len({json.dumps(record) for record in journal.records})
        return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The undisturbed library; items: how many each journaled job computes."""
    library = Killed(tmp_path_factory.mktemp("whole") / "library")
    library.config["cache"] = False
    for seed, seconds in ((1, 8), (2, 5), (3, 11)):
        make_video(library.videos / f"{seed}.mp4", *random_story(seed, seconds), 320, 180)
    library.run()
    library.items = library.calls.take()
    assert len(library.items) == 6
    assert min(library.items.values()) > 1
    assert sum(library.items.values()) > 50
    return library


def stop_run(process: subprocess.Popen, number: int) -> None:
    """SIGTERM reaches the run alone; a power cut and Ctrl+C reach all its processes."""
    if number == signal.SIGTERM:
        process.send_signal(number)
        process.communicate(timeout=60)
    else:
        kill_group(process, number)


@pytest.mark.parametrize(
    ("number", "cache", "times"),
    [
        (signal.SIGKILL, True, 3),
        (signal.SIGINT, False, 3),
        long(signal.SIGKILL, True, 10),
        long(signal.SIGKILL, False, 10),
        long(signal.SIGTERM, False, 10),
        long(signal.SIGINT, False, 10),
    ],
)
def test_stopped_at_random_moments(whole, tmp_path, number, cache, times):
    """And started again by the same command, without any other."""
    library = Killed(tmp_path / "library", whole)
    if not cache:
        library.config["cache"] = False
    rng = random.Random(int(number) + cache)
    kills, before = 0, Counter()
    while kills < times:
        process = library.start()
        try:
            output, _ = process.communicate(timeout=rng.uniform(0.8, 6))
        except subprocess.TimeoutExpired:
            stop_run(process, number)
            kills += 1
            killed = process.returncode != 0  # else it had just come to its end
        else:
            assert process.returncode == 0, output
            killed = False
        artifact_files.validate(json.loads(library.reel("status", "--json")), "status")
        after = library.kept(whole.items)
        for job, calls in library.calls.take().items():
            # An item is lost with the job that is at work on it, and no other.
            lost = killed and number == signal.SIGKILL
            assert calls <= after[job] - before[job] + lost, (job, kills)
        # Whatever has its final name is whole.
        assert library.published().items() <= whole.artifacts().items()
        before = after
        if not killed:
            assert_whole(library)
            library.clear()
            before = Counter()
    library.run()
    assert library.calls.take() == whole.items - before
    assert_whole(library)
    assert library.plan() == []


def assert_whole(library: Killed) -> None:
    """Byte by byte what an undisturbed run makes, and nothing beside it."""
    assert library.artifacts() == library.whole.artifacts()
    results = library.folder / "results"
    assert not list(results.rglob("*.tmp-*"))
    assert not list(results.glob("*/journal"))


JOBS = {
    "media": ({}, {"media": "media.json"}),
    "speakers": ({"media": "media.json"}, {"speakers": "speakers.json"}),
    "subtitles": (
        {name: f"{name}.json" for name in ("media", "transcript", "speakers")},
        {suffix: f"transcript.{suffix}" for suffix in ("srt", "vtt", "txt", "md")},
    ),
    "keyframes": (
        {"media": "media.json", "scenes": "scenes.json"},
        {"keyframes": "keyframes.json", "folder": "keyframes"},
    ),
    "onscreen": (
        {name: f"{name}.json" for name in ("media", "keyframes")},
        {"onscreen": "onscreen.json"},
    ),
    "scenedesc": (
        {"keyframes": "keyframes.json", "folder": "keyframes", "onscreen": ""},
        {"descriptions": "two.scenedesc.msgpack"},
    ),
    "translations": ({"transcript": "transcript.json"}, {"translations": "translations.json"}),
    "translated_subtitles": (
        {name: f"{name}.json" for name in ("media", "transcript", "translations")},
        {"folder": "translations"},
    ),
    "clips": (
        {name: f"{name}.json" for name in ("media", "transcript", "keyframes", "highlights")},
        {"clips": "clips.json", "folder": "clips"},
    ),
    "trailer": (
        {name: f"{name}.json" for name in ("media", "scenes", "narrative")},
        {
            name: f"trailer.{end}"
            for name, end in (("film", "mp4"), ("otio", "otio"), ("edl", "edl"))
        },
    ),
}
"""Stages of every kind (one file, several, a folder, a journal, programs), with the inputs and
outputs of their rules."""


@pytest.mark.parametrize("stage", [long(stage) if stage == "onscreen" else stage for stage in JOBS])
def test_killed_before_each_step_that_a_disk_sees(complete, tmp_path, stage):
    """Before the n-th rename, flush or start of a program, for every n: nothing has its final name
    that is not whole, and the next job makes the rest."""
    library = complete.copy(tmp_path / "work")
    models = {name: config.get(library.config, name) for name in STAGES[stage].models}
    whole = content_of(library, "two", stage)
    for number in range(1, 100):
        for path in artifact_paths(STAGES[stage], "two"):
            artifact_files.remove(library.result("two", path))
        library.result("two", "jobs", f"{stage}.json").unlink(missing_ok=True)
        ended = run_job(library, "two", stage, *JOBS[stage], kill_at=number, models=models)
        there = content_of(library, "two", stage)
        assert there.items() <= whole.items(), number
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
        assert run_job(library, "two", stage, *JOBS[stage], models=models) == 0
        assert content_of(library, "two", stage) == whole, number
        assert library.record("two", stage)["state"] == "done"
        left = (".*.wav", "*.tmp-*")
        assert not [path for some in left for path in library.result("two").glob(some)]
    assert number > 3
    assert there == whole


KILL_AT_THE_END = """
import os, runpy, signal
plain = runpy.run_path


def run_path(path, *args):
    plain(path, *args)
    if args and path.endswith(("describe_scenes.py", "transcribe.py")):
        os.killpg(os.getpgrp(), signal.SIGKILL)


runpy.run_path = run_path
"""


def test_killed_after_a_job_has_ended_and_before_the_run_took_note(whole, tmp_path):
    """The journal is gone by then, and without a cache nothing but the artifact is left."""
    library = Killed(tmp_path / "library", whole)
    library.config["cache"] = False
    targets = [f"results/2/{name.format(video=2)}" for name in MODELS.values()]
    items = {job: number for job, number in whole.items.items() if job.startswith("2/")}
    calls = Counter()
    for _ in range(3):
        library.calls.also(KILL_AT_THE_END)
        process = library.start(*targets, "--cores", "1")
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        library.calls.also("")
        calls += library.calls.take()
    assert "done" in library.records("state").values()
    library.run(*targets)
    assert calls + library.calls.take() == items
    for target in targets:
        assert (library.folder / target).read_bytes() == (whole.folder / target).read_bytes()
    assert not library.result("2", "journal").exists()
    library.run("-R", "describe_scenes", targets[0])
    assert library.calls.take()["2/scenedesc"] == items["2/scenedesc"]  # forced is forced
