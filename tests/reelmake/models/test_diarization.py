"""Who speaks, by the tiny models: the voices of a conversation are told apart, when they speak."""

import contextlib
import json
import wave
from pathlib import Path

import numpy as np
import pytest

import make_media
from conversations import Voice, converse
from reelmake.foundation.errors import StageError
from reelmake.foundation.journal import Journal
from reelmake.models import diarization, sherpa
from reelmake.models.audio_chunks import RATE, WavFile

MODELS = Path(__file__).resolve().parents[3] / "demo" / "models" / "speakers"
SEGMENTATION, EMBEDDING = MODELS / "segmentation.onnx", MODELS / "embedding.onnx"
ONE, OTHER = Voice("", 50), Voice("f3", 50)
THRESHOLD = 0.6
"""As demo/config.yaml has it: the prints of so small a model differ more."""


def diarize(sound, kept=None, **more):
    """kept: the folder of a journal."""
    with contextlib.closing(Journal(kept, "S", "0")) if kept else contextlib.nullcontext() as it:
        more = {"threshold": THRESHOLD, "device": "cpu", "threads": 1} | more
        return diarization.diarize(sound, SEGMENTATION, EMBEDDING, journal=it, **more)


def wrong(found, said, seconds):
    """The share of the spoken time in which another one speaks than is found, or nobody does."""
    at = np.arange(0, seconds, 0.01)

    def spoken(turns, number):
        mine = [(start, end) for start, end, speaker in turns if speaker == number]
        return sum((start <= at) & (at < end) for start, end in mine) + np.zeros_like(at)

    numbers = range(1 + max(speaker for *_, speaker in [*found, *said]))
    truth = [spoken(said, number) for number in numbers]
    heard = [spoken(found, number) for number in numbers]
    missed = 0.0
    for mine in truth:  # each against the one that fits best
        missed += min(np.abs(mine - theirs).sum() for theirs in heard)
    return missed / sum(mine.sum() for mine in truth)


@pytest.fixture(scope="module")
def conversation():
    """A minute of two voices: samples, and the turns."""
    return converse([ONE, OTHER], 60, seed=3)


@pytest.fixture(scope="module")
def found(conversation):
    return diarize(conversation[0])


def test_two_voices(conversation, found):
    assert wrong(found.turns, conversation[1], 60) < 0.15
    assert {turn.speaker for turn in found.turns} == {0, 1}
    assert found.turns[0].speaker == 0, "the first to speak is the first"
    assert found.turns == sorted(found.turns)


def test_prints_are_unit_vectors_that_know_a_voice_again(conversation, found):
    prints = np.array(found.prints)
    assert np.linalg.norm(prints, axis=1) == pytest.approx([1, 1], abs=1e-4)
    first = conversation[1][0][2]  # who speaks first
    for voice, number in ((ONE, first), (OTHER, 1 - first)):
        (again,) = diarize(converse([voice], 20, seed=8)[0], count=1).prints
        likeness = prints @ again
        assert likeness[number] > 0.7 > likeness[1 - number]


def test_two_at_once_are_two_turns():
    sound, said = converse([ONE, OTHER], 40, seed=20, overlapping=1.0)

    def both(turns):
        pairs = [(a, b) for a in turns for b in turns if a[2] < b[2]]
        return sum(max(0.0, min(a[1], b[1]) - max(a[0], b[0])) for a, b in pairs)

    assert both(diarize(sound).turns) == pytest.approx(both(said), rel=0.4)


def test_the_turns_are_those_of_the_engine_alone_whose_voices_are_joined(conversation, found):
    sherpa_onnx = pytest.importorskip("sherpa_onnx")
    engine = sherpa_onnx.OfflineSpeakerDiarization(
        sherpa_onnx.OfflineSpeakerDiarizationConfig(
            sherpa_onnx.OfflineSpeakerSegmentationModelConfig(
                sherpa_onnx.OfflineSpeakerSegmentationPyannoteModelConfig(str(SEGMENTATION))
            ),
            sherpa_onnx.SpeakerEmbeddingExtractorConfig(str(EMBEDDING)),
            sherpa_onnx.FastClusteringConfig(-1, THRESHOLD),
        )
    )
    alone = engine.process(conversation[0]).sort_by_start_time()
    speakers = {}
    for turn in alone:
        (speaker,) = {
            mine.speaker
            for mine in found.turns
            if mine.start <= turn.start + 0.002 and turn.end - 0.02 <= mine.end
        }
        assert speakers.setdefault(turn.speaker, speaker) == speaker
    assert len(found.turns) <= len(alone)


@pytest.mark.parametrize("count", [None, 2])
def test_pieces_are_joined(conversation, count):
    told = []
    found = diarize(
        conversation[0], piece=20 * RATE, count=count, progress=lambda *each: told.append(each)
    )
    assert wrong(found.turns, conversation[1], 60) < 0.2
    assert len(found.prints) == 2
    assert told == sorted(told), "progress never goes back"
    assert told[0] == (0, 60)
    assert told[-1] == (60, 60)


