"""The library: its videos, their wanted fingerprints, and the sidecars that say them on disk.

Snakemake's input functions ask it; nothing else writes a sidecar.
"""

import collections
import functools
import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import IO

from reelmake import fingerprint, finished, lock, manifest, sidecars, source, videos
from reelmake.config import Config, with_overrides
from reelmake.errors import UserError
from reelmake.fingerprint import Fingerprint
from reelmake.job import refuse
from reelmake.stage_settings import StageSettings
from reelmake.stages import downstream
from reelmake.videos import Video

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
        self._settings: dict[str, StageSettings] = {}
        self._sidecars: dict[str, dict[str, Path]] = {}
        self._reasons: dict[tuple[str, str], list[str]] = collections.defaultdict(list)
        self._lock: IO[str] | None = None

    @functools.cached_property
    def videos(self) -> dict[str, videos.Video]:
        """Every video by id."""
        return videos.find(self.config, self.say)

    @functools.cached_property
    def growing(self) -> set[str]:
        """The ids of the videos that are still being written."""
        sources = {video.source for video in self.videos.values()}
        moving = source.growing(sources, self.config["settle_seconds"])
        return {video.id for video in self.videos.values() if video.source in moving}

    def unfinished(self, prune: bool) -> list[str]:
        """The ids of the videos that a run has to look at, with their sidecars refreshed.

        With `prune`, a video whose manifest still matches is left out. One that is still
        being written is left out in any case, and said.
        """
        self._hold()
        shortcut = finished.Finished(RESULTS)
        found = []
        for video in self.videos:
            if video in self.growing:
                self._postpone(video)
                continue
            settings, identity = self._made_from(video)
            if prune and shortcut.knows(video, settings.digest, identity):
                continue
            wanted = fingerprint.compute(settings.by_stage, identity)
            if prune and self.is_finished(video, wanted):
                shortcut.remember(video)
                continue
            self.refresh(video, wanted)
            found.append(video)
        if prune and self.write:
            shortcut.save()
        self._explain()
        return found

    def sidecar(self, video: str, stage: str) -> str:
        """The path of the file that says what the stage's artifact should be made from.

        Raises UserError for an id that no video has and for a video that is still growing.
        """
        self._hold()
        if video not in self._sidecars:
            self.find(video)
            if video in self.growing:
                raise UserError(self._postpone(video))
            self.refresh(video, self.wanted(video))
            self._explain()
        return str(self._sidecars[video][stage])

    def find(self, video: str) -> Video:
        """The video of an id. Raises UserError where there is none."""
        if video not in self.videos:
            hint = videos.nearest(video, list(self.videos))
            raise UserError(
                f"results/{video}: no video has the id '{video}'{hint}; check the setting videos"
            )
        return self.videos[video]

    def release(self) -> None:
        """Let another run have the library. The end of the process does the same."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def config_of(self, video: str) -> Config:
        """The configuration with the video's own settings from the sample sheet."""
        return with_overrides(self.config, self.videos[video].overrides)

    def is_finished(self, video: str, wanted: dict[str, Fingerprint]) -> bool:
        """Whether the video's manifest and artifacts are those of the wanted fingerprints."""
        results = RESULTS / video
        return manifest.matches(results, wanted) or manifest.renew(results, wanted, self.write)

    def wanted(self, video: str) -> dict[str, Fingerprint]:
        """The fingerprints that the video's stages should have, whatever is on disk."""
        settings, identity = self._made_from(video)
        return fingerprint.compute(settings.by_stage, identity)

    def _made_from(self, video: str) -> tuple[StageSettings, source.Identity]:
        """What the video's fingerprints are computed from."""
        identity = source.identify(self.videos[video].source)
        if identity["size"] is None:
            # A film moved to tape forces nothing: what is known of it stays true.
            known = sidecars.read(RESULTS / video, "media").get("source", {})
            identity = known if known.get("path") == identity["path"] else identity
        overrides = str(self.videos[video].overrides)
        if overrides not in self._settings:
            by_stage = fingerprint.settings(self.config_of(video))
            self._settings[overrides] = StageSettings(by_stage)
        return self._settings[overrides].as_known(RESULTS / video), identity

    def refresh(self, video: str, wanted: dict[str, Fingerprint]) -> None:
        """Make the sidecars say what is wanted; touch none that already does.

        All of a video at once, whatever the target: Snakemake looks at a folder only once.
        """
        if video in self._sidecars:
            return
        paths = self._sidecars[video] = {}
        for stage, new in wanted.items():
            path, old = sidecars.path(RESULTS / video, stage), sidecars.read(RESULTS / video, stage)
            spoiled = sidecars.is_spoiled(RESULTS / video, stage, wanted, unchanged=old == new)
            if old != new or spoiled:
                said = [f"{stage} is not what its manifest says"] if spoiled else []
                for difference in said or fingerprint.differences(old, new):
                    self._reasons[difference, stage].append(video)
                if not self.write:
                    path = self._elsewhere / video / f"{stage}.json"
                sidecars.write(path, new, RESULTS / video, discard=spoiled and self.write)
            paths[stage] = path

    def _explain(self) -> None:
        """Say why artifacts are stale, one line a reason for however many videos."""
        new = [stage for difference, stage in self._reasons if difference == "new"]
        said: dict[str, tuple[str, list[str]]] = {}
        for (difference, stage), ids in self._reasons.items():
            if difference == "new" and stage != new[0]:
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
        folder = tempfile.mkdtemp(prefix="reelmake-dry-run-")
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
        """Only a real run keeps others out: looking is always allowed."""
        if self.write and self._lock is None:
            self._lock = lock.hold_library()
