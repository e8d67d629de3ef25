"""The languages in which RapidOCR can read that need a model of their own.

All others that it knows are read by the model in its wheel (PP-OCRv6), together.
"""

from collections.abc import Iterable

OWN_MODEL = (
    *("korean", "eslav", "th", "el", "arabic", "cyrillic", "devanagari", "ta", "te"),  # PP-OCRv5
)

CALLED = {
    **{"zh": "ch", "zh-Hans": "ch", "zh-Hant": "chinese_cht", "ja": "japan", "ko": "korean"},
    **{"ru": "eslav", "uk": "eslav", "be": "eslav", "ar": "arabic", "hi": "devanagari"},
}
"""What RapidOCR calls languages that everybody else calls by these codes."""


def model_file(language: str) -> str:
    """The name of the file that RapidOCR's model for one of `OWN_MODEL` has."""
    return f"{language}_PP-OCRv5_rec_mobile.onnx"


def needing_models(languages: Iterable[str]) -> list[str]:
    """Those of the languages that need a model of their own."""
    return [language for language in languages if language in OWN_MODEL]
