"""Speech to text with the tiny model: what is said is what was spoken, when it was spoken."""

import contextlib
import dataclasses
import inspect
import itertools
import json
import wave
from pathlib import Path

import numpy as np
import pytest

from reelmake.foundation import artifact_files
from reelmake.foundation.errors import StageError
from reelmake.foundation.journal import Journal
from reelmake.library import config
from reelmake.models import hearing, transcription, whisper
from reelmake.models.audio_chunks import RATE, WavFile
from synthesis import speak

MODEL = str(Path(__file__).resolve().parents[3] / "demo" / "models" / "speech")
TINY = {"compute_type": "float32", "language": "en", "temperature": 0}


def settings(**more):
    return config.load({"transcription": TINY | more})["transcription"]


def transcribe(samples, model=MODEL, kept=None, progress=lambda done, total: None, **more):
    """kept: the folder of a journal."""
    with contextlib.closing(Journal(kept, "S", "0")) if kept else contextlib.nullcontext() as it:
        return transcription.transcribe(
            samples, settings(**more), model, "cpu", threads=1, progress=progress, journal=it
        )


def records(folder):
    """What the journal in the folder holds."""
    with contextlib.closing(Journal(folder, "S", "0")) as journal:
        return journal.records


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
    artifact_files.validate(transcript, "transcript")
    heard = [word for segment in transcript["segments"] for word in segment["words"]]
    assert [word["word"] for word in heard] == [word for word, _, _ in words]
    for word, (_, start, end) in zip(heard, words, strict=True):
        assert abs(word["start"] - start) < 0.35, word
        assert abs(word["end"] - end) < 0.35, word
    assert transcript["mode"] == ("batched" if batch_size else "sequential")
    assert transcript["voiced_share"] > 0.5


GIVEN = {
    "task": "translate",
    "hotwords": "ball",
    "language_detection_segments": 3,
    "no_speech_threshold": 0.5,
    "log_prob_threshold": None,
    "compression_ratio_threshold": 2.0,
    "hallucination_silence_threshold": 2.0,
    "repetition_penalty": 1.5,
    "no_repeat_ngram_size": 2,
    "suppress_tokens": [],
}


@pytest.mark.parametrize("batch_size", [0, 4])
@pytest.mark.parametrize("given", [{}, GIVEN])
def test_settings_reach_the_engine_and_defaults_are_its_own(spoken, monkeypatch, batch_size, given):
    import faster_whisper

    kind = "BatchedInferencePipeline" if batch_size else "WhisperModel"
    owner = getattr(faster_whisper, kind)
    plain, calls = owner.transcribe, []

    def spied(self, *args, **options):
        calls.append(options)
        return plain(self, *args, **options)

    monkeypatch.setattr(owner, "transcribe", spied)
    transcribe(spoken[0], batch_size=batch_size, allow_empty=True, **given)
    defaults = inspect.signature(plain).parameters
    for options in calls:
        for name, value in GIVEN.items():
            assert options[name] == (value if given else defaults[name].default), name
    assert calls


@pytest.mark.parametrize("method", ["spans", "filter"])
def test_a_quiet_voice_is_found_with_a_lower_threshold(spoken, method):
    """And none where the detection has to be surer than it ever is."""
    usual, sure = (
        transcribe(spoken[0], vad_method=method, vad_threshold=threshold, allow_empty=True)
        for threshold in (0.5, 0.9999)
    )
    assert sure["voiced_seconds"] < usual["voiced_seconds"]


def test_the_filter_hears_more_around_a_voice(spoken):
    wide, narrow = (
        transcribe(spoken[0], vad_method="filter", vad_pad=pad)["voiced_seconds"]
        for pad in (1.0, 0.1)
    )
    assert wide > narrow + 0.5


def test_twice_the_same(spoken):
    assert transcribe(spoken[0]) == transcribe(spoken[0])


