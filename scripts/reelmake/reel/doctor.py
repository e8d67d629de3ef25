"""Whether a run has all that it needs on this machine: one finding a check, with what to do."""

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from reelmake.foundation import file_systems, process_identity, units
from reelmake.foundation.errors import UserError
from reelmake.foundation.units import show_bytes
from reelmake.jobs import memoized_job
from reelmake.library import config as configuration
from reelmake.library import run_lock, videos
from reelmake.library.config import Config
from reelmake.library.library import RESULTS
from reelmake.library.stages import STAGES
from reelmake.media import ffmpeg
from reelmake.reel import doctor_memory, doctor_models, doctor_trials
from reelmake.reel.finding import Finding


def examine(read: Callable[[], Config], engines: bool = False) -> Iterator[Finding]:
    """Every finding, as it is found.

    read: gives the configuration, or raises UserError. engines: ask each engine something.
    """
    yield Finding("Python", "ok", f"{sys.version.split()[0]} in {sys.prefix}")
    yield _packages()
    try:
        config = read()
    except UserError as error:
        yield Finding("config", "fail", str(error))
        return
    yield _videos(config)
    yield _ffmpeg(config)
    yield from doctor_models.gpus(config)
    if engines:
        yield from doctor_trials.trials(config)
    yield from doctor_models.models(config)
    yield from doctor_memory.video_memory(config)
    yield from doctor_models.servers(config)
    yield from _results(config)
    yield from _cache(config)
    yield _locks()


def _packages() -> Finding:
    versions, missing = [], []
    names = {name for stage in STAGES.values() for name in stage.packages}
    for name in ("snakemake", *sorted(names)):
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Finding("packages", "fail", f"{', '.join(missing)} missing", "make setup")
    return Finding("packages", "ok", ", ".join(versions))


def _videos(config: Config) -> Finding:
    try:
        found = videos.find(config, say=lambda line: None)
    except (UserError, OSError) as error:
        return Finding("videos", "fail", str(error))
    return Finding("videos", "ok", f"{len(found):,} in {config['videos']!r}")


def _ffmpeg(config: Config) -> Finding:
    try:
        binary = ffmpeg.binary(config["ffmpeg"])
    except (UserError, OSError, ImportError, RuntimeError) as error:
        fix = "install ffmpeg 5.1 or newer, or name it in the setting ffmpeg"
        return Finding("ffmpeg", "fail", str(error), fix)
    return Finding("ffmpeg", "ok", f"{ffmpeg.version(binary)}, {binary}")


def _results(config: Config) -> Iterator[Finding]:
    folder = _existing(RESULTS.absolute())
    free, least = shutil.disk_usage(folder).free, units.size_bytes(config["min_free"])
    said = f"{show_bytes(free)} free for the results (min_free: {show_bytes(least)})"
    if not os.access(folder, os.W_OK | os.X_OK):
        yield Finding("disk", "fail", f"{folder} can't be written to", "check the permissions")
    elif free < least:
        yield Finding("disk", "fail", said, "free some space, or lower min_free")
    else:
        yield Finding("disk", "ok", said)
    kind = file_systems.network(folder)
    if kind:
        yield Finding(
            "results",
            "warn",
            f"{folder} is on a network file system ({kind}), where locks may not be seen elsewhere",
            "start runs from one machine at a time",
        )


def _cache(config: Config) -> Iterator[Finding]:
    if not config["cache"]["enabled"]:
        yield Finding("cache", "ok", "turned off (cache.enabled)")
        return
    path = configuration.expand(config["cache"]["dir"]).absolute()
    folder = _existing(path)
    free = shutil.disk_usage(folder).free
    if not os.access(folder, os.W_OK | os.X_OK):
        fix = "check the permissions, or set cache.dir"
        yield Finding("cache", "warn", f"{folder} can't be written to: runs do without", fix)
        return
    used = 0.0
    if path.exists():
        cache = memoized_job.opened(config["cache"] | {"shared": None}, lambda line: None)
        try:
            used = cache.info()["bytes"]
        except UserError as error:
            yield Finding("cache", "warn", f"{error}: runs do without", "check cache.dir")
            return
        finally:
            cache.close()
    limit = units.size_bytes(config["cache"]["size_limit"])
    said = f"{show_bytes(used)} of {show_bytes(limit)} in {path}, {show_bytes(free)} free"
    if free < limit - used:
        yield Finding("cache", "warn", said, "free some space, or lower cache.size_limit")
    else:
        yield Finding("cache", "ok", said)
    kind = file_systems.network(folder)
    if kind:
        yield Finding(
            "cache",
            "warn",
            f"{path} is on a network file system ({kind}), which would damage its index: left out",
            "set cache.dir to a local disk; machines share through cache.shared",
        )


def _locks() -> Finding:
    """Whether something would keep a run out. Takes no lock itself."""
    holder = run_lock.read_owner()
    locks = run_lock.FOLDER / "locks"
    left = locks.is_dir() and any(locks.iterdir())
    lives = process_identity.is_alive(holder) if holder else None
    if lives:
        return Finding("locks", "ok", f"a run is going on ({process_identity.describe(holder)})")
    if not left:
        return Finding("locks", "ok", "none")
    if lives is False:
        who = process_identity.describe(holder)
        return Finding(
            "locks", "ok", f"left by a run that is gone ({who}); the next run clears them"
        )
    who = (
        f"of {process_identity.describe(holder)}, which can't be seen from here"
        if holder
        else "of nobody"
    )
    fix = "where you know that no run is going on: snakemake --unlock"
    return Finding("locks", "fail", f"Snakemake's lock is {who}", fix)


def _existing(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    while not path.exists():
        path = path.parent
    return path
