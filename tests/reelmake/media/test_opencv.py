"""What OpenCV's import does to the programs that are started after it."""

import os
import subprocess
import sys

import pytest

from workspace import ROOT

CODE = """
import os, subprocess, sys
sys.path.insert(0, sys.argv[1])
from reelmake.media import ffmpeg, keyframes, scenes
scenes._detector({"detector": "hash", "threshold": None, "min_seconds": 0.5})
print(os.environ.get("LD_LIBRARY_PATH"))
subprocess.run([ffmpeg.binary(), "-version"], check=True, stdout=subprocess.DEVNULL)
"""


@pytest.mark.parametrize("before", [None, "/opt/lib"])
def test_a_library_in_the_folder_of_a_run_is_not_loaded(tmp_path, before):
    (tmp_path / "libm.so.6").write_bytes(b"whatever somebody has put there")
    environment = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    if before:
        environment["LD_LIBRARY_PATH"] = before
    done = subprocess.run(
        [sys.executable, "-c", CODE, ROOT / "scripts"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{before}\n"
