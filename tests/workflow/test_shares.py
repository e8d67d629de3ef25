"""A run over more videos than a share has: what a run of all does, in runs over some each."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from reelmake.jobs import shares, signals
from reelmake.library import scene_descriptions
from workspace import wait_for


@pytest.fixture
def library(workspace, finished):
    """An empty library of the videos of the finished one, one a share."""
    for name in ("one.mp4", "two.mp4"):
        shutil.copy2(finished.videos / name, workspace.videos)
    workspace.config["share"] = {"films": 1}
    workspace.logger = "reelmake"
    return workspace


def made(library) -> dict[str, object]:
    """The content of every artifact of the two films, less the path of the film."""
    for folder in library.folder.glob("results/[!ot]*"):
        shutil.rmtree(folder)
    found = library.artifacts()
    for name in found:
        if name.endswith(".msgpack"):
            found[name] = scene_descriptions.read(library.folder / "results" / Path(name).parent)
            found[name] = found[name]["results"]
    return found


def spoil(library, *names: str) -> None:
    """Add files that are no films."""
    for name in names:
        (library.videos / name).write_text("no film")


def table(output: str) -> list[str]:
    """The rows of a dry run's table."""
    return re.findall(r"^(?:\w+ +\d+  .*|in all .*)$", output, re.M)