def test_two_microphones_are_heard_each_by_itself(tmp_path):
    """Who speaks into one is heard in the other as well, quieter: once is enough."""
    left, right = (np.random.default_rng(n).normal(0, 0.0003, 14 * RATE) for n in (1, 2))
    expected = []
    for number, start in enumerate((1, 4, 7, 10)):
        voice, words = speak(("the red ball falls quickly", "we see seven bird")[number % 2])
        near, far = (left, right) if number % 2 == 0 else (right, left)
        near[start * RATE : start * RATE + len(voice)] += 0.7 * voice
        far[start * RATE : start * RATE + len(voice)] += 0.1 * voice
        expected.append((("left", "right")[number % 2], " ".join(word for word, _, _ in words)))
    path = tmp_path / "audio.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, RATE, 0, "NONE", ""))
        samples = np.stack([left, right], axis=1)
        file.writeframes((samples.clip(-1, 1) * 32767).astype(np.int16).tobytes())
    transcript = transcribe(WavFile(path))
    artifact_files.validate(transcript, "transcript")
    heard = [(segment["speaker"], segment["text"]) for segment in transcript["segments"]]
    assert heard == expected
    assert transcript["unheard"] == []
    # Mixed, the same film has no speakers.
    mixed = transcribe(WavFile(path)[:])
    assert [segment.get("speaker") for segment in mixed["segments"]] == [None] * 4


def test_no_sound_needs_no_model():
    transcript = transcribe(np.zeros(0, np.float32), model="no-such-model")
    artifact_files.validate(transcript, "transcript")
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
    monkeypatch.setattr(whisper.Speech, "hear", lambda *args: iter(()))
    with pytest.raises(StageError, match="voice activity"):
        transcribe(spoken[0])
    assert transcribe(spoken[0], allow_empty=True)["segments"] == []


@pytest.fixture(scope="module")
def long():
    """Ten sentences, one every 3 s, after 9 s of silence: samples, and where they begin."""
    samples = np.random.default_rng(0).normal(0, 0.0005, 40 * RATE).astype(np.float32)
    starts = range(9, 39, 3)
    for number, start in enumerate(starts):
        voice, _ = speak(("the red ball falls quickly", "we see seven bird")[number % 2])
        samples[start * RATE : start * RATE + len(voice)] += voice
    return samples, starts


@pytest.mark.parametrize("batch_size", [0, 4])
def test_in_chunks_everything_is_heard_once_at_its_time(long, tmp_path, batch_size):
    """Each chunk is heard as if it were alone, so the model's mistakes don't matter here."""
    samples, starts = long
    transcript = transcribe(samples, kept=tmp_path, chunk_minutes=0.2, batch_size=batch_size)
    artifact_files.validate(transcript, "transcript")
    chunks = records(tmp_path)
    assert len(chunks) == 4
    bounds = [0, *(chunk["stop"] for chunk in chunks)]
    assert [chunk["start"] for chunk in chunks] == bounds[:-1]
    assert bounds[-1] == len(samples)
    for bound in bounds[1:-1]:  # between the sentences, which take less than 2.5 s
        assert not any(start + 0.1 < bound / RATE < start + 1.5 for start in starts), bound
    expected, voiced = [], 0.0
    for begin, end in itertools.pairwise(bounds):
        alone = transcribe(samples[begin:end], batch_size=batch_size, allow_empty=True)
        voiced += alone["voiced_seconds"]
        for segment in alone["segments"]:
            first, last = segment["start"] + begin / RATE, segment["end"] + begin / RATE
            expected.append((segment["text"], first, min(last, end / RATE)))
    heard = [(s["text"], s["start"], s["end"]) for s in transcript["segments"]]
    assert [text for text, _, _ in heard] == [text for text, _, _ in expected]
    for one, other in zip(heard, expected, strict=True):
        assert one[1:] == pytest.approx(other[1:], abs=0.002)
    assert transcript["voiced_seconds"] == pytest.approx(voiced, abs=0.01)
    assert [s["id"] for s in transcript["segments"]] == list(range(len(heard)))
    for one, other in itertools.pairwise(transcript["segments"]):
        assert one["end"] <= other["start"]
    # Each sentence is in one segment at least.
    for start in starts:
        assert any(s["start"] < start + 1.5 and s["end"] > start for s in transcript["segments"])


