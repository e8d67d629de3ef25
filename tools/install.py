"""Make the virtual environment and install requirements.lock into it.

    python3 tools/install.py .venv

llama-cpp-python is published as source only; it compiles for about five minutes, which is
said, with progress. GPU=cuda, vulkan, rocm, metal or none says for which GPU; otherwise for
NVIDIA's where there are one and its compiler. CMAKE_ARGS is taken as given, too.
"""

import contextlib
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CMAKE = {
    "cuda": "-DGGML_CUDA=on",
    "vulkan": "-DGGML_VULKAN=on",
    "rocm": "-DGGML_HIP=on",
    "metal": "-DGGML_METAL=on",
    "none": "",
}
"""llama.cpp's options for each kind of GPU."""
WITHOUT_AMX = "-U__AMX_INT8__"
"""For the compilers of llama.cpp: on processors with AMX, GCC optimizes the set-up of its code for
them away, and each quantized model ends the process (SIGILL). Without the macro that code is left
out. To be removed with a version that has https://github.com/ggml-org/llama.cpp/pull/26954."""
NVIDIA = ("nvidia-cublas-cu12>=12,<13", "nvidia-cudnn-cu12>=9,<10")
"""What CTranslate2 needs for an NVIDIA GPU; `models/cuda_libraries.py` finds them."""
NVCC = Path("/usr/local/cuda/bin/nvcc")
"""Where NVIDIA's own packages put the compiler, which is not on the PATH then."""


def main(folder: Path) -> int:
    """Install; returns the exit status."""
    if sys.version_info < (3, 11):
        print(f"reelmake needs Python 3.11 or newer; this is {sys.version.split()[0]}")
        return 1
    given = os.environ.get("GPU")
    kind = given or found_gpu()
    for_nvidia = kind == "cuda" or (not given and has_nvidia())
    if kind not in CMAKE:
        print(f"GPU={kind}: there is no such kind; it is one of {', '.join(CMAKE)}")
        return 1
    environment = dict(os.environ)
    environment["CMAKE_ARGS"] = f"{CMAKE[kind]} {environment.get('CMAKE_ARGS', '')}".strip()
    for flags in ("CFLAGS", "CXXFLAGS"):
        environment[flags] = f"{environment.get(flags, '')} {WITHOUT_AMX}".strip()
    if kind == "cuda" and not shutil.which("nvcc"):
        environment["PATH"] = f"{environment['PATH']}{os.pathsep}{NVCC.parent}"
    if kind != "none":
        print(f"For a GPU ({kind}); GPU=none compiles for the CPU alone", flush=True)
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"Making a virtual environment in {folder}", flush=True)
        venv.create(folder, with_pip=True)
    pins = (ROOT / "requirements.lock").read_text().splitlines()
    compiled = [pin for pin in pins if pin.startswith("llama-cpp-python==")]
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install"]
    kind_of_build, made_for = build_kind(environment), folder / "llama.cpp.kind"
    was = made_for.read_text() if made_for.exists() else ""
    again = ["--force-reinstall"] if was != kind_of_build else []
    own_cache = cache_of(pip[:-1], kind_of_build)
    cluster = (ROOT / "requirements-cluster.lock").read_text().splitlines()
    log = folder / "install.log"
    print(f"Installing {len(pins)} packages; the details are in {log}", flush=True)
    with log.open("w") as file:
        for command, progress in (
            ([*pip, *[pin for pin in pins if pin not in compiled]], False),
            *([([*pip, *NVIDIA], False)] if for_nvidia else []),
            # No dependencies: each is in the lock file, with its version.
            ([*pip, "-v", "--no-deps", *again, *own_cache, *compiled], True),
            ([*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT)], False),
            # Snakemake imports each executor that it finds, and this one pandas: for tests alone.
            (
                [*pip, "--no-deps", "--upgrade", "--target", str(folder / "cluster"), *cluster],
                False,
            ),
        ):
            if not run(command, file, progress, environment):
                print(f"Failed: {' '.join(command[-2:])}. The end of {log}:")
                print("\n".join(log.read_text(errors="replace").splitlines()[-20:]))
                return 1
    made_for.write_text(kind_of_build)
    print("Ready.")
    return 0


def build_kind(environment: dict[str, str]) -> str:
    """One text for what llama.cpp is compiled for: this processor, and the options."""
    processor = platform.processor()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    options = [environment.get(name, "") for name in ("CMAKE_ARGS", "CFLAGS", "CXXFLAGS")]
    return hashlib.sha256("\n".join([processor, *options]).encode()).hexdigest()[:16]


def cache_of(pip: list[str], kind: str) -> list[str]:
    """pip's options for a cache of its own for a kind of build: by itself, pip takes what was
    compiled for another processor, or with other options. None where it keeps no cache."""
    asked = subprocess.run([*pip, "cache", "dir"], capture_output=True, text=True, check=False)
    found = asked.stdout.strip()
    return ["--cache-dir", f"{found}/reelmake/{kind}"] if found and not asked.returncode else []


def found_gpu() -> str:
    """The kind of GPU to compile for: NVIDIA's, if this machine has one and can."""
    if not has_nvidia():
        return "none"
    if shutil.which("nvcc") or NVCC.exists():
        return "cuda"
    print(
        "There is an NVIDIA GPU, but no nvcc to compile llama.cpp for it: pictures and texts will\n"
        "be the CPU's. Install the CUDA toolkit 12, remove .venv, and run this again.",
        flush=True,
    )
    return "none"


def has_nvidia() -> bool:
    """Whether this machine has an NVIDIA GPU, and its driver."""
    return any(Path("/dev").glob("nvidia[0-9]*"))


def run(command: list[str], log, progress: bool, environment: dict[str, str]) -> bool:
    """Run pip with its output to the log; with `progress`, say how far a build is."""
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment,
    )
    assert process.stdout
    said = -1
    for line in process.stdout:
        log.write(line)
        log.flush()
        found = re.search(r"\[(\d+)/(\d+)\]", line)
        if progress and found:
            percent = 100 * int(found[1]) // int(found[2])
            if percent // 5 != said // 5:
                if said < 0:
                    print("Compiling llama.cpp, about 5 minutes on 2 cores, once:", end="")
                print(f" {percent}%", end="", flush=True)
                said = percent
    if said >= 0:
        print(flush=True)
    return process.wait() == 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1])))
