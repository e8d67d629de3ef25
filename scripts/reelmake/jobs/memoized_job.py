"""What was computed before, in this library or another, is taken from the artifact cache.

An artifact's cache key says what it is made from without a path or a time: the content of
the source, the settings, and the very bytes of the artifacts before it.
"""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelmake.foundation import artifact_files, units
from reelmake.jobs import retry
from reelmake.library import config, sidecars
from reelmake.library.fingerprints import Fingerprint
from reelmake.library.fingerprints import key as compute_key
from reelmake.library.stages import STAGES, Stage

if TYPE_CHECKING:
    from reelmake.cache.artifact_cache import Cache
    from reelmake.cache.entry import Entry
    from reelmake.jobs.job import Job

Section = Mapping[str, Any]
"""The config section `cache`."""


def keeps(section: Section, stage: str) -> bool:
    """Whether the artifact cache keeps what the stage makes."""
    return section["enabled"] and STAGES[stage].cached and stage not in section["except"]


def opened(section: Section, say: Callable[[str], None]) -> "Cache":
    """The artifact cache that the config section `cache` names. say: told what a person must know.

    Nothing is looked at before the cache is used.
    """
    from reelmake.cache.artifact_cache import Cache

    shared = section["shared"]
    if shared and "://" not in shared:
        shared = str(config.expand(shared).absolute())
    ttl = {stage: units.seconds(text) for stage, text in section["stage_ttl"].items()}
    return Cache(
        config.expand(section["dir"]).absolute(),
        size_limit=units.size_bytes(section["size_limit"]),
        ttl=units.seconds(section["ttl"]) if section["ttl"] else None,
        stage_ttl=ttl,
        lock_timeout=units.seconds(section["lock_timeout"]),
        say=say,
        shared=shared,
    )


def make(this: "Job", function: Callable[..., None], **arguments: Any) -> None:
    """Restore the job's artifact from the cache; where it has none, call the function and keep it.

    function: called with the job and the arguments; publishes the artifact. A job that computes
    the same at the moment, in whichever library, is waited for. The job record's `cache` says
    what came of it: hit, miss (computed, and kept), waiting, or off.
    """
    forced = this.stage in this.run.forced
    if this.is_made:
        if not forced:
            print("made by the job before, whose run was killed before it took note of that")
            this.record = this.before
            return
        this.save()
    this.record["cache"] = "off"
    if not keeps(this.run.cache, this.stage):
        retry.attempt(this, function, **arguments)
        return
    stage, content = STAGES[this.stage], this.content
    fingerprints = sidecars.read_all(this.results)
    wanted = key(this.results, stage, fingerprints, content)

    def restored() -> bool:
        entry = restore(cache, wanted, this.results, this.fingerprint, content)
        if entry is None:
            return False
        print(f"restored from the artifact cache: {wanted}")
        this.record |= {"cache": "hit", "engines": entry.engines, "saved": entry.seconds}
        return True

    def waiting() -> None:
        print("another job is computing the same: waiting for it")
        this.record["cache"] = "waiting"
        this.save()

    with contextlib.closing(opened(this.run.cache, this.say)) as cache:
        # A job that has to compute waits for no other, and lets no other wait.
        one_at_a_time = cache.computing(wanted, waiting=waiting)
        with contextlib.nullcontext() if forced else one_at_a_time:
            if not forced and restored():
                return
            this.record["cache"] = "miss"
            started = time.monotonic()
            retry.attempt(this, function, **arguments)
            cache.put(
                wanted,
                stage.name,
                stage.version,
                {name: _path(this.results, name) for name in stage.artifacts},
                time.monotonic() - started,
                content,
                this.record["engines"],
            )


def is_kept(this: "Job", stage: str) -> bool:
    """Whether the cache has the artifact of another stage of the job's video.

    It may be gone, or turn out to be damaged, when that stage's job asks for it.
    """
    if not keeps(this.run.cache, stage) or stage in this.run.forced:
        return False
    with contextlib.closing(opened(this.run.cache, this.say)) as cache:
        fingerprints = sidecars.read_all(this.results)
        return key(this.results, STAGES[stage], fingerprints, this.content) in cache


def key(results: Path, stage: Stage, fingerprints: Mapping[str, Fingerprint], content: str) -> str:
    """The cache key (64 hex digits) of a stage's artifact, for the video in `results`.

    fingerprints: of the stage, and of those before it that are not cached. content: the digest
    of the source. Reads the artifacts that this one is made from; raises OSError where they are
    not there. An artifact before it counts by its bytes: what was made from
    one that was edited, or that came out otherwise on another machine, is not taken for this.
    """
    upstream = {
        name: _digest(results, STAGES[name])
        if STAGES[name].cached
        else key(results, STAGES[name], fingerprints, content)
        for name in fingerprints[stage.name]["upstream"]
        if not STAGES[name].urls  # the content of what was fetched counts, not how it came
    }
    return compute_key(
        {
            "stage": stage.name,
            "version": stage.version,
            "content": content,
            "settings": fingerprints[stage.name]["settings"],
            "upstream": upstream,
        }
    )


def restore(
    cache: "Cache",
    wanted: str,
    results: Path,
    fingerprint: Fingerprint,
    content: str,
    durable: bool = True,
) -> "Entry | None":
    """Publish what the cache has under the key in `results`; None where it has nothing.

    Everything is validated again: what machines share may have been written by anyone.
    fingerprint: of the artifact. content: the digest of the source. durable: as
    `Cache.restore` has it.
    """
    stage = STAGES[fingerprint["stage"]]

    def check(name: str, path: Path) -> None:
        folder = name[: name.find("/") + 1]
        if (folder or name) not in stage.artifacts:
            raise ValueError(f"{stage.name} has no such artifact")
        if not folder and name.endswith(".json"):
            value = artifact_files.read_json(path)
            artifact_files.validate(value, name.removesuffix(".json"))
            if stage.name == "media" and value["content"] != content:
                raise ValueError("it is another source's")
        elif stage.name == "scenedesc":
            from reelmake.library import scene_descriptions

            scene_descriptions.adopt(path, fingerprint, results)

    entry = cache.restore(wanted, results, results.name, check, durable)
    whole = all(_path(results, name).exists() for name in stage.artifacts)
    return entry if whole else None


def _digest(results: Path, stage: Stage) -> str:
    """SHA-256 over the names and contents of a stage's artifacts."""
    sha = hashlib.sha256()
    for name in stage.artifacts:
        path = _path(results, name)
        for inner in sorted(os.listdir(path)) if name.endswith("/") else [""]:
            # What file managers leave there (hidden files, folders) is not ours.
            if not inner.startswith(".") and (path / inner).is_file():
                digest = _content(path / inner)
                sha.update(f"{name}{inner}\0{digest}\n".encode(errors="surrogateescape"))
    return sha.hexdigest()


def _content(path: Path) -> str:
    """SHA-256 of a file, less what is not its content."""
    if path.name.endswith(".scenedesc.msgpack"):
        from reelmake.library import scene_descriptions

        # Its metadata names the very file and key that it was written for.
        document = scene_descriptions.read(path)
        if document is not None:
            text = json.dumps(document["results"], sort_keys=True)
            return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _path(results: Path, name: str) -> Path:
    """Where an artifact lies, by its name in the table of stages."""
    return results / name.replace("{video}", results.name)
