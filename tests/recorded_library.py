"""A library as its job records tell it."""

import io
import json
from pathlib import Path

from rich.console import Console

from reelmake.foundation import artifact_files
from reelmake.library import config, fingerprints, job_records, library_scan, measures
from reelmake.library.stages import stages_of
from reelmake.reel import status, status_table

STAGES = [stage.name for stage in stages_of(url=False)]
SETTINGS = fingerprints.settings(config.load({"translations": {"languages": ["de"]}}))
MADE = {
    "media": {"media_seconds": 120.0},
    "transcript": {"segments": 7},
    "keyframes": {"frames": 5},
    "scenedesc": {"descriptions": 4},
    "highlights": {"highlights": 3},
}


class Library:
    """A folder `results` with records as jobs leave them."""

    def __init__(self, folder: Path):
        self.results = folder / "results"

    def fingerprints(self, video: str, size: int = 1000) -> None:
        """The sidecars of a new video."""
        identity = {"path": f"/films/{video}.mp4", "size": size, "mtime_ns": 1}
        for stage, wanted in fingerprints.compute(SETTINGS, identity).items():
            path = self.results / video / "fingerprints" / f"{stage}.json"
            artifact_files.write_json(path, wanted, durable=False)

    def record(self, video: str, stage: str, **values) -> None:
        """A job record; by default of a job that ended well."""
        key = artifact_files.read_json(self.results / video / "fingerprints" / f"{stage}.json")[
            "key"
        ]
        known = {"state": "done", "key": key, "started": 1000.0, "ended": 1012.0, "cache": "miss"}
        made = {"bytes": 10} | MADE.get(stage, {})
        record = known | {"made": made, "host": "box", "pid": 1, "attempt": 1} | values
        job_records.write(self.results / video, stage, record)

    def finish(self, video: str, old: bool = False, **values) -> None:
        """A finished video. old: as an earlier version did, without totals."""
        self.fingerprints(video)
        for stage in STAGES[:-1]:
            self.record(video, stage, **values)
        last = {} if old else {"totals": self.totals(video)}
        self.record(video, "manifest", **values, **last)

    def totals(self, video: str) -> job_records.Totals:
        """What the last job of a video adds up."""
        return measures.collect(self.results / video)

    def status(self, **options) -> status.Status:
        """The status, which is always as its schema says."""
        found = status.status(library_scan.Scan(self.results).look(), **options)
        artifact_files.validate(json.loads(json.dumps(found)), "status")
        return found

    def shown(self, width: int = 80, rows: int = 20, **options) -> str:
        """What a person is shown, on a terminal that understands everything."""
        console = Console(
            file=io.StringIO(), width=width, force_terminal=True, color_system=None, markup=False
        )
        console.print(status_table.library(self.status(**options), width, rows))
        return console.file.getvalue()
