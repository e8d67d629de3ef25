"""Libraries in pip's packages are found by their names once they are loaded."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import ctypes, sys
from reelmake.models import cuda_libraries
def opens(name):
    try:
        return bool(ctypes.CDLL(name))
    except OSError:
        return False
names = ("libcublas.so.12", "libcudnn_ops.so.9")
print([opens(name) for name in names])
print(sorted(path.name for path in cuda_libraries.load()))
print([opens(name) for name in names])
"""


def test_a_library_in_a_package_is_opened_by_its_name(tmp_path):
    """A library of ours under NVIDIA's names, whose own are half a gigabyte; one is broken."""
    for name in ("cublas/lib/libcublas.so.12", "cudnn/lib/libcudnn_ops.so.9"):
        path = tmp_path / "nvidia" / name
        path.parent.mkdir(parents=True)
        command = ["g++", "-shared", "-x", "c++", os.devnull, f"-Wl,-soname,{path.name}"]
        subprocess.run([*command, "-o", str(path)], check=True)
    (tmp_path / "nvidia" / "cudnn" / "lib" / "libcudnn.so.9").write_bytes(b"broken")
    path = os.pathsep.join([str(tmp_path), str(ROOT / "scripts")])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "[False, False]",
        "['libcublas.so.12', 'libcudnn_ops.so.9']",
        "[True, True]",
    ]


def test_where_there_are_none_nothing_is_loaded(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | {"PYTHONPATH": str(ROOT / "scripts")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[1] == "[]"
