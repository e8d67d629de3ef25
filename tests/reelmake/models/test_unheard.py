"""Where somebody may have spoken of whom the transcript has no word."""

import pytest

from reelmake.models import unheard
from reelmake.models.audio_chunks import RATE


@pytest.mark.parametrize(
    ("voices", "words", "found"),
    [
        ([(0, 4)], [], [(0, 4)]),
        ([(0, 4)], [(1.5, 1.6)], [(0, 1), (2.1, 4)]),
        ([(0, 0.9)], [], []),
        ([(0, 2), (1, 3)], [], [(0, 3)]),
        ([(0, 4)], [(0.2, 3.8)], []),
        ([(0, 2), (5, 9)], [(5.5, 6.5)], [(0, 2), (7, 9)]),
    ],
)
def test_spans_are_voices_less_words(voices, words, found) -> None:
    listed = [(round(start * RATE), round(end * RATE)) for start, end in voices]
    said = unheard.spans(listed, words)
    assert [(start / RATE, end / RATE) for start, end in said] == [
        pytest.approx(span, abs=1e-3) for span in found
    ]
