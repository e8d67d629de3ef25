"""Writes sidecars, with times that tell Snakemake which artifacts are up to date."""

import os
from collections.abc import Mapping
from pathlib import Path

from reelmake.foundation import artifact_files
from reelmake.library import currency, fingerprints, sidecars
from reelmake.library.fingerprints import Fingerprint
from reelmake.library.stages import STAGES, artifact_paths


def refresh(
    results: Path, wanted: Mapping[str, Fingerprint], elsewhere: Path | None
) -> tuple[dict[str, Path], list[tuple[str, str]]]:
    """Make the sidecars of a video say what is wanted; touch none that already does.

    elsewhere: the folder that changed sidecars are written to, so that nothing changes; None: the
    video's own. Returns each stage's sidecar, and what differs: (difference, stage).
    """
    if elsewhere is None:
        _forget(results, wanted)
    paths: dict[str, Path] = {}
    differences: list[tuple[str, str]] = []
    # All of them first: what is discarded below is a difference of its own.
    found = {stage: _differences(results, stage, wanted) for stage in wanted}
    for stage, new in wanted.items():
        path = sidecars.path(results, stage)
        said, spoiled = found[stage]
        if said is not None:
            differences += [(difference, stage) for difference in said]
            if elsewhere is not None:
                path = elsewhere / f"{stage}.json"
            made = currency.paths_made(results, STAGES[stage], wanted)
            _write(path, new, results, made, discard=spoiled and elsewhere is None)
        paths[stage] = path
    return paths, differences


def differences(results: Path, wanted: Mapping[str, Fingerprint]) -> list[tuple[str, str]]:
    """What differs between the sidecars of a video and what is wanted: (difference, stage).
    Nothing is written."""
    if not results.exists():  # a new library is thousands of these
        return [("new", stage) for stage in wanted]
    found = [(stage, _differences(results, stage, wanted)[0]) for stage in wanted]
    return [(difference, stage) for stage, said in found for difference in said or ()]


def _differences(
    results: Path, stage: str, wanted: Mapping[str, Fingerprint]
) -> tuple[list[str] | None, bool]:
    """What a person would say differs, None where the sidecar is right as it is; and whether the
    artifact is not what the sidecar says, or only why there is none."""
    old = sidecars.read(results, stage)
    spoiled = currency.is_spoiled(results, stage, wanted)
    if currency.has_failed(results, wanted[stage]):
        return [f"{stage} failed before, once more"], True
    if old == wanted[stage] and not spoiled:
        return None, False
    if spoiled:
        what = "an artifact" if stage == "manifest" else stage
        return [f"{what} is not what its manifest says"], True
    return fingerprints.differences(old, wanted[stage]), False


def leave_future(results: Path, now: int) -> bool:
    """Give what lies in the future times before `now` (ns), in their order; whether there is any.

    The clock was moved back. Snakemake would take old artifacts for newer than a sidecar that
    is written now, and refuses what a job makes now from an input that is newer.
    """
    files = list(sidecars.path(results, "").parent.glob("*.json"))
    for stage in STAGES:
        files += _artifacts_there(results, stage)
    # Of a folder, Snakemake looks at the time of a file that it leaves in it.
    files += [stamp for folder in files if (stamp := folder / ".snakemake_timestamp").exists()]
    times = {file: os.stat(file).st_mtime_ns for file in files}
    future = sorted({time for time in times.values() if time > now})
    latest = max((time for time in times.values() if time <= now), default=0)
    step = (now - latest) // (len(future) + 1)
    moved = {time: latest + step * number for number, time in enumerate(future, 1)}
    for file, time in times.items():
        if time in moved:
            os.utime(file, ns=(moved[time], moved[time]))
    return bool(moved)


def _write(path: Path, new: Fingerprint, results: Path, made: list[Path], discard: bool) -> None:
    """Write a sidecar.

    made: what tells when the stage was done. discard: take the artifact away, which Snakemake would
    keep since the sidecar says the same.
    """
    # Not flushed to disk: there are thousands, and a lost one is written again.
    artifact_files.write_json(path, new, durable=False)
    there = [os.stat(file).st_mtime_ns for file in made if file.exists()]
    if discard:
        for artifact in _artifacts_there(results, new["stage"]):
            artifact_files.remove(artifact)
    elif there and currency.is_made_for(results, new):
        # A setting was changed and changed back, say: what is there is what is wanted.
        before = min(there) - 1_000_000
        os.utime(path, ns=(before, before))


def _forget(results: Path, wanted: Mapping[str, Fingerprint]) -> None:
    """Remove the sidecars of stages that nobody wants and that never made their artifact: nobody
    should wait for it."""
    for stage in STAGES.keys() - wanted.keys():
        if not _artifacts_there(results, stage):
            sidecars.path(results, stage).unlink(missing_ok=True)


def _artifacts_there(results: Path, stage: str) -> list[Path]:
    paths = [results / path for path in artifact_paths(STAGES[stage], results.name)]
    return [path for path in paths if path.exists()]