def runs_over_shares(library) -> list[psutil.Process]:
    """The runs over shares of the library that live."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if shares.VARIABLE in process.environ() and process.cwd() == str(library.folder):
                found.append(process)
    return found


def test_shares_make_what_one_run_makes_and_are_shown_as_one(library, finished):
    spoil(library, "bad 'x' 🎬.mp4")
    output = library.run(ok=False)
    assert made(library) == made(finished)
    assert "in 3 shares of up to 1 (share.films)" in output
    done = sorted(re.findall(r"(\w+): done in .* \((\d) of 3\)", output))
    assert [name for name, _ in done] == ["one", "two"]
    assert len(re.findall(r"  failed: bad.*: media: .*is not a video or audio file", output)) == 1
    assert re.search(r"^reelmake: 2 videos done, 1 failed; \d+ jobs in", output, re.M)
    assert len(re.findall("new: 3 videos", output)) == 1
    for noise in ("run_share", "share 1", "Traceback"):
        assert noise not in output
    # What is left is one video: a run of all, as ever.
    again = library.run(ok=False)
    assert "shares of" not in again and "is not a video or audio file" in again


def test_a_dry_run_says_what_the_whole_would_do_and_changes_nothing(library, finished):
    def there():
        ours = library.folder.glob(".snakemake/reelmake*")
        return sorted([*ours, *library.folder.glob("results/**/*")])

    def both(*args):
        before = there()
        found = table(library.run("-n", *args))
        assert there() == before
        library.config["share"]["films"] = None
        assert table(library.run("-n", *args)) == found
        library.config["share"]["films"] = 1
        return found

    assert len(both()) == len(library.stages) + 1
    assert len(both("scenes")) == 4
    library.run()
    assert table(library.run("-n")) == []
    assert len(both("-F")) == len(library.stages) + 1
    assert both("-R", "extract_keyframes")
    library.config["keyframes"] = {"quality": 50}
    assert "keyframes          2  changed" in both()
    library.config["keyframes"] = {}
    library.run()
    for video in ("one", "two"):
        library.result(video, "scenes.json").unlink()
    found = library.run("-n")
    library.config["share"]["films"] = None
    # Of two reasons that a job has, either may be named.
    assert [row.split()[:2] for row in table(library.run("-n"))] == [
        row.split()[:2] for row in table(found)
    ]


def test_options_mean_what_they_mean(library, finished):
    library.run("scenes")
    assert not library.result("one", "transcript.json").exists()
    assert library.result("two", "keyframes.json").exists()
    library.run()
    assert made(library) == made(finished)
    before = library.records("started")
    library.run("-R", "extract_keyframes")
    after = library.records("started")
    again = {job.split("/")[1] for job in after if after[job] != before[job]}
    assert again == {"keyframes", "scenedesc", "manifest"}
    for video in ("one", "two"):
        assert library.record(video, "keyframes").get("cache") != "hit"
    spoil(library, "bad.mp4", "worse.mp4")
    library.run(ok=False)
    library.run("--config", "failed=skip")
    output = library.run("--config", "failed=only", ok=False)
    assert "in 2 shares" in output and "2 failed" in output


def test_it_may_be_started_from_elsewhere(library, finished, tmp_path):
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    command = library.command("--directory", os.path.relpath(library.folder, elsewhere))
    command[command.index("test.yaml")] = os.path.relpath(library.folder / "test.yaml", elsewhere)
    done = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert made(library) == made(finished)
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_goes_down_to_the_run_over_a_share(library, finished, number):
    library.config["keyframes"] = {"per_scene": 8, "strategy": "first"}
    process = library.start()
    wait_for(lambda: list(library.folder.glob("results/*/jobs/scenes.json")))
    os.kill(process.pid, number)
    output, _ = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "stopping after the items in work" in output and "Traceback" not in output
    assert runs_over_shares(library) == []
    assert len(list(library.folder.glob("results/*/jobs"))) == 1
    states = library.records("state")
    assert set(states.values()) <= {"done", "failed"}
    assert not any(job.endswith("/manifest") for job in states)  # the share is not at its end
    del library.config["keyframes"]
    library.run()
    assert made(library) == made(finished)


def test_the_second_stop_does_not_wait(library):
    library.config["keyframes"] = {"per_scene": 8, "strategy": "first"}
    process = library.start()
    wait_for(lambda: list(library.folder.glob("results/*/jobs/scenes.json")))
    os.kill(process.pid, signal.SIGTERM)
    time.sleep(signals.TOGETHER + 0.2)
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert runs_over_shares(library) == []


def test_a_killed_run_leaves_no_run_over_a_share_behind(library, finished):
    process = library.start()
    wait_for(lambda: list(library.folder.glob("results/*/jobs/media.json")))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    wait_for(lambda: not runs_over_shares(library))
    assert len(list(library.folder.glob("results/*/jobs"))) == 1
    library.run()
    assert made(library) == made(finished)


def test_a_killed_run_over_a_share_is_said(library):
    process = library.start()
    wait_for(lambda: list(library.folder.glob("results/*/jobs/media.json")))
    of_share = [each for each in runs_over_shares(library) if "--nolock" in each.cmdline()]
    of_share[0].kill()
    output, _ = process.communicate(timeout=120)
    assert process.returncode != 0
    assert re.search(r"share \d ended", output) and "Traceback" not in output
    assert re.search(r"(one|two): done in", output)
    wait_for(lambda: not runs_over_shares(library))
    library.run()


def test_until_has_one_graph(library):
    output = library.run("--until", "probe_media")
    assert "shares of" not in output
    for video in ("one", "two"):
        assert library.result(video, "media.json").exists()
        assert not library.result(video, "scenes.json").exists()


def test_what_is_printed_changes_nothing(library):
    library.config["stages"] = ["scenes"]
    spoil(library, "bad.mp4")
    library.logger = "default"
    output = library.run("--verbose", ok=False)
    assert "Error in rule run_share" not in output
    assert len(list(library.folder.glob(".snakemake/reelmake.shares/*/*.done"))) == 3


def test_artifacts_that_are_there_keep_their_times(library):
    library.run("scenes")
    os.utime(library.folder / ".snakemake" / "reelmake.jobs.lock", (1, 1))
    scenes = library.result("one", "scenes.json")
    before = os.stat(scenes).st_mtime_ns
    library.run()
    assert os.stat(scenes).st_mtime_ns == before
