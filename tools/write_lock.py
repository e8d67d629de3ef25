"""Write the versions that are installed to requirements.lock, and those that a rule's conda
environment needs to envs/*.yaml.

    make lock
"""

import subprocess
import sys
from pathlib import Path

import install

ROOT = Path(__file__).resolve().parents[1]

EVERY = ("fsspec", "jsonschema-rs", "langcodes", "numpy")
FFMPEG = ("ffmpeg-python", "imageio-ffmpeg")

ENVIRONMENTS = {
    "media": (
        *(*EVERY, *FFMPEG, "av", "msgpack", "numpy", "opentimelineio", "otio-cmx3600-adapter"),
        *("budoux", "pysubs2", "requests", "yt-dlp"),
    ),
    "speech": (
        *EVERY,
        *FFMPEG,
        "budoux",
        "faster-whisper",
        "ctranslate2",
        "msgpack",
        "onnxruntime",
        "openai",
        "language-data",
        "pysubs2",
        "scipy",
        "sherpa-onnx",
        "sherpa-onnx-core",
    ),
    "pictures": (
        *(*EVERY, *FFMPEG, "av", "msgpack", "onnxruntime", "opencv-python-headless"),
        *("rapidfuzz", "rapidocr", "scenedetect-headless"),
    ),
    "search": (
        *(*EVERY, "huggingface-hub", "language-data", "msgpack", "onnxruntime", "pillow"),
        "tokenizers",
    ),
    "vision": (*EVERY, "huggingface-hub", "language-data", "llama-cpp-python", "msgpack", "openai"),
}
"""What the scripts of each conda environment import."""

OPTIONS = {
    "llama-cpp-python": "".join(
        f" --config-settings=cmake.define.CMAKE_{language}_FLAGS={install.WITHOUT_AMX}"
        for language in ("C", "CXX")
    )
}
"""What pip is told of those that are compiled, as tools/install.py does."""


def pins(lock: str) -> dict[str, str]:
    """name -> version of each line `name==version`."""
    return dict(line.split("==") for line in lock.splitlines())


def environment(names: tuple[str, ...], pinned: dict[str, str]) -> str:
    """A conda environment file with these distributions, from PyPI, at their pins."""
    lines = [f"      - {name}=={pinned[name]}{OPTIONS.get(name, '')}" for name in names]
    return "\n".join(
        [
            "# Written by `make lock` from requirements.lock.",
            "channels:",
            "  - conda-forge",
            "dependencies:",
            "  - python=3.11",
            "  - pip",
            *(["  - cxx-compiler", "  - make"] if "llama-cpp-python" in names else []),
            "  - pip:",
            *lines,
            "",
        ]
    )


def main() -> None:
    """Write both."""
    command = [sys.executable, "-m", "pip", "freeze", "--all", "--exclude-editable"]
    frozen = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    kept = [line.split("==") for line in frozen.splitlines() if "==" in line]
    lines = sorted(f"{name.lower().replace('_', '-')}=={version}" for name, version in kept)
    lock = "".join(f"{line}\n" for line in lines if not line.startswith("pip=="))
    (ROOT / "requirements.lock").write_text(lock)
    for name, names in ENVIRONMENTS.items():
        (ROOT / "envs" / f"{name}.yaml").write_text(environment(names, pins(lock)))


if __name__ == "__main__":
    main()
