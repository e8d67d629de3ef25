"""The settings of every stage as fingerprints hold them; a model that is gone stays known."""

import copy
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reelmake.library import finished_index, sidecars
from reelmake.library.stages import STAGES


class StageSettings:
    """The settings of each stage for one or more videos.

    by_stage: as `fingerprint.settings` gives them. digest: differs where they do.
    """

    def __init__(self, by_stage: dict[str, dict[str, Any]]):
        self.by_stage = by_stage
        self.digest = finished_index.digest(by_stage)
        self._gone = [
            (stage.name, setting, by_stage[stage.name][setting])
            for stage in STAGES.values()
            if stage.name in by_stage and stage.endpoint not in by_stage[stage.name]
            for setting in stage.models
            if isinstance(by_stage[stage.name][setting], str)
            and ("/" in by_stage[stage.name][setting] or _is_file(by_stage[stage.name], setting))
        ]
        self._as_known: dict[str, StageSettings] = {}
        self._named: dict[str, StageSettings] = {}

    def as_known(self, results: Path) -> "StageSettings":
        """The settings, with the last known content of a local model that is gone for now.

        A model on a disk that is not mounted forces nothing, like a film that is.
        """
        known = {}
        for stage, setting, name in self._gone:
            before = sidecars.read(results, stage).get("settings", {}).get(setting)
            if isinstance(before, dict) and before.get("name") == Path(name).name:
                known[stage, setting] = before
        if not known:
            return self
        if str(known) not in self._as_known:
            by_stage = copy.deepcopy(self.by_stage)
            for (stage, setting), before in known.items():
                by_stage[stage][setting] = before
            self._as_known[str(known)] = StageSettings(by_stage)
        return self._as_known[str(known)]

    def named(self, names: Mapping[str, str]) -> "StageSettings":
        """The settings with the names of a video's speakers, which its subtitles print. names: by
        label."""
        said = json.dumps(names, sort_keys=True)
        if not names or "subtitles" not in self.by_stage:
            return self
        if said not in self._named:
            made = copy.copy(self)
            printing = self.by_stage["subtitles"] | {"speakers.names": dict(names)}
            made.by_stage = self.by_stage | {"subtitles": printing}
            made.digest = hashlib.sha256(f"{self.digest} {said}".encode()).hexdigest()
            self._named[said] = made
        return self._named[said]


def _is_file(settings: dict[str, Any], setting: str) -> bool:
    """Whether a model setting names a file here even without a folder in its name."""
    return settings.get(f"{setting.partition('.')[0]}.repo_id", "") is None
