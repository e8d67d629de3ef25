"""Make the virtual environment and install requirements.lock into it.

    python3 tools/install.py .venv

llama-cpp-python is published as source only; it compiles for about five minutes, which is
said, with progress.
"""

import re
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main(folder: Path) -> int:
    """Install; returns the exit status."""
    if sys.version_info < (3, 11):
        print(f"reelmake needs Python 3.11 or newer; this is {sys.version.split()[0]}")
        return 1
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"Making a virtual environment in {folder}", flush=True)
        venv.create(folder, with_pip=True)
    pins = (ROOT / "requirements.lock").read_text().splitlines()
    compiled = [pin for pin in pins if pin.startswith("llama-cpp-python==")]
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install"]
    log = folder / "install.log"
    print(f"Installing {len(pins)} packages; the details are in {log}", flush=True)
    with log.open("w") as file:
        for command, progress in (
            ([*pip, *[pin for pin in pins if pin not in compiled]], False),
            # No dependencies: each is in the lock file, with its version.
            ([*pip, "-v", "--no-deps", *compiled], True),
            ([*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT)], False),
        ):
            if not run(command, file, progress):
                print(f"Failed: {' '.join(command[-2:])}. The end of {log}:")
                print("\n".join(log.read_text(errors="replace").splitlines()[-20:]))
                return 1
    print("Ready.")
    return 0


def run(command: list[str], log, progress: bool) -> bool:
    """Run pip with its output to the log; with `progress`, say how far a build is."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
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
