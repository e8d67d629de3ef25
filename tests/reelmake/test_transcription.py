"""Speech to text with the tiny model: what is said is what was spoken, when it was spoken."""

from pathlib import Path

import numpy as np
import pytest

from reelmake import artifact, config, transcription
from reelmake.errors import StageError
from synthesis import speak

MODEL = str(Path(__file__).resolve().parents[2] / "demo" / "models" / "speech")
TINY = {"compute_type": "float32", "language": "en", "temperature": 0}


def settings(**more):
    return config.load({"transcription": TINY | more})["transcription"]


def transcribe(samples, model=MODEL, **more):
    return transcription.transcribe(samples, settings(**more), model, device="cpu", threads=1)


@pytest.fixture(scope="module")
def spoken():
    """Two sentences at 2 s and 6 s: samples, and the words with their times (seconds)."""
    samples = np.random.default_rng(0).normal(0, 0.0005, 10 * 16_000).astype(np.float32)
    words = []
    for start, text in ((2, "the red ball falls quickly"), (6, "we see seven birds".rstrip("s"))):
        voice, times = speak(text)
        samples[start * 16_000 : start * 16_000 + len(voice)] += voice
        words += [(word, start + begin, start + end) for word, begin, end in times]
    return samples, words


@pytest.mark.parametrize("batch_size", [0, 4])
def test_the_words_and_their_times(spoken, batch_size):
    samples, words = spoken
    transcript = transcribe(samples, batch_size=batch_size)
    artifact.validate(transcript, "transcript")
    heard = [word for segment in transcript["segments"] for word in segment["words"]]
    assert [word["word"] for word in heard] == [word for word, _, _ in words]
    for word, (_, start, end) in zip(heard, words, strict=True):
        assert abs(word["start"] - start) < 0.35, word
        assert abs(word["end"] - end) < 0.35, word
    assert transcript["mode"] == ("batched" if batch_size else "sequential")
    assert transcript["voiced_share"] > 0.5


def test_twice_the_same(spoken):
    assert transcribe(spoken[0]) == transcribe(spoken[0])


def test_no_sound_needs_no_model():
    transcript = transcribe(np.zeros(0, np.float32), model="no-such-model")
    artifact.validate(transcript, "transcript")
    assert transcript["segments"] == []
    assert transcript["voiced_share"] is None


@pytest.mark.parametrize("kind", ["silence", "tone"])
def test_silence_and_a_tone_give_no_segment(kind):
    time = np.arange(5 * 16_000) / 16_000
    samples = np.sin(2 * np.pi * 440 * time) * 0.3 if kind == "tone" else np.zeros(5 * 16_000)
    transcript = transcribe(samples.astype(np.float32))
    assert transcript["segments"] == []
    assert transcript["voiced_seconds"] == 0


def test_voices_without_a_word_are_an_error(spoken, monkeypatch):
    """A model that hears nothing is simulated: a real one that does so is a broken driver."""
    run = transcription._run
    monkeypatch.setattr(transcription, "_run", lambda *args: ([], run(*args)[1]))
    with pytest.raises(StageError, match="voice activity"):
        transcribe(spoken[0])
    assert transcribe(spoken[0], allow_empty=True)["segments"] == []


def test_covered_time_counts_overlaps_once():
    assert transcription._covered([(0, 2), (1, 3), (5, 6)]) == 4


@pytest.mark.parametrize(
    ("model", "says", "kind"),
    [
        ("./nowhere", "does not exist", "engine"),
        ("models/of/mine", "does not exist", "engine"),
        ("smal", "Invalid model size", "engine"),
        ("tiny", "connect once", "transient"),
    ],
)
def test_a_model_that_cannot_be_had(spoken, monkeypatch, tmp_path, model, says, kind):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(StageError, match=says) as error:
        transcribe(spoken[0], model=model)
    assert error.value.kind == kind


def test_a_damaged_model_is_named(spoken, tmp_path):
    for name in ("config.json", "tokenizer.json", "model.bin"):
        (tmp_path / name).write_bytes((Path(MODEL) / name).read_bytes()[:1000])
    with pytest.raises(StageError, match=r"cannot be used|tokenizer"):
        transcribe(spoken[0], model=str(tmp_path))
    (tmp_path / "model.bin").unlink()
    with pytest.raises(StageError, match=r"no model\.bin"):
        transcribe(spoken[0], model=str(tmp_path))
