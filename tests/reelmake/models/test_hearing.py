"""What is said in a chunk of sound: nothing missed for being quiet or far away, in its language."""

import itertools
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from faults import long
from reelmake.library import config
from reelmake.models import hearing, whisper
from reelmake.models.audio_chunks import RATE
from reelmake.models.window_languages import Window
from synthesis import speak

ROOT = Path(__file__).resolve().parents[3]
MODEL = str(ROOT / "demo" / "models" / "speech")
TINY = {"compute_type": "float32", "language": "en", "temperature": 0}
TEXT = "the red ball falls quickly"


def settings(**more):
    return config.load({"transcription": TINY | more})["transcription"]


def hear(samples, language="en", before=None, **more) -> hearing.Chunk:
    with whisper.loaded(MODEL, settings(**more), "cpu", 1) as speech:
        return hearing.Hearing(speech, settings(**more), lambda second: None).chunk(
            samples, language, before or {}
        )


def sound(*spoken: tuple[float, float], seconds: float):
    """TEXT at each time (s), so loud: samples, and (word, start, end) of all."""
    made = np.random.default_rng(1).normal(0, 0.0003, round(seconds * RATE)).astype(np.float32)
    words = []
    for start, loud in spoken:
        voice, times = speak(TEXT)
        at = round(start * RATE)
        made[at : at + len(voice)] += loud * voice
        words += [(word, start + begin, start + end) for word, begin, end in times]
    return made, words


def said(chunk: hearing.Chunk) -> list[dict]:
    return [word for segment in chunk.segments for word in segment["words"]]


@pytest.mark.parametrize("batch_size", [0, 4])
def test_a_quiet_voice_after_a_loud_one_is_heard(batch_size) -> None:
    """12 s of a loud voice, then one 30 dB quieter, to which voice activity detection is deaf."""
    spoken = [(at, 1.0) for at in (0.5, 3, 5.5, 8, 10)]
    samples, words = sound(*spoken, *((at, 0.03) for at in (13, 15.5, 18, 20.5)), seconds=24)
    found = hear(samples, batch_size=batch_size)
    heard = [word["word"] for word in said(found)]
    assert heard.count("quickly") >= 8
    assert abs(len(heard) - len(words)) <= 4
    assert found.unheard == []
    deaf = hear(samples, vad_level=False)
    assert len(said(deaf)) < len(words) - 8
    # Nothing is made up of what the detector missed: it is at least said where it may be.
    assert sum(end - start for start, end in deaf.unheard) + len(said(deaf)) > 0


@pytest.mark.parametrize("batch_size", [0, 4])
def test_sentences_in_long_silence_are_where_they_are_said(batch_size) -> None:
    samples, words = sound((8, 1.0), (25, 0.5), (47, 1.0), seconds=60)
    found = hear(samples, batch_size=batch_size)
    heard = said(found)
    assert [word["word"] for word in heard] == [word for word, _, _ in words]
    for word, (_, start, end) in zip(heard, words, strict=True):
        assert abs(word["start"] - start) < 0.35
        assert abs(word["end"] - end) < 0.35
    assert all(segment["end"] - segment["start"] < 4 for segment in found.segments)


@pytest.mark.parametrize("language", [None, "en"])
def test_where_nobody_speaks_there_is_no_word_and_no_language(language) -> None:
    time = np.arange(8 * RATE) / RATE
    found = hear((0.2 * np.sin(2 * np.pi * 440 * time)).astype(np.float32), language)
    assert found == hearing.Chunk([], [], [], {}, 0.0, 0.0, [])


def test_what_had_no_word_is_heard_again_as_loud_as_speech(monkeypatch) -> None:
    """A model that passes over a voice at first is simulated."""
    samples, words = sound((1, 0.1), (20, 0.1), seconds=25)
    plain, asked = whisper.Speech.hear, []

    def absent(self, part, *more):
        asked.append(float(np.sqrt(np.mean(part**2))))
        return iter(()) if len(asked) == 2 else plain(self, part, *more)

    monkeypatch.setattr(whisper.Speech, "hear", absent)
    found = hear(samples)
    assert [word["word"] for word in said(found)] == [word for word, _, _ in words]
    assert found.segments[-1]["start"] == pytest.approx(20, abs=0.5)
    assert len(asked) == 3 and asked[2] > 3 * asked[1]
    asked[:] = [0.0]
    monkeypatch.setitem(hearing.AGAIN, "avg_logprob", 0.0)  # nothing is so sure
    found = hear(samples)
    assert [word["word"] for word in said(found)] == [word for word, _, _ in words[5:]]
    assert found.unheard == [pytest.approx((1.0, 2.5), abs=0.5)]


