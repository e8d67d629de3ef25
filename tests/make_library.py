"""Libraries of finished videos that nobody had to compute: everything is real but the content."""

import json
from pathlib import Path

from reelmake.library import config, fingerprints, job_records, manifest, measures, sources, videos
from reelmake.library.stages import STAGES, artifact_paths

ENDED = 1_700_000_000
"""When their jobs ended, and of when their sources are (s since 1970)."""


MEDIA = {
    "container": "mov,mp4,m4a,3gp,3g2,mj2",
    "duration": 60.0,
    "start_time": 0.0,
    "bit_rate": None,
    "streams": [],
    "video": None,
    "audio": None,
}
"""What media.json says of each film, but for the digest of its content."""
SPEAKERS = {
    "failure": None,
    "engine": {"name": "sherpa-onnx", "version": "1.0"},
    "models": {"segmentation": "a", "embedding": "b"},
    "speakers": [],
    "turns": [],
}


def make_library(number: int, given: dict) -> None:
    """Finished videos in the working directory: sidecars, job records and manifests over small
    artifacts. given: the configuration, whose `videos` names the folder of the sources.
    """
    folder = Path(given["videos"])
    folder.mkdir(parents=True)
    for count in range(number):
        (folder / f"film{count:05}.mp4").write_bytes(b"%d" % count)
    complete = config.load(given)
    settings = fingerprints.settings(complete)
    for id, video in videos.find(complete).items():
        finish(Path("results", id), settings, video.source)


def finish(results: Path, settings: dict, path: str) -> None:
    """Make a finished video in `results` of the source at `path`."""
    for inner in ("fingerprints", "jobs"):
        (results / inner).mkdir(parents=True)
    wanted = fingerprints.compute(settings, sources.identify(path))
    for name, content in wanted.items():
        _write(results / "fingerprints" / f"{name}.json", content)
        stage = STAGES[name]
        record = {
            "state": "done",
            "key": content["key"],
            "host": "host",
            "pid": 1,
            "attempt": 1,
            "started": ENDED - 1,
            "log": f"logs/{stage.rule}/{results.name}.log",
            "engines": dict.fromkeys(stage.packages, "1.0"),
            "cache": "miss" if stage.cached else "off",
            "made": {"bytes": 2000} | ({"media_seconds": 600.0} if name == "media" else {}),
            "updated": ENDED,
            "ended": ENDED,
        }
        _write(results / "jobs" / f"{name}.json", record)
        if stage.temporary or name == "manifest":
            continue
        for inner in artifact_paths(stage, results.name):
            if inner.endswith("/"):
                (results / inner).mkdir()
                (results / inner / "scene0000_0.jpg").write_bytes(b"jpeg")
            elif inner == "speakers.json":
                _write(results / inner, SPEAKERS)
            elif inner == "media.json":
                _write(results / inner, MEDIA | {"content": sources.digest(Path(path))})
            else:
                (results / inner).write_bytes(b"{}" * 1000)
    _write(results / "manifest.json", manifest.build(results))
    last = {"totals": measures.collect(results)}
    _write(results / "jobs" / "manifest.json", job_records.read(results, "manifest") | last)


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1))
