"""What a run would do, without doing or writing anything: jobs, media, time and disk space."""

import shutil
from collections.abc import Callable, Mapping
from typing import Any

from reelmake.editing import languages
from reelmake.library import currency, library_scan
from reelmake.library.config import Config
from reelmake.library.fingerprints import Fingerprint
from reelmake.library.library import RESULTS, Library
from reelmake.library.library_scan import Facts
from reelmake.library.stages import STAGES, chosen
from reelmake.reel import estimates, status
from reelmake.reel.estimates import History

Plan = dict[str, Any]
"""{"videos": {"total", "to_do", "guessed": how many nobody has probed and whose length is only
guessed, "unknown": and not even that}, "stages": {stage: {"jobs", "media_seconds", "items": number
or null, "unit", "seconds": of work, or null}}, "time": as status has `eta`, "disk": {"needed":
bytes or null, "without": stages of which no size is known, "free": bytes}}"""

FRAMES = ("keyframes", "scenedesc")
"""The stages whose items are the pictures."""

SOUND = 32_000
"""Bytes a second of the temporary audio.wav (16 kHz, 16 bits)."""

SOUNDS = 3
"""How many of them may lie there at once, at least."""


def can_try(config: Config) -> Callable[[str], bool]:
    """Whether a stage that films were finished without may do better now: its models are here."""

    def may(stage: str) -> bool:
        from reelmake.models import needed_models  # what few libraries need

        return needed_models.are_here(config, stage)

    return may


def plan(config: Config, say: Callable[[str], None]) -> Plan:
    """What `snakemake` with the same configuration would run. say: told what a run would say.

    Raises UserError for what would end a run before its first job.
    """
    library = Library(config, write=False, say=say, can_try=can_try(config))
    to_do = dict(library.look(prune=True))
    if to_do and "translations" in chosen(config["stages"]):
        languages.to_translate_into(config["translations"]["languages"])
    videos = library_scan.Scan(RESULTS).look()
    known, lengths = status.remembered(videos)
    facts = {video.video: video for video in videos}
    stages: dict[str, Plan] = {}
    left, sounds, guessed, unknown = [], [0.0], 0, 0
    for video, wanted in to_do.items():
        answer = currency.of_video(RESULTS / video, wanted)
        stale = [stage for stage, found in answer.items() if found.why]
        seen = facts.get(video)
        size = wanted["media"]["source"].get("size")
        seconds = None if seen is None else seen.totals["media_seconds"]
        if "media" in stale and (seen is None or size is None or size != seen.size):
            seconds = None  # else it was only moved, or touched
        if stale and seconds is None:
            seconds = lengths.guess(size)
            guessed, unknown = guessed + (seconds is not None), unknown + (seconds is None)
        minutes = max(estimates.SHORTEST, (seconds or 0.0) / 60)
        left.append(dict.fromkeys(stale, minutes))
        if "audio" in stale:
            sounds.append((seconds or 0.0) * SOUND)
        for stage in stale:
            row = stages.setdefault(stage, _row(stage))
            row["jobs"] += 1
            row["media_seconds"] += seconds or 0.0
            row["minutes"] += minutes
            frames = _frames(stage, stale, seen, wanted, known, minutes)
            row["items"] = None if frames is None or row["items"] is None else row["items"] + frames
    time = estimates.outlook(known, left) if not unknown else None
    return {
        "videos": {
            "total": len(library.videos),
            "to_do": sum(bool(each) for each in left),
            "guessed": guessed,
            "unknown": unknown,
        },
        "time": time and {"p50": time.p50, "p90": time.p90, "without": time.without},
        "disk": _disk(known, stages, sum(sorted(sounds)[-SOUNDS:]), bool(unknown)),
        "stages": {
            stage: _finish(stages[stage], known.work(stage, stages[stage]["minutes"]))
            for stage in STAGES
            if stage in stages
        },
    }


def _row(stage: str) -> Plan:
    items = 0 if stage in FRAMES else None
    return {"jobs": 0, "media_seconds": 0.0, "minutes": 0.0, "items": items, "unit": "pictures"}


def _finish(row: Plan, work: estimates.Estimate | None) -> Plan:
    del row["minutes"]
    row["items"] = None if row["items"] is None else round(row["items"])
    row["unit"] = None if row["items"] is None else row["unit"]
    return row | {"seconds": None if work is None else round(work.quantiles()[0], 1)}


def _frames(
    stage: str,
    stale: list[str],
    seen: Facts | None,
    wanted: Mapping[str, Fingerprint],
    known: History,
    minutes: float,
) -> float | None:
    """The pictures that the stage's job would still work on; None where nobody knows."""
    if stage not in FRAMES:
        return None
    if seen is None or "keyframes" in stale or not seen.totals["frames"]:
        return known.made("frames", minutes)
    record = seen.records.get(stage, {})
    # What was stopped goes on: the journal has the rest.
    kept = record.get("key") == wanted[stage]["key"] and "items_resumed" in record
    done = record.get("items_done", 0) if kept and record.get("state") != "done" else 0
    return float(max(0, seen.totals["frames"] - done))


def _disk(known: History, stages: Mapping[str, Plan], sound: float, unknown: bool) -> Plan:
    """Bytes that the artifacts will take, at most, with the temporary sound at any time."""
    sizes = {
        stage: known.made(stage, row["minutes"])
        for stage, row in stages.items()
        if not STAGES[stage].temporary and stage != "manifest"
    }
    without = [stage for stage, size in sizes.items() if size is None]
    needed = sound + sum(size for size in sizes.values() if size is not None)
    folder = RESULTS if RESULTS.exists() else RESULTS.absolute().parent
    return {
        "needed": None if unknown or (sizes and len(without) == len(sizes)) else round(needed),
        "without": without,
        "free": shutil.disk_usage(folder).free,
    }
