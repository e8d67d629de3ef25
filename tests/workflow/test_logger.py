"""What a run prints, in a pipe and on a terminal."""

import os
import pty
import re
import subprocess
import sys

import pytest


@pytest.fixture
def library(workspace, finished):
    """A film and a file that is none, never run, with our logger."""
    (workspace.videos / "one.mp4").write_bytes((finished.videos / "one.mp4").read_bytes())
    (workspace.videos / "bad.mp4").write_text("no film")
    workspace.logger = "reelmake"
    workspace.config["stages"] = ["scenes"]
    return workspace


def test_in_a_pipe_a_line_a_video_and_a_line_a_failure(library):
    output = library.run(ok=False)
    lines = output.splitlines()
    (done,) = [line for line in lines if ": done in" in line]
    assert re.fullmatch(r"\d\d:\d\d:\d\d  one: done in \d+ s \(1 of 2\)", done)
    (failed,) = [line for line in lines if "  failed: " in line]
    assert "bad: media:" in failed and "is not a video or audio file" in failed
    assert "reelmake: new: 2 videos (bad, one)" in lines
    assert any(line.startswith("reelmake: 1 video done, 1 failed") for line in lines)
    for noise in ("RuleException", "CalledProcessError", "Select jobs", "jobid", "Error in rule"):
        assert noise not in output
    (log,) = (library.folder / ".snakemake" / "log").glob("*.log")
    assert "Error in rule probe_media" in log.read_text()  # all of it is kept


def test_a_dry_run_is_a_short_table_and_every_job_is_one_option_away(library):
    output = library.run("-n")
    assert re.search(r"^media +2  not made yet$", output, re.M)
    assert "Job stats" not in output and "jobid" not in output
    assert not (library.folder / "results").exists()
    assert "one: detecting scenes" in library.run("-n", "--verbose")
    library.logger = "default"
    assert "one: detecting scenes" in library.run("-n")


def test_the_library_is_that_of_the_snakefile():
    """Snakemake loads every plugin before it reads the Snakefile, which says whose library it is:
    one of another checkout may be installed."""
    code = "import sys, snakemake_logger_plugin_reelmake; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not any(name.split(".")[0] == "reelmake" for name in done.stdout.split())


def test_quiet_is_quiet(library):
    output = library.run("--quiet", "all", ok=False)
    assert "done in" not in output


def test_what_is_wrong_with_the_command_is_said_whole(library):
    output = library.run("nonsense", ok=False)
    assert "MissingRuleException" in output and "nonsense" in output
    output = library.run("--config", "scenes={nonsense: 1}", ok=False)
    assert "reelmake: config: there is no setting 'scenes.nonsense'" in output


def test_nothing_to_do(finished, tmp_path):
    library = finished.copy(tmp_path / "work")
    library.logger = "reelmake"
    lines = library.run().splitlines()
    assert [line for line in lines if "profile" not in line] == [
        "Nothing to be done (all requested files are present and up to date)."
    ]


def test_on_a_terminal_a_block_shows_what_is_at_work_and_leaves_no_trace(library):
    ours, theirs = pty.openpty()
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(
        library.command(), cwd=library.folder, env=environment, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    output = b""
    while True:
        try:
            output += os.read(ours, 10000)
        except OSError:
            break
    process.wait(timeout=60)
    os.close(ours)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output.decode())
    assert "of 2 videos" in shown and "so far" in shown
    assert re.search(r"one: done in \d+ s", shown)
    # A job's own line would tear the block: the failure is said once, and by the logger.
    assert shown.count("reelmake: bad: media:") == 0
    assert "Traceback" not in shown
    assert "reelmake:   the failed ones again" in shown
    assert output.rstrip().endswith(b"\x1b[2K")  # nothing of the block stays
