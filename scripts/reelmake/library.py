"""The library: its videos, their wanted fingerprints, and the sidecars that say them on disk.

Snakemake's input functions ask it; nothing else writes a sidecar.
"""

import collections
import fcntl
import functools
import os
import shutil
import socket
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import IO

from reelmake import artifact, fingerprint, manifest, source, videos
from reelmake.config import Config, with_overrides
from reelmake.errors import UserError
from reelmake.fingerprint import Fingerprint
from reelmake.job import refuse
from reelmake.stages import STAGES, downstream

RESULTS = Path("results")


class Library:
    """The videos of one configuration, in one working directory.

    config: the complete configuration.
    write: whether wanted fingerprints become sidecars below `results/` (a real run), or
        files in a temporary folder (a dry run, which must change nothing).
    say: called with each line that a person should read.
    """

    def __init__(self, config: Config, write: bool, say: Callable[[str], None]):
        self.config = config
        self.write = write
        self.say = say
        self._settings = fingerprint.settings(config)
        self._sidecars: dict[str, dict[str, Path]] = {}
        self._reasons: dict[tuple[str, str], list[str]] = collections.defaultdict(list)
        self._lock: IO[str] | None = None

    @functools.cached_property
    def videos(self) -> dict[str, videos.Video]:
        """Every video by id."""
        return videos.find(self.config)

    @functools.cached_property
    def growing(self) -> set[str]:
        """The ids of the videos that are still being written."""
        sources = {video.source: video.id for video in self.videos.values()}
        moving = source.growing(sources, self.config["settle_seconds"])
        return {sources[path] for path in moving}

    def unfinished(self, prune: bool) -> list[str]:
        """The ids of the videos that a run has to look at, with their sidecars refreshed.

        With `prune`, a video whose manifest still matches is left out. One that is still
        being written is left out in any case, and said.
        """
        self._hold()
        found = []
        for video in self.videos:
            if video in self.growing:
                self._postpone(video)
                continue
            wanted = self._wanted(video)
            if not (prune and manifest.matches(RESULTS / video, wanted)):
                self._refresh(video, wanted)
                found.append(video)
        self._explain()
        return found

    def sidecar(self, video: str, stage: str) -> str:
        """The path of the file that says what the stage's artifact should be made from.

        Raises UserError for an id that no video has and for a video that is still growing.
        """
        self._hold()
        if video not in self._sidecars:
            if video not in self.videos:
                hint = videos.nearest(video, list(self.videos))
                raise UserError(
                    f"results/{video}: no video has the id '{video}'{hint}; "
                    "check the setting videos"
                )
            if video in self.growing:
                raise UserError(self._postpone(video))
            self._refresh(video, self._wanted(video))
            self._explain()
        return str(self._sidecars[video][stage])

    def release(self) -> None:
        """Let another run have the library. The end of the process does the same."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def config_of(self, video: str) -> Config:
        """The configuration with the video's own settings from the sample sheet."""
        return with_overrides(self.config, self.videos[video].overrides)

    def _wanted(self, video: str) -> dict[str, Fingerprint]:
        entry = self.videos[video]
        settings = (
            fingerprint.settings(self.config_of(video)) if entry.overrides else self._settings
        )
        identity = source.identify(entry.source)
        if identity["size"] is None:
            # A film moved to tape forces nothing: what is known of it stays true.
            known = artifact.read_json(RESULTS / video / "fingerprints" / "media.json")
            if known and known["source"]["path"] == entry.source:
                identity = known["source"]
        return fingerprint.compute(settings, identity)

    def _refresh(self, video: str, wanted: dict[str, Fingerprint]) -> None:
        """Make the sidecars say what is wanted; touch none that already does."""
        paths = {}
        for stage, new in wanted.items():
            path = RESULTS / video / "fingerprints" / f"{stage}.json"
            old = artifact.read_json(path)
            if old != new:
                for difference in fingerprint.differences(old, new):
                    self._reasons[difference, stage].append(video)
                if not self.write:
                    path = self._elsewhere / video / f"{stage}.json"
                # Not flushed to disk: there are thousands, and a lost one is written again.
                artifact.write_json(path, new, durable=False)
            paths[stage] = path
        self._sidecars[video] = paths

    def _explain(self) -> None:
        """Say why artifacts are stale, one line a reason for however many videos."""
        whole = [stage for stage in STAGES if self._reasons.get(("new", stage))]
        said: dict[str, tuple[str, list[str]]] = {}
        for (difference, stage), ids in self._reasons.items():
            if difference == "new" and whole and stage != whole[0]:
                continue  # a new video lacks every sidecar: one line
            said.setdefault(difference, (stage, ids))
        self._reasons.clear()
        for difference, (stage, ids) in said.items():
            some = ", ".join(ids[:3]) + (", …" if len(ids) > 3 else "")
            count = f"{len(ids)} video{'s' if len(ids) > 1 else ''} ({some})"
            after = " and everything after it" if len(downstream(stage)) > 1 else ""
            what = "" if difference == "new" else f", {stage}{after}"
            self.say(f"{difference}: {count}{what}")

    @functools.cached_property
    def _elsewhere(self) -> Path:
        folder = tempfile.mkdtemp(prefix="reelmake-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return Path(folder)

    def _postpone(self, video: str) -> str:
        """Leave a video that is still being written alone, and say so where people look."""
        reason = f"{self.videos[video].source}: still being written; run again when it is complete"
        self.say(reason)
        if self.write:
            refuse(RESULTS / video, reason)
        return reason

    def _hold(self) -> None:
        """Refuse to change sidecars that another run is working from.

        Snakemake locks only after it has built its graph, which is when sidecars change. The
        kernel releases this lock when the process ends, however it ends.
        """
        if self._lock is not None or not self.write:
            return
        path = Path(".snakemake") / "reelmake.lock"
        path.parent.mkdir(exist_ok=True)
        file = path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            owner = file.read().strip()
            file.close()
            raise UserError(
                f"another run is processing this library ({owner}); "
                "wait for it, or stop it, then run again"
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        self._lock = file