def test_a_voice_is_known_again_in_a_later_piece():
    parts = [converse([voice], 20, seed=seed)[0] for seed, voice in enumerate((ONE, OTHER, ONE))]
    found = diarize(np.concatenate(parts), piece=20 * RATE)
    by_part = [{turn.speaker for turn in found.turns if turn.end // 20 == at} for at in range(3)]
    assert by_part == [{0}, {1}, {0}]


def test_a_given_number(conversation):
    assert len(diarize(conversation[0], count=1).prints) == 1
    assert len(diarize(conversation[0][: 9 * RATE], count=1).prints) == 1


def test_short_turns_are_left_out(conversation, found):
    turns = diarize(conversation[0], min_seconds=1.5).turns
    assert 0 < len(turns) < len(found.turns)
    assert all(turn.end - turn.start > 1.5 for turn in turns)


SECONDS = np.arange(30 * RATE, dtype=np.float32) / RATE
SILENT = {
    "nothing": np.zeros(0, np.float32),
    "one sample": np.zeros(1, np.float32),
    "a second of silence": np.zeros(RATE, np.float32),
    "silence": np.zeros(30 * RATE, np.float32),
    "noise": np.random.default_rng(0).normal(0, 0.01, 30 * RATE).astype(np.float32),
    "a tone": (0.3 * np.sin(2 * np.pi * 440 * SECONDS)).astype(np.float32),
    "chords": sum(
        0.1 * np.sin(2 * np.pi * base * np.where(SECONDS % 2 < 1, 1, 1.335) * SECONDS)
        for base in (220, 277.2, 329.6)
    ).astype(np.float32),
}


@pytest.mark.parametrize("kind", SILENT)
def test_where_nobody_speaks_there_is_no_speaker(kind):
    assert diarize(SILENT[kind]) == diarization.Diarization([], [])


def test_a_second_of_speech():
    sound, _ = converse([ONE], 6, seed=4)
    found = diarize(sound[RATE : 2 * RATE])
    assert len(found.prints) <= 1
    assert all(0 <= turn.start < turn.end <= 1 for turn in found.turns)


def test_a_film_of_8_khz(conversation, tmp_path):
    """As the audio stage has it: ffmpeg, 16 kHz, 16 bits, mono."""
    telephone, path = tmp_path / "telephone.wav", tmp_path / "audio.wav"
    with wave.open(str(telephone), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((conversation[0] * 32767).astype(np.int16).tobytes())
    make_media.ffmpeg("-i", telephone, "-ar", "8000", tmp_path / "8000.wav")
    make_media.ffmpeg("-i", tmp_path / "8000.wav", "-ar", "16000", "-c:a", "pcm_s16le", path)
    found = diarize(WavFile(path))
    assert wrong(found.turns, conversation[1], 60) < 0.25


def test_a_killed_job_goes_on_after_its_last_piece(conversation, tmp_path, monkeypatch):
    sound = conversation[0]
    whole = diarize(sound, piece=15 * RATE)
    heard = []
    turns = sherpa.Diarizer.turns

    def counted(self, samples, *rest):
        heard.append(len(samples))
        if len(heard) == 3:
            raise KeyboardInterrupt
        return turns(self, samples, *rest)

    monkeypatch.setattr(sherpa.Diarizer, "turns", counted)
    with pytest.raises(KeyboardInterrupt):
        diarize(sound, kept=tmp_path, piece=15 * RATE)
    resumed = diarize(sound, kept=tmp_path, piece=15 * RATE)
    assert json.dumps(resumed) == json.dumps(whole)
    assert heard[2] == heard[3], "the one that was stopped, and none of those before"
    pieces = len(heard) - 1
    assert json.dumps(diarize(sound, kept=tmp_path, piece=15 * RATE)) == json.dumps(whole)
    assert len(heard) - 1 == pieces, "what is whole loads no engine"


def test_eight_hours_whose_last_piece_alone_is_left(conversation, tmp_path):
    """As a job finds them that was killed before it: the same two voices every minute."""
    sound, said = conversation
    journal = tmp_path / "journal"
    diarize(sound, kept=journal)
    with contextlib.closing(Journal(journal, "S", "0")) as kept:
        (piece,) = kept.records
        for at in range(60, 28740, 60):
            kept.append(
                piece
                | {"start": at * RATE, "stop": (at + 60) * RATE}
                | {"turns": [(start + at, end + at, who) for start, end, who in piece["turns"]]}
            )
    path = tmp_path / "audio.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        for _ in range(480):
            file.writeframesraw((sound * 32767).astype(np.int16).tobytes())
    found = diarize(WavFile(path), kept=journal)
    assert {turn.speaker for turn in found.turns} == {0, 1}
    assert found.turns[-1].end > 8 * 3600 - 20
    last = [(start - 28740, end - 28740, who) for start, end, who in found.turns if start > 28740]
    assert wrong(last, said, 60) < 0.25


def test_what_the_engine_raises_is_an_error(conversation, monkeypatch):
    def fail(message):
        def turns(*given):
            raise RuntimeError(message)

        monkeypatch.setattr(sherpa.Diarizer, "turns", turns)
        with pytest.raises(StageError) as caught:
            diarize(conversation[0][:RATE])
        return caught.value

    assert fail("Failed to allocate memory for requested buffer").kind == "resources"
    assert "speakers.segmentation_model" in str(fail("Non-zero status code returned"))


def test_only_a_package_for_cuda_computes_on_a_gpu(monkeypatch):
    assert sherpa.provider("cuda") == "cpu"
    monkeypatch.setattr(sherpa.importlib.metadata, "version", lambda name: "2.0.1+cuda12.cudnn9")
    assert sherpa.provider("cuda") == "cuda"
    assert sherpa.provider("cpu") == "cpu"
