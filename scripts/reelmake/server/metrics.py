"""The state of the library in Prometheus' text format, version 0.0.4."""

from collections.abc import Mapping
from typing import Any

TYPE = "text/plain; version=0.0.4; charset=utf-8"

_GAUGES = {
    "media_seconds": ("media_seconds", "Length of the films that were probed."),
    "bytes": ("artifact_bytes", "Size of the artifacts on disk."),
    "segments": ("speech_segments", "Segments of speech."),
    "frames": ("keyframes", "Keyframes."),
    "descriptions": ("descriptions", "Keyframes that are described."),
    "highlights": ("highlights", "Segments that were chosen."),
    "without_speakers": ("films_without_speakers", "Films of which nobody knows who speaks."),
}


def as_text(status: Mapping[str, Any]) -> str:
    """The metrics of a status, as `reel status --json` prints one."""
    lines: list[str] = []

    def gauge(name: str, what: str, values: Mapping[str, float]) -> None:
        """values: by labels, as they stand between the braces."""
        lines.extend([f"# HELP reelmake_{name} {what}", f"# TYPE reelmake_{name} gauge"])
        for labels, value in values.items():
            lines.append(f"reelmake_{name}{f'{{{labels}}}' if labels else ''} {value:.17g}")

    films = {state: count for state, count in status["videos"].items() if state != "total"}
    gauge("films", "Films by state.", {f'state="{state}"': films[state] for state in films})
    stages = {
        f'stage="{stage}",state="{state}"': count
        for stage, counts in status["stages"].items()
        for state, count in counts.items()
    }
    gauge("stage_films", "Films by stage and state of that stage.", stages)
    for field, (name, what) in _GAUGES.items():
        gauge(name, what, {"": status[field]})
    gauge("run_active", "Whether a run holds the library.", {"": 1 if status["run"] else 0})
    cache = status["cache"]
    asked = {'result="hit"': cache["hits"], 'result="miss"': cache["misses"]}
    gauge("cache_artifacts", "Artifacts on disk by what the cache said of them.", asked)
    gauge("jobs_running", "Jobs at work.", {"": len(status["running"])})
    eta = status["eta"]
    if eta is not None:
        until = {'quantile="0.5"': eta["p50"], 'quantile="0.9"': eta["p90"]}
        gauge("eta_seconds", "How long the films that are left will take.", until)
    if status["rate"] is not None:
        rate = {"": status["rate"]["videos_per_hour"]}
        gauge("films_per_hour", "Films that the run has finished in its last hour.", rate)
    return "\n".join(lines) + "\n"
