"""What language a window is taken for: by what it sounds like, and by the rest of the film."""

import pytest

from reelmake.models.window_languages import Window, Windows


class Telling:
    """CTranslate2's model, which tells languages as it is told to."""

    is_multilingual = True

    def __init__(self, *windows: dict[str, float]):
        self._windows = iter(windows)

    def detect_language(self, encoded):
        likely = sorted(next(self._windows).items(), key=lambda each: -each[1])
        return [[(f"<|{name}|>", probability) for name, probability in likely]]


@pytest.mark.parametrize(
    ("window", "taken"),
    [
        ({"en": 0.9, "de": 0.1}, ("en", 0.9)),
        # A greeting taken for Czech in an English film.
        ({"cs": 0.17, "en": 0.12, "de": 0.05}, ("en", 0.12)),
        ({"cy": 0.7, "en": 0.2}, ("en", 0.2)),
        # 70 s of Spanish in an English film.
        ({"es": 0.97, "en": 0.01}, ("es", 0.97)),
    ],
)
def test_a_window_is_taken_for_what_the_film_makes_likely(window, taken) -> None:
    windows = Windows(Telling(window, window))
    windows.begin({"en": 0.95, "fr": 0.05})
    ((first,),) = windows.detect_language(None)
    assert first == (f"<|{taken[0]}|>", taken[1])
    assert windows.last(None) == Window(*taken)
    windows.begin(None)  # by itself
    ((first,),) = windows.detect_language(None)
    assert first[0][2:-2] == max(window, key=window.get)
