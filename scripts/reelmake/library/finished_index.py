"""A shortcut: the finished videos whose manifests a run need not read again.

What the full check (`Library.is_finished`) looks at is, besides the code: the settings, the
source's identity, and size and time of the manifest and of each artifact. One SHA-256 over all
that, for each video that a full check found finished, is remembered in
`.snakemake/reelmake.finished.json`. Where it is the same again, so is the answer. Nothing else
is believed: without the file, or with a damaged or old one, the full check decides.

Without it 10,000 finished videos cost 2.5 s, for eight fingerprints and one manifest each, and
with it 0.5 s, of which the kernel's `stat` is half.
"""

import array
import contextlib
import dataclasses
import hashlib
import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from reelmake.foundation import artifact_files
from reelmake.library import fingerprints, run_lock, sources
from reelmake.library.stages import STAGES

PATH = run_lock.FOLDER / "reelmake.finished.json"
FORMAT = 2
"""To be raised when the full check looks at something else."""
WITHOUT = " without "

_LASTING = [path for stage in STAGES.values() if not stage.temporary for path in stage.artifacts]
_FILES = [path for path in _LASTING if not path.endswith("/")]
_FOLDERS = [path for path in _LASTING if path.endswith("/")]


def digest(settings: dict[str, dict[str, Any]]) -> str:
    """One text for what makes the fingerprints of a source: settings, table of stages, formula."""
    table = [dataclasses.asdict(stage) for stage in STAGES.values()]
    example = fingerprints.compute(settings, {"path": "", "size": 0, "mtime_ns": 0})
    return fingerprints.key(
        {"format": FORMAT, "settings": settings, "stages": table, "example": example}
    )


class Finished:
    """What is remembered of the videos below the folder `results`."""

    def __init__(self, results: Path):
        self._results = str(results)
        known = artifact_files.read_json(PATH)
        self._known: dict[str, Any] = known if isinstance(known, dict) else {}
        self._states: dict[str, str] = {}
        self._finished: dict[str, str] = {}

    def knows(self, video: str, settings: str, identity: sources.Identity) -> bool:
        """Whether a full check found the video finished when all was as it is now.

        settings: their `digest`. identity: its source's.
        """
        state = self._states[video] = self._look(video, settings, identity)
        if self._known.get(video) != state:
            return False
        self._finished[video] = state
        return True

    def failed(self, video: str) -> list[str]:
        """The stages without which a full check found the video finished when all was as it was
        when `knows` was asked; none where it did not."""
        known = self._known.get(video)
        state, _, failed = known.partition(WITHOUT) if isinstance(known, str) else ("", "", "")
        if not failed or state != self._states[video]:
            return []
        self._finished[video] = str(known)
        return failed.split(",")

    def remember(self, video: str, failed: Collection[str] = ()) -> None:
        """A full check, made after `knows` was asked, has found the video finished.

        failed: the stages that it was finished without."""
        without = f"{WITHOUT}{','.join(failed)}" if failed else ""
        self._finished[video] = f"{self._states[video]}{without}"

    def save(self) -> None:
        """Write what is new. That it can't be written costs the next run full checks, no more.

        Videos that nobody asked for this time are kept: other runs may name them.
        """
        others = {video: state for video, state in self._known.items() if video not in self._states}
        now = others | self._finished
        if now != self._known:
            with contextlib.suppress(OSError):
                artifact_files.write_bytes(PATH, json.dumps(now).encode(), durable=False)

    def _look(self, video: str, settings: str, identity: sources.Identity) -> str:
        """64 hex digits that differ where anything that the full check looks at does."""
        # Some 25 files a video: what is done for each of them is what a large library costs.
        folder = f"{self._results}/{video}/"
        seen: list[object] = [settings, identity]
        paths = [folder + name.replace("{video}", video) for name in _FILES]
        for name in _FOLDERS:
            path = folder + name
            try:
                inside = sorted(inner for inner in os.listdir(path) if inner[0] != ".")
            except OSError:
                seen.append(None)
                continue
            seen.append(inside)
            paths += [path + inner for inner in inside]
        numbers = array.array("q")
        for path in paths:
            try:
                stat = os.stat(path)
            except OSError:
                numbers.append(-1)
            else:
                numbers.append(stat.st_size)
                numbers.append(stat.st_mtime_ns)
        digest = hashlib.sha256(repr(seen).encode())
        digest.update(numbers.tobytes())
        return digest.hexdigest()
