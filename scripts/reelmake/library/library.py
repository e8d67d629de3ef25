"""The library: its videos, their wanted fingerprints, and the sidecars that say them on disk.

`Library.prepare` is what a run does before its jobs; Snakemake's input functions only look up what
it has found. Nothing else writes a sidecar.
"""

import collections
import functools
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import IO

from reelmake.foundation import text, units, urls
from reelmake.foundation.errors import UserError
from reelmake.library import (
    currency,
    failed_stages,
    fingerprints,
    finished_index,
    job_records,
    run_lock,
    sidecar_updates,
    sidecars,
    sources,
    speaker_names,
    url_checks,
    videos,
)
from reelmake.library.config import Config, expand, with_overrides
from reelmake.library.fingerprints import Fingerprint
from reelmake.library.resolved_settings import StageSettings
from reelmake.library.stages import chosen, downstream
from reelmake.library.videos import Video

RESULTS = Path("results")


class Library:
    """The videos of one configuration, in one working directory.

    config: the complete configuration.
    write: whether wanted fingerprints become sidecars below `results/` (a real run), or
        files in a temporary folder (a dry run, which must change nothing).
    say: called with each line that a person should read.
    also: stages that are made beside those that the setting `stages` asks for.
    part: the ids of the videos that there are for a run over a share of them; None: all.
    can_try: whether a stage that a video was finished without (`Stage.can_fail`) may do better now:
        asked once, and only where there is such a video.
    """

    def __init__(
        self,
        config: Config,
        write: bool,
        say: Callable[[str], None],
        also: Collection[str] = (),
        part: Collection[str] | None = None,
        can_try: Callable[[str], bool] = lambda stage: True,
    ):
        self.config = config
        self._part = part
        self._can_try = functools.cache(can_try)
        self.also = also
        self.write = write
        self.say = say
        self._settings: dict[str, StageSettings] = {}
        self._sidecars: dict[str, dict[str, Path]] = {}
        self._fetched: dict[str, sources.Identity] = {}
        self._reasons: dict[tuple[str, str], list[str]] = collections.defaultdict(list)
        self._lock: IO[str] | run_lock.Held | None = None
        self.unfinished: list[str] = []
        """The ids of the videos that a run of all has to look at, as `prepare` found them."""
        self.left_out: set[str] = set()
        """The ids of the videos that the setting `failed` excluded."""

    @functools.cached_property
    def videos(self) -> dict[str, videos.Video]:
        """Every video by id."""
        found = videos.find(self.config, self.say)
        if self._part is None:
            return found
        return {id: found[id] for id in self._part if id in found}

    @functools.cached_property
    def names(self) -> speaker_names.Names:
        """The names that people have given to voices. Raises UserError for what is no such table;
        says which rows are of no video."""
        path = expand(self.config["speakers"]["names"])
        found = speaker_names.read(path)
        if found and self._part is None:
            sources = {video.id: video.source for video in self.videos.values()}
            found.tell_unknown(path, sources, RESULTS, self.say)
        return found

    @functools.cached_property
    def growing(self) -> set[str]:
        """The ids of the videos that are still being written."""
        files = {video.source for video in self.videos.values() if not urls.is_url(video.source)}
        moving = sources.growing(files, self.config["settle_seconds"])
        return {video.id for video in self.videos.values() if video.source in moving}

    def prepare(
        self,
        prune: bool,
        only: Collection[str] | None = None,
        count: Callable[[str, dict[str, Fingerprint]], None] | None = None,
        most: int | None = None,
    ) -> list[str]:
        """Make the sidecars say what is wanted; the ids of the videos that a run has to look at.

        This is what a run does before its jobs: it takes the lock of the library, asks the servers
        of URLs whether something changed, writes sidecars, and says what is stale and why. Where
        nothing may be written (`write`), changed sidecars go to a temporary folder, and no lock is
        taken.

        prune: leave finished videos out. One that is still being written is left out in any case,
        and said; so is one that the setting `failed` excludes. only: ids of videos that are asked
        for by name; None: all. count: where more videos than `most` are unfinished it is called
        with each, and what it should be made from, and no sidecar is written: that is left to the
        runs over shares of them. Raises UserError for a name that no video has, and for one whose
        video is still being written.
        """
        if self.write and self._lock is None:  # looking is always allowed
            share = self._part is not None  # whose run holds the library
            self._lock = run_lock.hold_job() if share else run_lock.hold_library(self.say)
        if only is None:
            self._prepare_all(prune, count, most)
        else:
            self._prepare_named(only)
        self._explain()
        return self.unfinished if only is None else list(only)

    def _prepare_all(
        self,
        prune: bool,
        count: Callable[[str, dict[str, Fingerprint]], None] | None,
        most: int | None,
    ) -> None:
        waiting: list[tuple[str, dict[str, Fingerprint]]] = []
        self.unfinished = []
        for video, wanted in self.look(prune):
            if prune or self.config["prune"]:  # else there may be nothing to write
                self._require_writable(video)
            self.unfinished.append(video)
            if count is None or most is None:
                self._refresh(video, wanted)
                continue
            waiting.append((video, wanted))
            if len(self.unfinished) > most:
                for each, its in waiting:
                    self._note(sidecar_updates.differences(RESULTS / each, its), each)
                    count(each, its)
                waiting.clear()
        for video, wanted in waiting:
            self._refresh(video, wanted)

    def look(self, prune: bool) -> Iterator[tuple[str, dict[str, Fingerprint]]]:
        """The videos that a run has to look at, with the fingerprints that they should have.

        prune: as for `prepare`.
        """
        self._ask(self.videos)
        shortcut = finished_index.Finished(RESULTS)
        left_out = list[str]()
        for video in self.videos:
            if video in self.growing:
                self._postpone(video)
                continue
            identity, configured = self._identity(video), self._configured(video)
            names = self._names_of(video)
            settings = configured.named(names)
            if prune and shortcut.knows(video, settings.digest, identity):
                continue
            # Sidecars are read now, and not of what is finished anyhow.
            known = configured.as_known(RESULTS / video)
            if known is not configured:
                settings = known.named(names)
                if prune and shortcut.knows(video, settings.digest, identity):
                    continue
            if prune and (failed := shortcut.failed(video)) and not self._may_try(failed):
                continue
            wanted = fingerprints.compute(settings.by_stage, identity)
            if prune and self.is_finished(video, wanted):
                shortcut.remember(video)
            elif prune and not self._may_try(failed := self._finished_without(video, wanted)):
                shortcut.remember(video, failed)
            # A share's videos were chosen by the run that it is of.
            elif self._part is None and self._is_left_out(video, wanted):
                left_out.append(video)
            else:
                yield video, wanted
        if prune and self.write and self._part is None:
            shortcut.save()
        self.left_out |= set(left_out)
        if left_out:
            failed = self.config["failed"]
            what = "failed before" if failed == "skip" else "did not fail before"
            self.say(f"failed={failed}: {text.videos(left_out)}, which {what}, left out")

    def sidecar(self, video: str, stage: str) -> str:
        """The path of the file that says what the stage's artifact should be made from.

        A video that `prepare` left out as finished is prepared now: something asks for it by name.
        """
        if video not in self._sidecars:
            self.prepare(prune=False, only=[video])
        return str(self._sidecars[video][stage])

    def _prepare_named(self, ids: Iterable[str]) -> None:
        for video in ids:
            self.find(video)
            if video in self.growing:
                raise UserError(self._postpone(video))
            self._refresh(video, self.wanted(video))

    def _finished_without(self, video: str, wanted: dict[str, Fingerprint]) -> list[str]:
        """The stages that failed, and that the video was finished without."""
        return sorted(currency.finished_without(RESULTS / video, wanted))

    def _may_try(self, failed: Collection[str]) -> bool:
        """Whether one of the stages that a video was finished without may do better now."""
        return not failed or any(map(self._can_try, failed))

    def _is_left_out(self, video: str, wanted: dict[str, Fingerprint]) -> bool:
        """Whether the setting `failed` excludes the video.

        It failed if a stage did under the fingerprint that is wanted now: a file that was
        replaced, or another setting, is worth another try. Being stopped is no failure. A stage
        that the video goes on without keeps nothing else of it from being made.
        """
        choice = self.config["failed"]
        if choice == "retry":
            return False
        if self._finished_without(video, wanted):
            return bool(choice == "skip")
        records = (
            (job_records.read(RESULTS / video, stage), wanted[stage]["key"])
            for stage in wanted
            if choice == "only" or stage not in failed_stages.CAN_FAIL
        )
        failed = any(
            (record.get("state"), record.get("key")) == ("failed", key)
            and record.get("class") != "killed"
            for record, key in records
        )
        return bool(failed == (choice == "skip"))

    def find(self, video: str) -> Video:
        """The video of an id. Raises UserError where there is none."""
        if video not in self.videos:
            hint = text.did_you_mean(video, self.videos)
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
            new_sources = {RESULTS / id: self.videos[id].source for id in new}
            times = self.config["source"]
            ttl, step = units.seconds(times["url_ttl"]), units.seconds(times["url_step"])
            asked = url_checks.identify(new_sources, ttl, step, self.write, self.say)
            self._fetched |= {results.name: identity for results, identity in asked.items()}

    def is_finished(self, video: str, wanted: dict[str, Fingerprint]) -> bool:
        """Whether the video's manifest and artifacts are those of the wanted fingerprints."""
        return currency.is_finished(RESULTS / video, wanted, renew=self.write)

    def wanted(self, video: str) -> dict[str, Fingerprint]:
        """The fingerprints that the video's stages should have, whatever is on disk."""
        settings = self._configured(video).as_known(RESULTS / video).named(self._names_of(video))
        return fingerprints.compute(settings.by_stage, self._identity(video))

    def _identity(self, video: str) -> sources.Identity:
        """What the video's source is known by."""
        if self.is_fetched(video):
            self._ask([video])
            identity = self._fetched[video]
        else:
            identity = sources.identify(self.videos[video].source)
        if identity.get("size", 0) is None:
            # A film moved to tape forces nothing: what is known of it stays true.
            known = sidecars.read(RESULTS / video, "media").get("source", {})
            identity = known if known.get("path") == identity["path"] else identity
        return identity

    def _configured(self, video: str) -> StageSettings:
        """The settings of each stage that the configuration has for the video."""
        overrides = str(self.videos[video].overrides)
        if overrides not in self._settings:
            by_stage = fingerprints.settings(self.config_of(video), self.also)
            self._settings[overrides] = StageSettings(by_stage)
        return self._settings[overrides]

    def _names_of(self, video: str) -> dict[str, str]:
        """The names of the video's speakers by label, where its subtitles say who speaks."""
        if "speakers" not in self._made or not self.names:
            return {}
        return self.names.of(video, self.videos[video].source)

    @functools.cached_property
    def _made(self) -> set[str]:
        return chosen(self.config["stages"])

    def _refresh(self, video: str, wanted: dict[str, Fingerprint]) -> None:
        """All sidecars of a video at once, whatever the target: Snakemake looks at a folder only
        once."""
        if video in self._sidecars:
            return
        if self._lock:
            # As the file system tells the time, which writes this file's now.
            os.utime(self._lock.fileno())
            now = os.fstat(self._lock.fileno()).st_mtime_ns
            if sidecar_updates.leave_future(RESULTS / video, now):
                self.is_finished(video, wanted)  # which writes the new times down
        elsewhere = None if self.write else self.elsewhere / video
        self._sidecars[video], differences = sidecar_updates.refresh(
            RESULTS / video, wanted, elsewhere
        )
        self._note(differences, video)

    def _note(self, differences: Iterable[tuple[str, str]], video: str) -> None:
        for difference, stage in differences:
            self._reasons[difference, stage].append(video)

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
            self.say(f"{difference}: {text.videos(ids)}{what}")

    @functools.cached_property
    def elsewhere(self) -> Path:
        """A temporary folder for what a dry run must not write; it goes with the process."""
        folder = tempfile.mkdtemp(prefix="reelmake-dry-run-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return Path(folder)

    def _postpone(self, video: str) -> str:
        """Leave a video that is still being written alone, and say so where people look."""
        reason = f"{self.videos[video].source}: still being written; run again when it is complete"
        self.say(reason)
        if self.write:
            job_records.refuse(RESULTS / video, reason)
        return reason

    def _require_writable(self, video: str) -> None:
        """Raise UserError where jobs can't write: Snakemake itself would end in a traceback."""
        folder = RESULTS / video
        while not folder.exists():
            folder = folder.parent
        if self.write and not os.access(folder, os.W_OK | os.X_OK):
            raise UserError(f"{folder} can't be written to; check the disk and the permissions")
