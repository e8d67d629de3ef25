"""The languages that a text model is to answer in."""

import pytest

from reelmake.editing import languages
from reelmake.foundation.errors import UserError


@pytest.mark.parametrize(
    ("given", "spoken", "name"),
    [
        (None, "en", None),
        (None, "de", "German"),
        (None, "yue", "Cantonese"),
        (None, None, None),
        ("en", "de", "English"),
        ("en", "en", "English"),
        ("fr", None, "French"),
        (None, "qqq", None),
        (None, "no such code", None),
    ],
)
def test_the_films_language_is_asked_for_where_it_is_not_that_of_the_prompts(given, spoken, name):
    assert languages.to_answer_in(given, spoken) == name


def test_each_language_that_whisper_knows_has_a_name() -> None:
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    assert not [code for code in _LANGUAGE_CODES if languages.name(code) is None]


def test_languages_to_translate_into_have_names():
    names = languages.to_translate_into(["de", "pt-BR"])
    assert names == {"de": "German", "pt-BR": "Portuguese (Brazil)"}


@pytest.mark.parametrize(
    ("codes", "says"),
    [(["de", "xx"], "a language 'xx'"), (["pt-BR", "pt-br"], "there is twice 'pt-br'")],
)
def test_a_language_that_nobody_knows_or_that_is_there_twice_is_said(codes, says):
    with pytest.raises(UserError, match=says):
        languages.to_translate_into(codes)
