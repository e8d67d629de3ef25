"""A model that sherpa-onnx would end the process for is an error that says what to do."""

from pathlib import Path

import numpy as np
import pytest

from reelmake.foundation.errors import StageError
from reelmake.models import diarization, speaker_models
from reelmake.models.speaker_models import EMBEDDING, SEGMENTATION

MODELS = Path(__file__).resolve().parents[3] / "demo" / "models" / "speakers"
FILES = {SEGMENTATION: MODELS / "segmentation.onnx", EMBEDDING: MODELS / "embedding.onnx"}


def edited(path: Path, key: str, value: str | None, into: Path) -> Path:
    """A copy of a model whose metadata says another value of the same length, or, with None, does
    not say it."""
    content = path.read_bytes()
    at = content.index(key.encode() + b"\x12") + len(key) + 2
    if value is None:
        content = content.replace(key.encode() + b"\x12", key[:-1].encode() + b"_\x12")
    else:
        assert content[at - 1] == len(value)
        content = content[:at] + value.encode() + content[at + len(value) :]
    into.write_bytes(content)
    return into


def diarize(setting: str, path: Path) -> None:
    """Have the engine work with that file in place of the model that a setting names."""
    files = FILES | {setting: path}
    diarization.diarize(np.zeros(16_000, np.float32), files[SEGMENTATION], files[EMBEDDING])


BROKEN = {
    "random bytes": lambda path: np.random.default_rng(0).bytes(5000),
    "nothing": lambda path: b"",
    "a text": lambda path: b"version https://git-lfs.github.com/spec/v1\n",
    "a part": lambda path: path.read_bytes()[:200_000],
}


@pytest.mark.parametrize("setting", FILES)
@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file(setting, kind, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(BROKEN[kind](FILES[setting]))
    with pytest.raises(StageError, match=rf"{path} can't be loaded.*check {setting}") as caught:
        diarize(setting, path)
    assert caught.value.kind == "engine"


@pytest.mark.parametrize(
    ("setting", "other"), [(SEGMENTATION, EMBEDDING), (EMBEDDING, SEGMENTATION)]
)
def test_another_model(setting, other):
    with pytest.raises(StageError, match=f"sherpa-onnx can read: .*check {setting}"):
        diarize(setting, FILES[other])


@pytest.mark.parametrize("setting", FILES)
def test_a_model_of_something_else(setting):
    text = MODELS.parent / "embedding" / "text" / "model.onnx"
    with pytest.raises(StageError, match=f"sherpa-onnx can read: .*check {setting}"):
        diarize(setting, text)


@pytest.mark.parametrize(
    ("setting", "key", "value"),
    [
        *((SEGMENTATION, key, None) for key in ("window_size", "num_classes", "sample_rate")),
        (SEGMENTATION, "num_classes", "3"),  # it would write beside its memory
        (SEGMENTATION, "powerset_max_classes", "3"),
        (SEGMENTATION, "receptive_field_shift", "999"),
        (SEGMENTATION, "receptive_field_shift", "000"),
        (SEGMENTATION, "window_size", "999999"),
        *((EMBEDDING, key, None) for key in ("framework", "output_dim", "language")),
        (EMBEDDING, "output_dim", "32"),
        (EMBEDDING, "framework", "nemospkr"[:9].ljust(9, "x")),
        (EMBEDDING, "sample_rate", "44100"),
    ],
)
def test_metadata_that_does_not_fit(setting, key, value, tmp_path):
    path = edited(FILES[setting], key, value, tmp_path / "model.onnx")
    with pytest.raises(StageError, match=f"check {setting}"):
        diarize(setting, path)


def test_where_a_model_is(tmp_path, monkeypatch):
    monkeypatch.setattr(speaker_models.model_files, "cached", lambda *asked: None)
    (tmp_path / "model.onnx").touch()
    assert speaker_models.file(str(tmp_path), EMBEDDING) == tmp_path / "model.onnx"
    assert speaker_models.file(str(tmp_path / "model.onnx"), EMBEDDING) == tmp_path / "model.onnx"
    assert speaker_models.known("someone/voices/eres.onnx", EMBEDDING) is None
    with pytest.raises(StageError, match="`reel models` downloads it"):
        speaker_models.file("someone/voices/eres.onnx", EMBEDDING)
    for name in (str(tmp_path / "no.onnx"), "~/no.onnx", "./a/no.onnx", "no.onnx", "a/../b.onnx"):
        with pytest.raises(StageError, match=f"is no ONNX file.*check {EMBEDDING}"):
            speaker_models.file(name, EMBEDDING)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("someone/turns", ("someone/turns", "model.onnx")),
        ("someone/voices/eres.onnx", ("someone/voices", "eres.onnx")),
        ("someone/voices/en/eres.onnx", ("someone/voices", "en/eres.onnx")),
        ("/someone/voices.onnx", None),
        ("someone//voices.onnx", None),
        ("someone/voices/no/model", None),
        ("someone/voices/../eres.onnx", None),
        ("eres.onnx", None),
    ],
)
def test_what_a_name_means_on_the_hub(name, meant):
    assert speaker_models.hub_file(name) == meant