def test_a_window_that_came_out_badly_among_others_is_heard_by_itself(monkeypatch) -> None:
    """Heard at once, the engine tries nothing again; a bad answer is simulated."""
    samples, words = sound((1, 1.0), (20, 1.0), seconds=25)
    plain, alone = whisper.Speech.hear_at_once, []

    def repeating(self, *arguments):
        for number, (segment, window) in enumerate(plain(self, *arguments)):
            segment.compression_ratio = 1.0 if number else 9.0
            yield segment, window

    hear_alone = whisper.Speech.hear
    monkeypatch.setattr(whisper.Speech, "hear_at_once", repeating)
    monkeypatch.setattr(
        whisper.Speech,
        "hear",
        lambda *arguments: alone.append(1) or hear_alone(*arguments),
    )
    found = hear(samples, batch_size=4)
    assert [word["word"] for word in said(found)] == [word for word, _, _ in words]
    assert len(alone) == 1


@pytest.mark.parametrize("setting", ["keep", "drop", "strict"])
def test_what_nobody_can_have_said_is_told_apart(monkeypatch, setting) -> None:
    """A model that invents sentences at the end of a film is simulated."""
    samples, _ = sound((1, 1.0), seconds=6)
    invented = SimpleNamespace(
        **{"start": 2.0, "end": 2.44, "text": " thank you so much for watching this long film"},
        **{"avg_logprob": -0.1, "no_speech_prob": 0.0, "compression_ratio": 1.0, "words": []},
    )
    plain = whisper.Speech.hear
    monkeypatch.setattr(
        whisper.Speech,
        "hear",
        lambda *arguments: itertools.chain(plain(*arguments), [(invented, Window("en", None))]),
    )
    found = hear(samples, implausible=setting)
    texts = [segment["text"] for segment in found.segments]
    assert (invented.text.strip() in texts) == (setting == "keep")
    if setting == "keep":
        assert found.segments[-1]["doubt"] == "pace"
    else:
        assert [each["doubt"] for each in found.dropped] == ["pace"]


def test_the_prompt_is_before_each_piece(monkeypatch) -> None:
    samples, _ = sound((1, 1.0), (20, 1.0), seconds=25)
    plain, prompts = whisper.Speech.hear, []

    def spied(self, part, language, expected, prompt):
        prompts.append(prompt)
        return plain(self, part, language, expected, prompt)

    monkeypatch.setattr(whisper.Speech, "hear", spied)
    hear(samples, initial_prompt="ball")
    assert prompts == ["ball", "ball"]
    prompts.clear()
    hear(samples, initial_prompt="ball", condition_on_previous_text=True)
    assert prompts[:2] == ["ball", f"ball {TEXT}"]  # with which the tiny model hears little


@pytest.mark.parametrize(
    ("pieces", "before", "places"),
    [
        ([(0, 20)], {}, []),  # one window: found when it is heard
        ([(0, 20)], {"en": 1.0}, [0]),
        ([(0, 3), (8, 10), (15, 20)], {}, [0]),  # one window holds them all
        ([(0, 3), (40, 42)], {}, [0, 40]),
        ([(5, 100)], {}, [5, 35, 65]),
        ([(5, 605)], {}, [5, 125, 245, 365, 485]),  # 20 windows
    ],
)
def test_the_language_is_looked_for_in_several_places(pieces, before, places) -> None:
    asked = []

    class Speech:
        """Says of each window where it begins, which its samples tell."""

        knows_languages = True

        def languages(self, samples):
            asked.append(round(float(samples[0])))
            return {"en": 0.75, "de": 0.25, "fr": 0.0001}

    seconds = np.repeat(np.arange(700, dtype=np.float32), RATE)
    it = hearing.Hearing(Speech(), settings(), lambda second: None)
    spans = [(start * RATE, end * RATE) for start, end in pieces]
    found = it._places(seconds, spans, before)
    assert asked == places
    if places:
        assert found == {"en": 0.75 * len(places) + before.get("en", 0), "de": 0.25 * len(places)}
    else:
        assert found == before


def test_languages_in_a_film_are_told_with_their_times() -> None:
    def segment(start, end, *window):
        return {"start": start, "end": end, "window": Window(*window)}

    spans = hearing._by_language(
        [
            segment(0, 10, "en", 0.9),
            segment(10, 20, "en", 0.5),
            segment(21, 30, "es", 0.8),
            segment(30, 31, "en", None),
        ]
    )
    assert spans == [(0, 20, "en", 0.7), (21, 30, "es", 0.8), (30, 31, "en", None)]


@long
def test_nowhere_worse_than_the_bare_library(monkeypatch) -> None:
    """On the benchmark's films, with the tiny model; with real ones, by hand."""
    monkeypatch.setattr(sys, "path", [str(ROOT / "benchmarks"), *sys.path])
    import speech
    import speech_cases

    cases = list(speech_cases.generated(speech_cases.closed_vocabulary(), languages=False))
    needed = dict(speech.TINY_SETTINGS)
    ways = {
        "bare": speech.bare(MODEL, needed, 1),
        "product": speech.product(MODEL, settings(allow_empty=True), 1),
    }
    for name, sums in speech.measure(cases, ways).items():
        assert sums["product"].beside(sums["bare"]) != "worse", name
