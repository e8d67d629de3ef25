"""One video's failure is its own, is told apart, and can be taken up again."""

import os
import shutil

import pytest

import make_media
from faults import EngineCalls
from make_video import make_video, random_story


def failures(library) -> dict[str, str]:
    """The class of each failed job, by "video/stage"."""
    states, classes = library.records("state"), library.records("class")
    return {name: classes[name] for name in states if states[name] == "failed"}


GOOD = 3


@pytest.fixture
def library(workspace):
    """Six videos, three of them broken in different ways."""
    for number in range(GOOD):
        film = workspace.videos / f"good{number}.mp4"
        make_video(film, *random_story(seed=20 + number, seconds=2), 160, 90)
    (workspace.videos / "empty.mp4").touch()
    (workspace.videos / "text.mp4").write_text("This is no film.\n" * 100)
    whole = make_media.FILMS["cfr.mp4"](workspace.folder / "cfr.mp4").read_bytes()
    (workspace.videos / "half.mp4").write_bytes(whole[: len(whole) // 2])
    return workspace


def test_three_of_six_are_broken(library):
    output = library.run(ok=False)
    broken = {"empty", "text", "half"}
    finished = {path.parent.name for path in library.folder.glob("results/*/manifest.json")}
    assert finished == {f"good{number}" for number in range(GOOD)}
    assert failures(library) == {f"{name}/media": "input" for name in broken}
    for name in broken:
        record = library.record(name, "media")
        assert record["error"] in output
        assert f"{name}.mp4" in record["error"]
        assert (library.folder / record["log"]).is_file()
        assert record["attempt"] == 1  # a broken file stays broken

    # Left alone until they change; then taken.
    before = library.records("started")
    output = library.run("--config", "failed=skip")
    assert "failed=skip: 3 videos (empty, half, text), which failed before, left out" in output
    assert library.records("started") == before

    # Just those.
    make_video(library.videos / "late.mp4", *random_story(seed=40, seconds=2), 160, 90)
    output = library.run("--config", "failed=only", ok=False)
    assert "failed=only: 1 video (late), which did not fail before, left out" in output
    after = library.records("started")
    assert {name for name in after if after[name] != before.get(name)} == {
        f"{name}/media" for name in broken
    }
    assert not library.result("late").exists()

    for name in broken:
        shutil.copy(library.videos / "good0.mp4", library.videos / f"{name}.mp4")
    library.run("--config", "failed=skip")  # they are other files now
    assert failures(library) == {}
    assert len(list(library.folder.glob("results/*/manifest.json"))) == GOOD + len(broken) + 1
    assert library.plan() == []


FLAKY = """
import sys
if any("script_server" in word for word in sys.orig_argv):
    import faster_whisper

    plain = faster_whisper.BatchedInferencePipeline.transcribe

    def short_of_memory(*args, **options):
        with open({calls!r}, "a") as file:
            print(options["batch_size"], file=file)
        if len(open({calls!r}).read().splitlines()) <= {fails}:
            raise RuntimeError("CUDA failed with error out of memory")
        return plain(*args, **options)

    faster_whisper.BatchedInferencePipeline.transcribe = short_of_memory
"""
"""A double for the one fault that the real engine won't produce here: a full GPU."""


def one_video(library) -> None:
    make_video(library.videos / "one.mp4", *random_story(seed=3, seconds=2), 160, 90)


@pytest.mark.parametrize("fails", [2, 9])
def test_too_little_memory_is_tried_again_with_smaller_batches(workspace, tmp_path, fails):
    make_video(workspace.videos / "one.mp4", *random_story(seed=3, seconds=5), 160, 90)
    workspace.config["transcription"]["batch_size"] = 8
    (tmp_path / "sitecustomize.py").write_text(
        FLAKY.format(calls=str(tmp_path / "calls"), fails=fails)
    )
    workspace.run(env={"PYTHONPATH": str(tmp_path)}, ok=fails == 2)
    record = workspace.record("one", "transcript")
    assert record["attempt"] == 3
    assert "out of memory" in record["retried"]
    assert (tmp_path / "calls").read_text().split() == ["8", "4", "2"]
    if fails == 2:
        assert record["state"] == "done"
    else:
        assert (record["state"], record["class"]) == ("failed", "resources")


def test_a_disk_that_is_almost_full_stops_the_run(workspace):
    for number in range(4):
        make_video(workspace.videos / f"{number}.mp4", *random_story(number, seconds=2), 160, 90)
    free = shutil.disk_usage(workspace.folder).free
    output = workspace.run("--config", f"min_free={(free + 10**12) // 10**9} GB", ok=False)
    assert output.count("reelmake: the run stops: only ") == 1
    assert "free some space, then run again" in output
    assert not list(workspace.folder.glob("results/*/media.json"))
    # The other of two jobs at once may be stopped before it has looked at the disk.
    assert {"resources"} <= set(failures(workspace).values()) <= {"resources", "killed"}
    workspace.run()
    assert workspace.plan() == []


def test_a_failure_leaves_no_other_video_waiting(workspace):
    """Unreadable in the middle of the chain: its own stages stop, and nobody else's."""
    one_video(workspace)
    # Another film, not a copy: of a copy the cache would give the first film's stages.
    make_video(workspace.videos / "two.mp4", *random_story(seed=4, seconds=3), 160, 90)
    workspace.run("results/one/media.json", "results/two/media.json")
    stat = os.stat(workspace.videos / "one.mp4")
    (workspace.videos / "one.mp4").write_bytes(b"\0" * stat.st_size)
    os.utime(workspace.videos / "one.mp4", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    workspace.run(ok=False)
    assert workspace.result("two", "manifest.json").exists()
    assert set(failures(workspace)) <= {"one/audio", "one/scenes"}


CRASH = """
import ctypes, runpy
plain = runpy.run_path


def run_path(path, *args):
    if args and path.endswith("transcribe.py"):
        from reelmake.models import transcription

        transcription.transcribe = lambda *given, **named: ctypes.string_at(0)
    return plain(path, *args)


runpy.run_path = run_path
"""


def test_an_engine_that_crashes_is_a_failure_with_a_reason(workspace, tmp_path):
    """And no stop: the same command would not go on with it."""
    calls = EngineCalls(tmp_path / "calls")
    make_video(workspace.videos / "one.mp4", *random_story(seed=3, seconds=2), 160, 90)
    calls.also(CRASH)
    output = workspace.run("transcripts", ok=False, env=calls.environment)
    said = "one: transcript: faster-whisper ended its process (SIGSEGV); the log"
    assert f"reelmake: {said}" in output
    assert "1 failed" in output and "stopped" not in output
    record = workspace.record("one", "transcript")
    assert (record["state"], record["class"]) == ("failed", "engine")
    assert not workspace.result("one", "transcript.json").exists()
    calls.also("")
    workspace.run("transcripts", "--config", "failed=only", env=calls.environment)
    assert workspace.record("one", "transcript")["state"] == "done"
