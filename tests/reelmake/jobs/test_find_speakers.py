"""The stage speakers: what it does before its engine."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

import find_speakers
from make_library import MEDIA
from reelmake.foundation import artifact_files
from reelmake.foundation.errors import StageError
from reelmake.jobs import temporary_audio
from reelmake.library import voice_prints
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


def test_a_document_has_turns_times_and_prints_of_each_who_speaks():
    names = [f"speakers.{name}_model" for name in ("segmentation", "embedding")]
    this = SimpleNamespace(fingerprint={"settings": dict.fromkeys(names, "a/b")})
    turns = [[2.0, 3.5, 1], [0.5, 2.0, 0], [3.0, 4.25, 0], [5.0, 5.0004, 1]]
    made = find_speakers.as_document(this, [turns, [[0.6, 0.8], None]])
    artifact_files.validate(made, "speakers")
    assert made["turns"] == [
        {"start": 0.5, "end": 2.0, "speaker": "S1"},
        {"start": 2.0, "end": 3.5, "speaker": "S2"},
        {"start": 3.0, "end": 4.25, "speaker": "S1"},
    ]
    anna, ben = made["speakers"]
    print_ = np.frombuffer(voice_prints.packed(anna["print"]), voice_prints.DTYPE)
    assert print_.tolist() == pytest.approx([0.6, 0.8], abs=1e-3)
    assert (anna["label"], anna["seconds"], anna["turns"]) == ("S1", 2.75, 2)
    assert ben == {"label": "S2", "seconds": 1.5, "turns": 1, "print": None}
    assert made["models"] == {"segmentation": "a/b", "embedding": "a/b"}
    assert made["engine"]["name"] == "sherpa-onnx" and made["engine"]["version"]
