"""The library: its videos, their wanted fingerprints, and the sidecars that say them on disk.

Snakemake's input functions ask it; nothing else writes a sidecar.
"""

import collections
import copy
import functools
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any

from reelmake import fingerprint, freshness, lock, manifest, sidecars, source, units, urls, videos
from reelmake.config import Config, with_overrides
from reelmake.errors import UserError
from reelmake.fingerprint import Fingerprint
from reelmake.job import read_record, refuse
from reelmake.stages import STAGES, downstream
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
        self._settings: dict[str, dict[str, dict[str, Any]]] = {}
        self._sidecars: dict[str, dict[str, Path]] = {}
        self._fetched: dict[str, source.Identity] = {}
        self._reasons: dict[tuple[str, str], list[str]] = collections.defaultdict(list)
        self._lock: IO[str] | None = None
        self.left_out: set[str] = set()
        """The ids of the videos that the setting `failed` excluded."""

    @functools.cached_property
    def videos(self) -> dict[str, videos.Video]:
        """Every video by id."""
        return videos.find(self.config, self.say)

    @functools.cached_property
    def growing(self) -> set[str]:
        """The ids of the videos that are still being written."""
        sources = {video.source for video in self.videos.values() if not urls.is_url(video.source)}
        moving = source.growing(sources, self.config["settle_seconds"])
        return {video.id for video in self.videos.values() if video.source in moving}

    def unfinished(self, prune: bool) -> list[str]:
        """The ids of the videos that a run has to look at, with their sidecars refreshed.

        With `prune`, a video whose manifest still matches is left out. One that is still
        being written is left out in any case, and said; so is one that the setting `failed`
        excludes.
        """
        self._hold()
        self._ask(self.videos)
        found, left_out = [], list[str]()
        for video in self.videos:
            if video in self.growing:
                self._postpone(video)
                continue
            wanted = self.wanted(video)
            if prune and self.is_finished(video, wanted):
                continue
            if self._is_left_out(video, wanted):
                left_out.append(video)
                self.left_out.add(video)
                continue
            self.refresh(video, wanted)
            found.append(video)
        self._explain()
        if left_out:
            failed = self.config["failed"]
            what = "failed before" if failed == "skip" else "did not fail before"
            self.say(f"failed={failed}: {_some(left_out)}, which {what}, left out")
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

    def _is_left_out(self, video: str, wanted: dict[str, Fingerprint]) -> bool:
        """Whether the setting `failed` excludes the video.

        It failed if a stage did under the fingerprint that is wanted now: a file that was
        replaced, or another setting, is worth another try. Being stopped is no failure.
        """
        choice = self.config["failed"]
        if choice == "retry":
            return False
        records = ((read_record(RESULTS / video, stage), wanted[stage]["key"]) for stage in wanted)
        failed = any(
            (record.get("state"), record.get("key")) == ("failed", key)
            and record.get("class") != "killed"
            for record, key in records
        )
        return bool(failed == (choice == "skip"))

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

    def is_fetched(self, video: str) -> bool:
        """Whether the video's source is a URL, for which there are stages of their own."""
        return video in self.videos and urls.is_url(self.videos[video].source)

    def _ask(self, ids: Iterable[str]) -> None:
        """Find out, for all of them at once, what is known of the URLs among their sources."""
        new = [id for id in ids if self.is_fetched(id) and id not in self._fetched]
        if new:
            sources = {RESULTS / id: self.videos[id].source for id in new}
            times = self.config["source"]
            ttl, step = units.seconds(times["url_ttl"]), units.seconds(times["url_step"])
            asked = freshness.identify(sources, ttl, step, self.write, self.say)
            self._fetched |= {results.name: identity for results, identity in asked.items()}

    def is_finished(self, video: str, wanted: dict[str, Fingerprint]) -> bool:
        """Whether the video's manifest and artifacts are those of the wanted fingerprints."""
        results = RESULTS / video
        return manifest.matches(results, wanted) or manifest.renew(results, wanted, self.write)

    def wanted(self, video: str) -> dict[str, Fingerprint]:
        """The fingerprints that the video's stages should have, whatever is on disk."""
        entry = self.videos[video]
        overrides = str(entry.overrides)
        if overrides not in self._settings:
            self._settings[overrides] = fingerprint.settings(self.config_of(video))
        settings = _with_known_models(self._settings[overrides], RESULTS / video)
        if self.is_fetched(video):
            self._ask([video])
            return fingerprint.compute(settings, self._fetched[video])
        identity = source.identify(entry.source)
        if identity["size"] is None:
            # A film moved to tape forces nothing: what is known of it stays true.
            known = sidecars.read(RESULTS / video, "media").get("source", {})
            identity = known if known.get("path") == entry.source else identity
        return fingerprint.compute(settings, identity)

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
        # A new video lacks every sidecar: the stage that most lack stands for all.
        new = {stage: len(ids) for (why, stage), ids in self._reasons.items() if why == "new"}
        most = max(new, key=lambda stage: new[stage], default=None)
        said: dict[str, tuple[str, list[str]]] = {}
        for (difference, stage), ids in self._reasons.items():
            if difference == "new" and stage != most:
                continue
            said.setdefault(difference, (stage, ids))
        self._reasons.clear()
        for difference, (stage, ids) in said.items():
            after = " and everything after it" if len(downstream(stage)) > 1 else ""
            what = "" if difference == "new" else f", {stage}{after}"
            self.say(f"{difference}: {_some(ids)}{what}")

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


def _some(ids: list[str]) -> str:
    """How many videos, and the first of them."""
    some = ", ".join(ids[:3]) + (", …" if len(ids) > 3 else "")
    return f"{len(ids)} video{'s' if len(ids) > 1 else ''} ({some})"


def _with_known_models(
    settings: dict[str, dict[str, Any]], results: Path
) -> dict[str, dict[str, Any]]:
    """The settings, with the last known content of a local model that is gone for now.

    A model on a disk that is not mounted forces nothing, like a film that is.
    """
    gone = [
        (stage.name, setting, settings[stage.name][setting])
        for stage in STAGES.values()
        for setting in stage.models
        if isinstance(settings[stage.name][setting], str)
        and ("/" in settings[stage.name][setting] or _is_file(settings[stage.name], setting))
    ]
    known = {}
    for stage, setting, name in gone:
        before = sidecars.read(results, stage).get("settings", {}).get(setting)
        if isinstance(before, dict) and before.get("name") == Path(name).name:
            known[stage, setting] = before
    if known:
        settings = copy.deepcopy(settings)
        for (stage, setting), before in known.items():
            settings[stage][setting] = before
    return settings


def _is_file(settings: dict[str, Any], setting: str) -> bool:
    """Whether a model setting names a file here even without a folder in its name."""
    return setting.startswith("description.") and settings["description.repo_id"] is None
