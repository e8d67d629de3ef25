"""Faults that tests inject, and what they count of the engines' work."""

import collections
import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet


def long(*values: object) -> ParameterSet:
    """Parameters of a test that only `make test-long` tries: others of their kind are quick."""
    return pytest.param(*values, marks=pytest.mark.long)


PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2

DAMAGES = {
    "a flipped bit": lambda content: (
        content[: len(content) // 2]
        + bytes([content[len(content) // 2] ^ 0x40])
        + content[len(content) // 2 + 1 :]
    ),
    "cut off": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
}
"""What a disk does to a file: its content -> what is there afterwards."""

COUNTER = """
import sys


def count(owner, name, rule, stage):
    plain = getattr(owner, name)

    def counted(*args, **options):
        job = sys.modules["__main__"].snakemake
        if job.rule == rule:
            with open({calls!r}, "a") as file:
                file.write(job.wildcards.video + "/" + stage + "\\n")
        return plain(*args, **options)

    setattr(owner, name, counted)


if any("script_server" in word for word in sys.orig_argv):
    import faster_whisper
    import llama_cpp

    count(llama_cpp.Llama, "create_chat_completion", "describe_scenes", "scenedesc")

    load = faster_whisper.WhisperModel.__init__

    def loaded(*args, **options):
        # Only now the library can be imported; the model is loaded before the first chunk.
        from reelmake.models import hearing

        count(hearing.Hearing, "chunk", "transcribe", "transcript")
        return load(*args, **options)

    faster_whisper.WhisperModel.__init__ = loaded
"""
"""Python runs it when it starts: it counts what the real engines are asked."""


class EngineCalls:
    """How often a run's models are asked: once a keyframe, once a chunk of sound.

    environment: the run's, which counts. folder: an empty one for its files.
    """

    def __init__(self, folder: Path):
        folder.mkdir()
        self._file = folder / "calls"
        self.environment = {"PYTHONPATH": str(folder)}
        self.also("")

    def also(self, code: str) -> None:
        """What every Python of the run does when it starts, besides counting."""
        counter = COUNTER.format(calls=str(self._file))
        (self._file.parent / "sitecustomize.py").write_text(counter + code)

    def look(self) -> collections.Counter[str]:
        """The calls so far, by "video/stage"."""
        lines = self._file.read_text().split() if self._file.exists() else []
        return collections.Counter(lines)

    def take(self) -> collections.Counter[str]:
        """The calls since they were taken last, by "video/stage"."""
        calls = self.look()
        self._file.unlink(missing_ok=True)
        return calls


def kill_group(process: subprocess.Popen, number: int = signal.SIGKILL) -> str:
    """Signal a run with all its jobs; what it printed."""
    os.killpg(process.pid, number)
    return process.communicate(timeout=60)[0]


def respect_permissions() -> None:
    """Make a child that runs as root mind file permissions, as any other user's would."""
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """A disk of that size in place of the folder; skips the test where nobody may mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this user may not mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def resize_disk(folder: Path, size: str) -> None:
    """Make room on a small disk, or take it away."""
    subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)
