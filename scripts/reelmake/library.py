"""The library: its videos, their wanted fingerprints, and the sidecars that say them on disk.

Snakemake's input functions ask it; nothing else writes a sidecar.
"""

import collections
import copy
import functools
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any

from reelmake import artifact, fingerprint, freshness, lock, manifest, source, units, urls, videos
from reelmake.config import Config, with_overrides
from reelmake.errors import UserError
from reelmake.fingerprint import Fingerprint
from reelmake.job import read_record, refuse
from reelmake.stages import STAGES, artifact_paths, downstream

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
        being written is left out in any case, and said.
        """
        self._hold()
        self._ask(self.videos)
        found = []
        for video in self.videos:
            if video in self.growing:
                self._postpone(video)
                continue
            wanted = self._wanted(video)
            if not (prune and self._is_finished(RESULTS / video, wanted)):
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
            self._ask([video])
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

    def _is_finished(self, results: Path, wanted: dict[str, Fingerprint]) -> bool:
        return manifest.matches(results, wanted) or manifest.renew(results, wanted, self.write)

    def _wanted(self, video: str) -> dict[str, Fingerprint]:
        entry = self.videos[video]
        overrides = str(entry.overrides)
        if overrides not in self._settings:
            self._settings[overrides] = fingerprint.settings(self.config_of(video))
        settings = _with_known_models(self._settings[overrides], RESULTS / video)
        if self.is_fetched(video):
            return fingerprint.compute(settings, self._fetched[video])
        identity = source.identify(entry.source)
        if identity["size"] is None:
            # A film moved to tape forces nothing: what is known of it stays true.
            known = _read(RESULTS / video, "media").get("source", {})
            identity = known if known.get("path") == entry.source else identity
        return fingerprint.compute(settings, identity)

    def _refresh(self, video: str, wanted: dict[str, Fingerprint]) -> None:
        """Make the sidecars say what is wanted; touch none that already does.

        All of a video at once, whatever the target: Snakemake looks at a folder only once.
        """
        if video in self._sidecars:
            return
        paths = self._sidecars[video] = {}
        for stage, new in wanted.items():
            path, old = _path(RESULTS / video, stage), _read(RESULTS / video, stage)
            spoiled = _is_spoiled(RESULTS / video, stage, wanted, unchanged=old == new)
            if old != new or spoiled:
                said = [f"{stage} is not what its manifest says"] if spoiled else []
                for difference in said or fingerprint.differences(old, new):
                    self._reasons[difference, stage].append(video)
                if not self.write:
                    path = self._elsewhere / video / f"{stage}.json"
                _write(path, new, RESULTS / video, discard=spoiled and self.write)
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


def _path(results: Path, stage: str) -> Path:
    return results / "fingerprints" / f"{stage}.json"


def _read(results: Path, stage: str) -> dict[str, Any]:
    """The sidecar on disk; empty where there is none, or what is there is not one."""
    found = artifact.read_json(_path(results, stage))
    return found if isinstance(found, dict) else {}


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
        before = _read(results, stage).get("settings", {}).get(setting)
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


def _is_spoiled(results: Path, stage: str, wanted: dict[str, Fingerprint], unchanged: bool) -> bool:
    """Whether the artifact on disk is not what it seems to be by its fingerprint.

    A folder lacks files; a job that failed or was killed left, or one of an earlier run wrote,
    another artifact; the manifest lists what is no longer so. A file edited by hand is not
    spoiled: as with make, it stays until something before it changes.
    """
    key = wanted[stage]["key"]
    if not _artifacts_there(results, stage):
        return False
    if stage == "manifest":
        return manifest.is_for(results, key) and not manifest.matches(results, wanted)
    if not unchanged:
        return False
    if manifest.lacks_files(results, stage, key):
        return True
    record = read_record(results, stage)
    # "running" is a job that was killed: Snakemake put back what was there before it.
    of_another = record.get("key", key) != key or record.get("state", "done") != "done"
    return of_another and not _vouched(results, wanted[stage])


def _artifacts_there(results: Path, stage: str) -> list[Path]:
    paths = [results / path for path in artifact_paths(STAGES[stage], results.name)]
    return [path for path in paths if path.exists()]


def _write(path: Path, new: Fingerprint, results: Path, discard: bool) -> None:
    """Write a sidecar so that its time tells Snakemake whether the artifact is up to date.

    discard: take the artifact away, which Snakemake would keep since the sidecar says the same.
    """
    there = _artifacts_there(results, new["stage"])
    # Not flushed to disk: there are thousands, and a lost one is written again.
    artifact.write_json(path, new, durable=False)
    if discard:
        for artifact_path in there:
            artifact.remove(artifact_path)
    elif there and _was_made(results, new):
        # A setting was changed and changed back, say: what is there is what is wanted.
        before = min(os.stat(artifact_path).st_mtime_ns for artifact_path in there) - 1_000_000
        os.utime(path, ns=(before, before))


def _was_made(results: Path, wanted: Fingerprint) -> bool:
    """Whether the artifact on disk was made for this very fingerprint."""
    record = read_record(results, wanted["stage"])
    if (record.get("state"), record.get("key")) == ("done", wanted["key"]):
        return True
    return _vouched(results, wanted)


def _vouched(results: Path, wanted: Fingerprint) -> bool:
    """Whether something but the job record says that the artifact is of this fingerprint."""
    if STAGES[wanted["stage"]].urls:  # the record of a download says itself what it is of
        return bool(source.download(results).get("key") == wanted["key"])
    return bool(manifest.vouches(results, wanted["stage"], wanted["key"]))
