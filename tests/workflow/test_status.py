"""`reel status`, `reel plan` and a run's summary say what real runs do."""

import json
import re
import shutil
import signal
import time

import pytest

import make_media
from faults import long
from make_video import make_video, random_story
from reelmake.foundation import artifact_files
from reelmake.library.stages import STAGES
from workspace import Workspace, snapshot

RULES = {stage.rule: stage.name for stage in STAGES.values()}


def status(library: Workspace, *args: str) -> dict:
    """What `reel status --json` says, which is always as its schema says."""
    found = json.loads(library.reel("status", "--json", *args))
    artifact_files.validate(found, "status_video" if args else "status")
    return found


def jobs_of(found: dict) -> dict[str, int]:
    """How many jobs of each stage `reel plan` expects."""
    return {stage: row["jobs"] for stage, row in found["stages"].items()}


def dry_run(library: Workspace, *args: str) -> dict[str, int]:
    """The same by Snakemake's own dry run."""
    counted = (job.partition(" x") for job in library.plan(*args))
    return {RULES[rule]: int(count or 1) for rule, _, count in counted}


def plan(library: Workspace, *args: str) -> dict:
    """What `reel plan --json` says; it agrees with Snakemake and leaves everything as it was."""
    before = snapshot(library.folder / "results")
    said = library.reel("plan", "--json", *args)
    assert snapshot(library.folder / "results") == before
    found = json.loads(said[said.index("{") :])
    assert jobs_of(found) == dry_run(library, *args)
    return found


def test_a_run_is_followed_from_beginning_to_end(workspace):
    make_video(workspace.videos / "one.mp4", *random_story(3, 8), 320, 180)
    (workspace.videos / "bad.mp4").write_text("no film")
    workspace.config["keyframes"] = {"per_scene": 30, "strategy": "first"}
    assert status(workspace)["videos"]["total"] == 0
    process = workspace.start()
    seen = []
    try:
        while process.poll() is None:
            seen.append(status(workspace))
            time.sleep(0.1)
    finally:
        output, _ = process.communicate(timeout=100)
    assert process.returncode == 1
    states = [found["videos"] for found in seen]
    assert any(found["running"] for found in states)
    assert all(found["total"] <= 2 for found in states)
    working = [job for found in seen for job in found["running"] if job["stage"] == "scenedesc"]
    assert any(job["items"] and 0 < job["items"]["done"] < job["items"]["total"] for job in working)
    assert any(found["run"] and found["run"]["pid"] == process.pid for found in seen)
    described = [found["descriptions"] for found in seen]
    assert described == sorted(described)

    found = status(workspace)
    assert (found["videos"]["done"], found["videos"]["failed"]) == (1, 1)
    assert found["run"] is found["rate"] is None
    frames = len(workspace.json("one", "keyframes.json")["keyframes"])
    assert (found["frames"], found["descriptions"]) == (frames, frames)
    assert found["segments"] == len(workspace.json("one", "transcript.json")["segments"])
    assert found["media_seconds"] == workspace.json("one", "media.json")["duration"]
    artifacts = workspace.json("one", "manifest.json")["stages"].values()
    sizes = [file["size"] for stage in artifacts for file in stage["artifacts"]]
    assert found["bytes"] == sum(sizes)
    (failed,) = found["failed"]
    assert failed["error"]["class"] == "input"
    assert "bad.mp4" in failed["error"]["message"]
    assert failed["error"]["message"] in output
    assert list(status(workspace, "--video", "one")["stages"]) == workspace.stages
    assert status(workspace, "--video", "bad")["stages"]["media"]["state"] == "failed"
    assert "1 of 2 videos done" in workspace.reel("status")

    said = [line for line in output.splitlines() if line.startswith("reelmake: ")]
    assert "reelmake: 1 video done, 1 failed; 8 jobs in " in output
    assert f"failed (input): {failed['error']['message']}" in output
    assert said[-1].startswith("reelmake:   the failed ones again: snakemake --snakefile ")
    assert said[-1].endswith("--config failed=only")

    # The totals in the last job's record are what a scan of all of them says.
    record = workspace.record("one", "manifest")
    del record["totals"]
    path = workspace.result("one", "jobs", "manifest.json")
    path.write_text(json.dumps(record))
    ignored = {"now": None}
    assert status(workspace) | ignored == found | ignored


