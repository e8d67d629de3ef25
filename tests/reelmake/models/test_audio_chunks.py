"""Long sound in pieces: cut in pauses, nothing lost, nothing twice."""

import itertools
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelmake.foundation.errors import StageError
from reelmake.models import whisper
from reelmake.models.audio_chunks import RATE, SHORTEST_PAUSE, WavFile, next_cut
from synthesis import speak


def sound_of(parts):
    """(seconds, loudness) one after the other, as noise."""
    rng = np.random.default_rng(0)
    noise = [rng.normal(0, loudness, round(seconds * RATE)) for seconds, loudness in parts]
    return np.concatenate(noise).astype(np.float32)


def loud(samples):
    """A stand-in for voice activity detection: spans of blocks of 10 ms that are loud."""
    blocks = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    on = np.concatenate(([0], np.abs(blocks).max(axis=1) > 0.05, [0])).astype(int)
    edges = np.flatnonzero(np.diff(on)) * 160
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def cuts(sound, seconds, voiced=loud):
    """The bounds of all chunks, in seconds."""
    bounds = [0]
    while bounds[-1] < len(sound):
        bounds.append(next_cut(sound, bounds[-1], round(seconds * RATE), voiced))
    return [bound / RATE for bound in bounds]


def test_no_longer_than_a_chunk_is_not_cut():
    def unasked(samples):
        raise AssertionError

    assert cuts(sound_of([(8, 0.3)]), 8, unasked) == [0, 8]
    assert cuts(sound_of([(8, 0.3)]), 9, unasked) == [0, 8]


def test_the_cut_is_in_the_middle_of_the_longest_pause():
    # Pauses at 15.5 to 15.8, 17 to 18 and 19 to 19.4; the one from 5 to 9 is too early.
    parts = [(5, 0.3), (4, 0), (6.5, 0.3), (0.3, 0), (1.2, 0.3), (1, 0), (1, 0.3), (0.4, 0)]
    sound = sound_of([*parts, (9, 0.3)])
    assert cuts(sound, 20) == pytest.approx([0, 17.5, len(sound) / RATE], abs=0.02)


def test_a_pause_that_reaches_out_counts_as_far_as_it_is_inside():
    early = sound_of([(10, 0.3), (6, 0), (1, 0.3), (0.5, 0), (9, 0.3)])
    assert cuts(early, 20)[1] == pytest.approx(15.5, abs=0.02)
    late = sound_of([(18, 0.3), (9, 0)])
    assert cuts(late, 20)[1] == pytest.approx(19, abs=0.02)
    assert cuts(sound_of([(25, 0)]), 20)[1] == pytest.approx(17.5, abs=0.02)


def test_where_nobody_pauses_the_cut_is_at_the_quietest_place():
    sound = sound_of([(16, 0.3), (0.2, 0.15), (9, 0.3)])
    assert cuts(sound, 20)[1] == pytest.approx(16.1, abs=0.06)
    # Too short to be a pause: a silence inside a word.
    sound = sound_of([(16, 0.3), (0.05, 0), (2, 0.3), (0.2, 0.1), (9, 0.3)])
    assert cuts(sound, 20)[1] == pytest.approx(18.15, abs=0.06)


@given(
    st.lists(
        st.tuples(st.floats(0.05, 9), st.sampled_from([0, 0.001, 0.3])), min_size=1, max_size=12
    ),
    st.floats(1, 20),
)
def test_every_chunk_goes_on_where_the_last_ended_and_none_is_too_long(parts, seconds):
    sound = sound_of(parts)
    bounds = cuts(sound, seconds)
    assert bounds[-1] == len(sound) / RATE
    for number, (start, stop) in enumerate(itertools.pairwise(bounds)):
        assert 0 < stop - start <= seconds + 1 / RATE
        last = number == len(bounds) - 2
        assert last or stop - start >= seconds * 0.75 - 1 / RATE


def test_the_smallest_chunks_are_cut_too():
    assert cuts(sound_of([(0.75, 0.3), (0.15, 0), (2, 0.3)]), 1)[1] == pytest.approx(
        0.825, abs=0.02
    )


def test_speech_is_cut_between_sentences():
    sound = sound_of([(30, 0.0005)])
    spoken = []
    for start in range(1, 28, 3):
        voice, words = speak("the red ball falls quickly")
        sound[start * RATE : start * RATE + len(voice)] += voice
        spoken.append((start + words[0][1], start + words[-1][2]))
    bounds = cuts(sound, 12, whisper.voiced_words)
    assert len(bounds) == 4
    for cut in bounds[1:-1]:
        assert not any(start - 0.1 < cut < end + 0.1 for start, end in spoken), (cut, spoken)


def test_a_part_of_a_file_is_that_part(tmp_path):
    values = np.arange(-3 * RATE, 3 * RATE, dtype=np.int32).astype(np.int16)
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(values.tobytes())
    sound = WavFile(tmp_path / "a.wav")
    assert len(sound) == len(values)
    expected = values.astype(np.float32) / 32768
    for span in (slice(0, len(values)), slice(5, 9), slice(90_000, 10**9), slice(10**9, None)):
        part = sound[span]
        assert part.dtype == np.float32
        assert (part == expected[span]).all()
        assert len(part) == len(expected[span])


def test_of_two_channels_each_and_both_mixed(tmp_path):
    values = np.arange(20, dtype=np.int16).reshape(10, 2)
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((2, 2, RATE, 0, "NONE", ""))
        file.writeframes(values.tobytes())
    sound = WavFile(tmp_path / "a.wav")
    assert len(sound) == 10
    assert (sound[2:5] * 32768 == values[2:5].mean(axis=1)).all()
    left, right = sound.channels()
    assert (left[:] * 32768 == values[:, 0]).all() and (right[3:4] * 32768 == [7]).all()
    assert left[:].dtype == sound[:].dtype == np.float32


@pytest.mark.parametrize("form", [(3, 2, RATE), (1, 1, RATE), (1, 2, 8000)])
def test_another_form_is_refused(tmp_path, form):
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((*form, 0, "NONE", ""))
    with pytest.raises(StageError, match="not 16 kHz 16-bit"):
        WavFile(tmp_path / "a.wav")


def test_the_shortest_pause_is_longer_than_a_block_of_the_detector():
    assert SHORTEST_PAUSE > 512
