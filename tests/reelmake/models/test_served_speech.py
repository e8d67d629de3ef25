"""Speech to text by a server: what is said is what the engine here hears, at the same times."""

import contextlib
import io
import json
import threading
import wave

import numpy as np
import pytest

from model_servers import MODELS, Double, Hearing, error
from reelmake.foundation import artifact_files
from reelmake.foundation.errors import StageError
from reelmake.foundation.journal import Journal
from reelmake.library import config
from reelmake.models import transcription
from reelmake.models.audio_chunks import RATE
from reelmake.models.endpoint import Address
from synthesis import speak

TINY = {"compute_type": "float32", "language": "en", "temperature": 0}
LIKELY = {"probability": 7}
SENTENCES = ((2, "the red ball falls quickly"), (9, "we see seven bird"), (15, "a cat sleeps"))


@pytest.fixture(scope="module")
def spoken():
    """Three sentences with pauses of some seconds."""
    samples = np.random.default_rng(0).normal(0, 0.0005, 20 * RATE).astype(np.float32)
    for start, text in SENTENCES:
        voice, _ = speak(text)
        samples[start * RATE : start * RATE + len(voice)] += voice
    return np.round(samples * 32768).astype(np.float32) / 32768  # as a WAV file has them


@pytest.fixture(scope="module")
def hearing():
    return Hearing()


def transcribe(samples, url=None, model="tiny", journal=None, **more):
    settings = config.load({"transcription": TINY | more})["transcription"]
    server = Address("transcription", url, 3, 60.0) if url else None
    return transcription.transcribe(
        samples, settings, model, "cpu", 1, journal=journal, server=server
    )


def texts(transcript):
    return [segment["text"] for segment in transcript["segments"]]


def said(*segments, **more):
    """An answer of a server that has heard these: (start, end, text)."""
    listed = [{"start": one, "end": two, "text": text} for one, two, text in segments]
    return 200, {"text": "", "segments": listed} | more


def test_words_and_times_are_those_of_the_engine_here(spoken, hearing):
    here = transcribe(spoken, model=str(MODELS / "speech"))
    with Double(hearing) as double:
        found = transcribe(spoken, double.url)
    artifact_files.validate(found, "transcript")
    assert len(here["segments"]) == 3
    assert found == here | {"model": {"name": "tiny", "revision": None, "endpoint": True}}


def test_words_may_stand_beside_the_segments_without_a_probability(spoken, hearing):
    with Double(hearing) as inside, Double(Hearing(beside=True)) as beside:
        one, other = (transcribe(spoken, double.url) for double in (inside, beside))
    for first, second in zip(one["segments"], other["segments"], strict=True):
        for word, same in zip(first["words"], second["words"], strict=True):
            assert {**word, "probability": same["probability"]} == same
        for word in second["words"]:
            assert word["probability"] == pytest.approx(np.exp(first["avg_logprob"]), abs=0.001)


def test_what_a_server_is_told(spoken, hearing):
    with Double(hearing) as double:
        transcribe(spoken, double.url, initial_prompt="Samsa", hotwords="Kafka", temperature=0.5)
        fields = hearing.fields[-1]
        assert fields["response_format"] == "verbose_json"
        assert fields["timestamp_granularities[]"] == ["word", "segment"]
        told = {"model": "tiny", "language": "en", "prompt": "Samsa", "hotwords": "Kafka"}
        assert {name: fields[name] for name in told} == told
        assert float(fields["temperature"]) == 0.5
        transcript = transcribe(spoken, double.url, language=None, word_timestamps=False)
        fields = hearing.fields[-1]
        assert fields["timestamp_granularities[]"] == ["segment"]
        assert not fields.keys() & {"language", "prompt", "hotwords"}
    assert transcript["language"] == "en"  # which the server called English
    assert all(segment["words"] == [] for segment in transcript["segments"])


def test_a_piece_is_sent_as_it_is_in_the_sound(hearing):
    samples = (np.random.default_rng(1).integers(-3000, 3000, 5 * RATE) / 32768).astype(np.float32)
    with Double(hearing) as double:
        transcribe(samples, double.url, vad_filter=False, allow_empty=True)
    with wave.open(io.BytesIO(hearing.fields[-1]["file"])) as file:
        assert file.getparams()[:4] == (1, 2, RATE, len(samples))
        sent = np.frombuffer(file.readframes(len(samples)), np.int16)
    assert np.array_equal(sent, (samples * 32768).astype(np.int16))