def test_a_run_that_was_killed(workspace):
    for name in ("one", "two"):
        make_video(workspace.videos / f"{name}.mp4", *random_story(len(name), 8), 320, 180)
    workspace.config["keyframes"] = {"per_scene": 30, "strategy": "first"}
    workspace.config["cache"] = False
    process = workspace.start()
    try:
        while True:
            working = [job for job in status(workspace)["running"] if job["stage"] == "scenedesc"]
            if any(job["items"] and job["items"]["done"] for job in working):
                break
            workspace.goes_on(process)
    finally:
        workspace.kill(process)
    found = status(workspace)
    assert found["run"] is None
    assert found["running"] == []
    assert found["videos"]["killed"] >= 1
    assert any(job["stage"] == "scenedesc" for job in found["killed"])
    assert found["eta"]["p50"] > 0
    planned = plan(workspace)
    assert planned["stages"]["scenedesc"]["items"] > 0
    output = workspace.run()
    assert "reelmake: 2 videos done; " in output
    assert status(workspace)["videos"]["done"] == 2


def test_a_run_that_is_stopped_sums_up(workspace):
    make_video(workspace.videos / "one.mp4", *random_story(3, 8), 320, 180)
    workspace.config["keyframes"] = {"per_scene": 30, "strategy": "first"}
    process = workspace.start()
    while not workspace.result("one", "jobs", "scenedesc.json").exists():
        workspace.goes_on(process)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert "reelmake: 0 videos done, 1 stopped; " in output
    assert re.search(r"stopped: \d jobs? \(one\); the same command goes on with them", output)
    assert status(workspace)["killed"][0]["stage"] == "scenedesc"


def one_more(library: Workspace) -> tuple[str, ...]:
    make_video(library.videos / "three.mp4", *random_story(5, 4), 320, 180)
    return ()


def delete_keyframes(library: Workspace) -> tuple[str, ...]:
    shutil.rmtree(library.result("one", "keyframes"))
    return ()


def replace_source(library: Workspace) -> tuple[str, ...]:
    shutil.copy(library.videos / "two.mp4", library.videos / "one.mp4")
    return ()


def delete_results(library: Workspace) -> tuple[str, ...]:
    shutil.rmtree(library.folder / "results")
    (library.folder / "results").mkdir()
    return ()


@pytest.mark.parametrize(
    "change",
    [
        long(lambda library: ()),
        lambda library: ("--config", "scenes={threshold: 7}"),
        long(lambda library: ("--config", "transcription={beam_size: 2}")),
        one_more,
        long(delete_keyframes),
        long(replace_source),
        delete_results,
    ],
    ids=["nothing", "scenes", "transcript", "new", "deleted", "replaced", "empty"],
)
def test_the_plan_is_what_a_dry_run_says(finished, tmp_path, change):
    library = finished.copy(tmp_path / "work")
    library.config["cache"] = {"dir": "cache"}
    library.videos = tmp_path / "films"
    shutil.copytree(finished.videos, library.videos)
    library.config["videos"] = str(library.videos)
    shutil.rmtree(library.folder / "results")
    library.run()  # the films lie elsewhere: restored from the cache
    args = change(library)
    found = plan(library, *args)
    said = library.reel("plan", *args)
    if not found["stages"]:
        assert "nothing to do: 2 videos" in said
        return
    assert f"{found['videos']['to_do']} of {found['videos']['total']} videos to do" in said
    assert "free" in said
    if change is delete_results:
        assert found["time"] is None
        assert "nobody has looked into 2 videos yet" in said
        assert "no history yet" in said
    else:
        assert found["time"]["p50"] > 0
        assert found["disk"]["needed"] > 0
    assert found["videos"]["guessed"] == (change in (one_more, replace_source))


def test_the_plan_after_failures(workspace):
    make_video(workspace.videos / "one.mp4", *random_story(3, 4), 320, 180)
    (workspace.videos / "bad.mp4").write_text("no film")
    whole = make_media.FILMS["cfr.mp4"](workspace.folder / "cfr.mp4").read_bytes()
    (workspace.videos / "half.mp4").write_bytes(whole[: len(whole) // 2])
    workspace.run(ok=False)
    assert jobs_of(plan(workspace))["media"] == 2
    found = plan(workspace, "--config", "failed=skip")
    assert found["stages"] == {}
    assert jobs_of(plan(workspace, "--config", "failed=only"))["media"] == 2
    assert "left out" in workspace.reel("plan", "--config", "failed=skip")


def test_a_dry_run_and_jobs_sum_nothing_up(finished):
    output = finished.run("-n", "-F")
    assert "videos done" not in output
    assert "reelmake: " not in finished.run()
