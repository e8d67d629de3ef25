"""Where somebody speaks: quiet voices after loud ones, too, and nothing that is no voice."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelmake.models import voices, whisper
from reelmake.models.audio_chunks import RATE
from synthesis import speak

NOISE = 0.0005


def sound(*spoken: tuple[float, float, str], seconds: float) -> np.ndarray:
    """Sentences, each with when it begins (s) and how loud it is (1: as it comes)."""
    made = np.random.default_rng(1).normal(0, NOISE, round(seconds * RATE)).astype(np.float32)
    for start, loud, text in spoken:
        voice, _ = speak(text)
        at = round(start * RATE)
        made[at : at + len(voice)] += loud * voice[: len(made) - at]
    return made


def test_a_quiet_voice_after_a_loud_one_is_found() -> None:
    """12 s of a loud voice, then 8 s of one 30 dB quieter, to which the detector alone is deaf."""
    text = "the red ball falls quickly"
    made = sound(
        *((at, 1.0, text) for at in (0.5, 3, 5.5, 8, 10)),
        *((at, 0.03, text) for at in (13, 15.5, 18, 20.5)),
        seconds=24,
    )
    found, without = (
        [span for span in voices.find(made, whisper.voiced_words, level) if span[0] > 12.5 * RATE]
        for level in (True, False)
    )
    assert voices.seconds(found) / RATE > 5
    assert voices.seconds(without) / RATE < 3


@pytest.mark.parametrize("kind", ["silence", "noise", "loud noise", "tone", "chord"])
def test_what_is_no_voice_is_not_found(kind) -> None:
    time = np.arange(20 * RATE) / RATE
    noise = np.random.default_rng(2).normal(0, 1, len(time))
    kinds = {
        "silence": 0 * time,
        "noise": 0.001 * noise,
        "loud noise": 0.1 * noise,
        "tone": 0.2 * np.sin(2 * np.pi * 440 * time),
        "chord": 0.1 * sum(np.sin(2 * np.pi * f * time) for f in (220, 277, 330)),
    }
    samples = kinds[kind].astype(np.float32)
    assert voices.find(samples, whisper.voiced_words) == []


def test_levelled_moments_are_alike() -> None:
    samples = sound((1, 1.0, "the red ball"), (4, 0.05, "the red ball"), seconds=6)
    made = voices.levelled(samples)
    assert made.shape == samples.shape and made.dtype == np.float32
    loud, quiet = (np.sqrt((made[at : at + RATE] ** 2).mean()) for at in (RATE, 4 * RATE))
    assert 0.5 < loud / quiet < 2
    assert voices.levelled(np.zeros(0, np.float32)).shape == (0,)
    assert voices.levelled(np.zeros(7, np.float32)).shape == (7,)


@pytest.mark.parametrize("loud", [0.01, 1.0])
def test_a_piece_is_as_loud_as_speech(loud) -> None:
    samples = sound((0, loud, "the red ball falls quickly"), seconds=2)
    made = voices.as_loud_as_speech(samples)
    assert np.sqrt((made**2).mean()) == pytest.approx(0.1, rel=0.2)
    assert voices.as_loud_as_speech(samples[:0]).shape == (0,)


LENGTH = 1000
SPANS = st.lists(
    st.tuples(st.integers(0, LENGTH - 1), st.integers(1, 80)).map(
        lambda span: (span[0], min(LENGTH, span[0] + span[1]))
    ),
    max_size=12,
).map(voices.joined)


@given(SPANS, st.integers(0, 300), st.integers(0, 60))
def test_pieces_hold_all_voices_and_are_apart(found, silence, pad) -> None:
    pieces = voices.pieces(found, LENGTH, silence, pad)
    assert all(0 <= start < end <= LENGTH for start, end in pieces)
    assert all(one[1] <= other[0] for one, other in pairwise(pieces))
    for start, end in found:  # each voice whole in one, with its surroundings if nobody else's
        assert any(first <= start and end <= last for first, last in pieces)
    for first, last in pieces:
        inside = [span for span in found if first <= span[0] and span[1] <= last]
        assert inside[0][0] - first <= pad and last - inside[-1][1] <= pad
        pauses = [other[0] - one[1] for one, other in pairwise(inside)]
        assert all(pause <= silence for pause in pauses)


@given(SPANS, SPANS)
def test_without_leaves_what_is_in_no_other(spans, others) -> None:
    def seconds(of):
        return {second for start, end in of for second in range(start, end)}

    left = [part for span in spans for part in voices.without(span, others)]
    assert seconds(left) == seconds(spans) - seconds(others)
    assert voices.seconds(spans) == len(seconds(spans))


def test_long_pieces_are_cut_at_pauses() -> None:
    texts = [(at, 1.0, "we see seven bird") for at in np.arange(0.5, 38, 2.5)]
    made = sound(*texts, seconds=40)
    windows = voices.windows(made, [(0, len(made))], 15 * RATE, whisper.voiced_words)
    assert windows[0][0] == 0 and windows[-1][1] == len(made)
    assert all(one[1] == other[0] for one, other in pairwise(windows))
    assert all(end - start <= 15 * RATE for start, end in windows)
    for _, end in windows[:-1]:
        assert not any(at + 0.1 < end / RATE < at + 1.2 for at, _, _ in texts)