def test_a_stopped_transcript_goes_on_after_its_last_chunk(long, tmp_path, monkeypatch):
    samples, _ = long
    whole = transcribe(samples, chunk_minutes=0.2)
    calls = []
    plain = hearing.Hearing.chunk

    def counted(self, samples, language, before):
        if len(calls) == 2 and not (tmp_path / "stopped").exists():
            (tmp_path / "stopped").touch()
            raise KeyboardInterrupt
        calls.append(language)
        return plain(self, samples, language, before)

    monkeypatch.setattr(hearing.Hearing, "chunk", counted)
    told = []
    more = {"chunk_minutes": 0.2, "progress": lambda *said: told.append(said)}
    with pytest.raises(KeyboardInterrupt):
        transcribe(samples, kept=tmp_path, **more)
    assert told[0] == (0, 40)
    told.clear()
    resumed = transcribe(samples, kept=tmp_path, **more)
    assert json.dumps(resumed) == json.dumps(whole)
    assert told[0] == (records(tmp_path)[1]["stop"] // RATE, 40)
    assert len(calls) == len(records(tmp_path)) == 4
    # All of it is there: the model is not even loaded.
    monkeypatch.setattr(whisper, "Speech", None)
    assert transcribe(samples, kept=tmp_path, **more) == whole
    # Of another revision of the model, nothing is used.
    monkeypatch.setattr(whisper, "revision", lambda folder: "1" * 40)
    with pytest.raises(TypeError):
        transcribe(samples, kept=tmp_path, **more)


def test_by_the_filter_the_language_is_that_of_the_first_chunk_with_speech(
    long, tmp_path, monkeypatch
):
    """The tiny model knows one language: what it detects is simulated."""
    samples, _ = long
    languages = iter(["cy", "de", "fr"])  # in silence, anything
    asked = []
    plain = whisper.Speech.hear_filtered

    def detected(self, samples, language):
        asked.append(language)
        heard = plain(self, samples, "en")
        probability = 1 if language else 0.8
        language = language or next(languages)
        return dataclasses.replace(heard, language=language, probability=probability)

    monkeypatch.setattr(whisper.Speech, "hear_filtered", detected)
    more = {"language": None, "chunk_minutes": 0.1, "vad_method": "filter"}
    transcript = transcribe(samples, kept=tmp_path, **more)
    assert asked[:2] == [None, None]
    assert set(asked[2:]) == {"de"}
    assert (transcript["language"], transcript["language_probability"]) == ("de", 0.8)
    # A job that goes on keeps it.
    with contextlib.closing(Journal(tmp_path / "some", "S", "0")) as some:
        for record in records(tmp_path)[:3]:
            some.append(record)
    asked.clear()
    again = transcribe(samples, kept=tmp_path / "some", **more)
    assert set(asked) == {"de"}
    assert again == transcript


def test_voices_without_a_word_are_asked_for_again(spoken, tmp_path, monkeypatch):
    """Nobody must find out that a journal keeps a driver's failure alive."""
    with monkeypatch.context() as patched:
        patched.setattr(whisper.Speech, "hear", lambda *args: iter(()))
        with pytest.raises(StageError, match="voice activity"):
            transcribe(spoken[0], kept=tmp_path)
    assert transcribe(spoken[0], kept=tmp_path)["segments"]


@pytest.mark.parametrize(
    ("model", "says", "kind"),
    [
        ("./nowhere", "does not exist", "engine"),
        ("models/of/mine", "does not exist", "engine"),
        ("smal", "there is no speech model 'smal'", "engine"),
        ("tiny", "`reel models` downloads it", "engine"),
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