def test_pieces_are_in_work_at_once_and_in_order(spoken):
    """The shorter ones, which are those said later, are answered first."""
    everyone = threading.Barrier(3)

    def answers(body):
        everyone.wait(timeout=20)
        return said((0.4, 1.4, f"{len(body)} bytes"))

    with Double(answers) as double:
        found = transcribe(spoken, double.url)
    assert double.most == 3
    starts = [segment["start"] for segment in found["segments"]]
    assert [round(start) for start in starts] == [start for start, _ in SENTENCES]


def test_a_stopped_job_goes_on_after_its_chunks(spoken, hearing, tmp_path):
    chunks = {"chunk_minutes": 0.1}
    with Double(hearing) as double, contextlib.closing(Journal(tmp_path, "S", "0")) as journal:
        whole = transcribe(spoken, double.url, **chunks)
        plain, count = double.answers, len(double.asked)
        double.answers = lambda body: (
            error(503, "no") if len(double.asked) > count + 1 else plain(body)
        )
        double.more = {"retry-after-ms": "1"}
        with pytest.raises(StageError, match="overloaded") as failed:
            transcribe(spoken, double.url, journal=journal, **chunks)
        assert failed.value.kind == "transient"
        double.answers, asked = plain, len(double.asked)
    with Double(hearing) as double, contextlib.closing(Journal(tmp_path, "S", "0")) as journal:
        assert len(journal.records) == 1
        assert transcribe(spoken, double.url, journal=journal, **chunks) == whole
        assert 0 < len(double.asked) < asked


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("en", "en"),
        ("english", "en"),
        ("German", "de"),
        ("haw", "haw"),
        ("?", "und"),
        (None, "und"),
    ],
)
def test_the_language_is_the_server_s_word(spoken, language, code):
    with Double(lambda body: said((0.4, 1.4, "hello"), language=language)) as double:
        found = transcribe(spoken, double.url, language=None)
    assert found["language"] == code
    assert found["language_probability"] is None
    artifact_files.validate(found, "transcript")


@pytest.mark.parametrize(
    "segment",
    [
        {"start": -5, "end": 1e9, "text": "a"},
        {"start": 1.0, "end": 0.5, "text": "a"},
        {"start": 1.0, "end": 0.5, "text": "a", "words": [{"word": "a", "start": 9, "end": 1}]},
        {
            "start": 0,
            "end": 1,
            "text": "a",
            "words": [{"word": "a", "start": 0, "end": 1} | LIKELY],
        },
    ],
)
def test_times_and_numbers_that_can_not_be_make_no_bad_transcript(spoken, tmp_path, segment):
    with Double(lambda body: (200, {"segments": [segment]})) as double:
        found = transcribe(spoken, double.url)
    artifact_files.write_json(tmp_path / "t.json", found, "transcript")
    assert all(0 <= each["start"] <= each["end"] <= 20 for each in found["segments"])


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((200, {"text": "hello"}), "verbose_json"),
        ((200, b"hello"), "verbose_json"),
        ((200, {"segments": [{"text": "hello"}]}), "verbose_json"),
        ((200, {"segments": [{"start": 0, "end": 1e999, "text": "a"}]}), "verbose_json"),
        ((200, {"segments": [{"start": 0, "end": 1, "text": "\ud800"}]}), "verbose_json"),
        (error(400, "no such format"), r"400: no such format.*verbose_json"),
        (error(404, "no"), r"check transcription\.endpoint"),
    ],
)
def test_a_server_that_does_not_transcribe(spoken, answer, says):
    with (
        Double(lambda body: answer) as double,
        pytest.raises(StageError, match=says) as failed,
    ):
        transcribe(spoken, double.url)
    assert failed.value.kind == "engine"


def test_a_server_that_fails_on_a_piece(spoken):
    with Double(lambda body: error(500, "no memory")) as double:
        double.more = {"retry-after-ms": "1"}
        with pytest.raises(StageError, match=r"\(500: no memory\); look at what it logs") as failed:
            transcribe(spoken, double.url)
    assert failed.value.kind == "transient"


def test_silence_is_sent_to_nobody():
    with Double(lambda body: said()) as double:
        found = transcribe(np.zeros(5 * RATE, np.float32), double.url)
        assert double.asked == []
    assert found["segments"] == []
    assert json.dumps(found)
