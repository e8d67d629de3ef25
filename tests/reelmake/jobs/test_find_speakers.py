"""The stage speakers: what it does before its engine."""

import json

import pytest

import find_speakers
from make_library import MEDIA
from reelmake.foundation.errors import StageError
from reelmake.jobs import temporary_audio
from reelmake.library.stages import STAGES
from text_job import TextJob

FILM = MEDIA | {"content": "0" * 64}


@pytest.fixture
def job(tmp_path, monkeypatch):
    """A job whose models are on no machine, and which must not extract any sound."""

    def extracted(*_):
        raise AssertionError("sound is extracted")

    monkeypatch.setattr(temporary_audio, "own", extracted)
    this = TextJob(tmp_path, "speakers", {})
    this.run.models.update(dict.fromkeys(STAGES["speakers"].models, "nobody/nothing/a.onnx"))
    return this


def test_a_model_is_missed_before_the_sound_is_extracted(job, tmp_path):
    media = tmp_path / "media.json"
    media.write_text(json.dumps(FILM | {"audio": 0}))
    with pytest.raises(StageError, match="is not on this machine: `reel models` downloads it"):
        find_speakers.find_speakers(job, media, tmp_path / "speakers.json")


def test_a_film_without_sound_needs_no_model(job, tmp_path):
    media = tmp_path / "media.json"
    media.write_text(json.dumps(FILM))
    with pytest.raises(AssertionError, match="sound is extracted"):
        find_speakers.find_speakers(job, media, tmp_path / "speakers.json")
