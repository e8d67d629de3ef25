"""Everything that the artifact cache has for a library, put in its place without Snakemake.

In one process and without a job for each artifact: hundreds a second. What the cache lacks is
left to the next run, which finds the rest up to date.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from reelmake.cache.artifact_cache import Cache
from reelmake.foundation import artifact_files
from reelmake.foundation.errors import StageError
from reelmake.jobs import memoized_job
from reelmake.library import currency, job_records, manifest, measures, sources
from reelmake.library.config import Config
from reelmake.library.fingerprints import Fingerprint
from reelmake.library.library import RESULTS, Library
from reelmake.library.stages import STAGES, artifact_paths


class Warmed(NamedTuple):
    """What became of the videos: how many there are, were finished before, are finished now;
    and how many artifacts were restored, and lack in the cache."""

    videos: int
    finished_before: int
    finished: int
    restored: int
    missing: int


def warm(
    config: Config,
    say: Callable[[str], None],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Warmed:
    """Restore every artifact that the configuration wants and the cache has.

    progress: told the videos done and in all. Raises UserError, also while a run is at work.
    """
    library = Library(config, write=True, say=say)
    cache = memoized_job.opened(config["cache"], say)
    try:
        wanted_videos = library.prepare(prune=True)
        before = len(library.videos) - len(wanted_videos)
        finished, restored, missing = before, 0, 0
        for number, video in enumerate(wanted_videos):
            progress(number, len(wanted_videos))
            wanted = library.wanted(video)
            done, lacking = _warm(cache, config, RESULTS / video, wanted)
            restored, missing = restored + done, missing + lacking
            if not lacking:
                _finish(RESULTS / video, wanted)
                finished += 1
    finally:
        cache.close()
        os.sync()  # once, instead of after each file
        library.release()
    return Warmed(len(library.videos), before, finished, restored, missing)


def _warm(
    cache: Cache, config: Config, results: Path, wanted: dict[str, Fingerprint]
) -> tuple[int, int]:
    """How many artifacts were restored, and how many are not there."""
    restored, missing = set[str](), set[str]()
    stages = [STAGES[name] for name in wanted]
    content = _content(results, wanted["media"])
    for stage in stages:
        if stage.temporary or stage.urls or stage.name == "manifest":
            continue
        before = wanted[stage.name]["upstream"]
        if _is_done(results, stage.name, wanted) and not restored & set(before):
            continue
        needed = {name for name in before if STAGES[name].cached}
        entry = None
        started = time.time()
        kept = memoized_job.keeps(config["cache"], stage.name)
        if content and not missing & needed and kept:
            key = memoized_job.key(results, stage, wanted, content)
            entry = memoized_job.restore(
                cache, key, results, wanted[stage.name], content, durable=False
            )
        if entry is None:
            missing.add(stage.name)
        else:
            restored.add(stage.name)
            record = job_records.restored(
                wanted[stage.name]["key"],
                started,
                measures.count(stage.name, results),
                entry.engines,
                saved=entry.seconds,
            )
            job_records.write(results, stage.name, record)
    return len(restored), len(missing)


def _content(results: Path, wanted: Fingerprint) -> str | None:
    """The digest of the source: from media.json if that is of this source, or by reading it."""
    if _is_done(results, "media", {"media": wanted}):
        content: str = artifact_files.read_json(results / "media.json")["content"]
        return content
    try:
        path = sources.local(wanted["source"], results)
        return sources.digest(path, full=wanted["settings"]["source.digest"] == "full")
    except (StageError, OSError):
        return None  # the next run says why


def _is_done(results: Path, stage: str, wanted: dict[str, Fingerprint]) -> bool:
    paths = artifact_paths(STAGES[stage], results.name)
    there = all((results / path).exists() for path in paths)
    return there and currency.is_made_for(results, wanted[stage])


def _finish(results: Path, wanted: dict[str, Fingerprint]) -> None:
    """Write the manifest, as the video's last job does."""
    started = time.time()
    artifact_files.write_json(
        results / "manifest.json", manifest.build(results), "manifest", durable=False
    )
    record = job_records.restored(
        wanted["manifest"]["key"], started, measures.count("manifest", results), {}, saved=None
    )
    record["totals"] = measures.collect(results)
    job_records.write(results, "manifest", record)
