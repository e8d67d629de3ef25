"""What a model writes and nobody can have said."""

import pytest

from reelmake.models import plausible
from reelmake.models.audio_chunks import RATE


def segment(text: str, start: float, end: float, **more) -> dict:
    step = (end - start) / max(1, len(text.split()))
    words = [
        {"word": word, "start": start + number * step, "end": start + (number + 1) * step}
        for number, word in enumerate(text.split())
    ]
    return {"text": text, "start": start, "end": end, "words": words} | more


@pytest.mark.parametrize(
    ("text", "seconds", "doubt"),
    [
        # 17 words in 0.44 s, as a model wrote them at the end of a film
        (" ".join(["word"] * 17), 0.44, "pace"),
        (" ".join(["word"] * 17), 1.6, None),
        ("yes I do", 0.02, None),
        ("字" * 40, 0.5, "pace"),
        ("字" * 40, 4, None),
    ],
)
def test_nobody_talks_so_fast(text, seconds, doubt) -> None:
    assert plausible.doubt(segment(text, 5, 5 + seconds), []) == doubt


@pytest.mark.parametrize(
    ("gap", "text", "doubt"),
    [
        (0.0, "thanks for watching", "repeated"),
        (0.6, "thanks for watching", None),
        (0.0, "go", None),
    ],
)
def test_a_sentence_three_times_without_a_pause(gap, text, doubt) -> None:
    said = [segment(text, at * (1 + gap), at * (1 + gap) + 1) for at in range(3)]
    assert plausible.doubt(said[2], said[:2]) == doubt
    assert plausible.doubt(said[1], said[:1]) is None


def test_a_long_word_is_cut_at_the_voice() -> None:
    made = segment("hello there", 0, 8)  # each word 4 s
    voices = [(round(3.2 * RATE), round(4.1 * RATE)), (round(4.1 * RATE), round(4.8 * RATE))]
    plausible.cut_long_words(made, voices)
    first, second = made["words"]
    assert (first["start"], first["end"]) == pytest.approx((3.2, 4.0), abs=1e-3)
    assert (second["start"], second["end"]) == pytest.approx((4.1, 4.8), abs=1e-3)
    assert (made["start"], made["end"]) == (first["start"], second["end"])
    held = segment("goal", 0, 6)  # a commentator's
    plausible.cut_long_words(held, [(0, 7 * RATE)])
    assert (held["start"], held["end"]) == (0, 6)


@pytest.mark.parametrize(
    ("more", "good"),
    [
        ({}, True),
        ({"compression_ratio": 3.0}, False),
        ({"avg_logprob": -1.5}, False),
    ],
)
def test_the_engine_would_try_again(more, good) -> None:
    settings = {"compression_ratio_threshold": 2.4, "log_prob_threshold": -1.0}
    usual = {"compression_ratio": 1.0, "avg_logprob": -0.2}
    made = segment("hello there", 0, 1, **usual | more)
    assert plausible.is_good(made, settings) is good
    assert plausible.is_good(made, dict.fromkeys(settings))
