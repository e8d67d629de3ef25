"""What an editor has to know of a film of the library, from its artifacts and the film itself."""

from pathlib import Path
from typing import Any

from reelmake.editing import frame_rate, picture_geometry, streams
from reelmake.editing.string_out import Film
from reelmake.foundation import artifact_files
from reelmake.foundation.errors import StageError
from reelmake.library import integrity, sources
from reelmake.media import start_timecode

NO_SCENES: dict[str, Any] = {"fps": None, "scenes": []}
HOUR = 3600.0
"""How long a film is taken to be that nobody knows the length of, seconds."""


def read(results: Path) -> Film:
    """The film of a video. results: its folder.

    The film is opened for its start timecode. Raises StageError where it is gone or was changed,
    or where it has not been looked at yet.
    """
    wanted = artifact_files.read_json(results / "fingerprints" / "media.json")
    try:
        identity = wanted["source"]
        source = sources.local(identity, results)
    except (TypeError, KeyError):
        raise StageError(f"{results} holds no video; run snakemake first") from None
    media = integrity.read_json(results / "media.json")
    scenes = results / "scenes.json"
    found = integrity.read_json(scenes) if scenes.exists() else NO_SCENES
    pictures = None if media["video"] is None else streams.video(media)
    sound = None if media["audio"] is None else streams.stream(media, media["audio"])
    return Film(
        source,
        frame_rate.cadence(media, found, HOUR),
        start_timecode.read(source, media),
        None if pictures is None else picture_geometry.shape(pictures).film,
        0 if sound is None else sound["channels"],
        0 if sound is None else sound["sample_rate"],
    )
