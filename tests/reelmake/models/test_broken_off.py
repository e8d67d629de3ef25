"""Answers that were broken off: what is whole is kept, and a text that ran on is closed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelmake.models import broken_off


@pytest.mark.parametrize(
    ("text", "found", "name"),
    [
        ("", {}, None),
        ("{", {}, None),
        ('{"rea', {}, None),
        ('{"reason"', {}, None),
        ('{"reason": ', {}, None),
        ('{"reason": "', {"reason": ""}, "reason"),
        ('{"reason": "It is', {"reason": "It is"}, "reason"),
        ('{ "reason" : "a \\"b\\" c\\', {"reason": 'a "b" c'}, "reason"),
        ('{"reason": "a\\u00', {"reason": "a"}, "reason"),
        ('{"reason": "a\\\\', {"reason": "a\\"}, "reason"),
        ('{"reason": "a", "sc', {"reason": "a"}, None),
        ('{"reason": "a", "score": ', {"reason": "a"}, None),
        ('{"reason": "a", "score": 1', {"reason": "a"}, None),  # or 10
        ('{"score": 7, "reason": "so', {"score": 7, "reason": "so"}, "reason"),
        ('{"reason": "a", "score": 7}', {"reason": "a", "score": 7}, None),
    ],
)
def test_what_is_whole_and_what_is_not(text, found, name) -> None:
    assert broken_off.read(text) == (found, name)


OBJECTS = st.dictionaries(
    st.text(min_size=1, max_size=8), st.one_of(st.text(max_size=30), st.integers(0, 10)), max_size=4
)


@given(OBJECTS, st.integers(0, 400), st.booleans())
def test_any_beginning_is_read(answer, length, ascii) -> None:
    """Of what is found every property is the answer's, or a text's beginning."""
    text = json.dumps(answer, ensure_ascii=ascii)[:length]
    found, name = broken_off.read(text)
    for key, value in found.items():
        if key == name:
            # Half of a pair of surrogates may stand at its end.
            assert answer[key].startswith(value.rstrip("".join(map(chr, range(0xD800, 0xDC00)))))
        else:
            assert answer[key] == value
    assert list(found) == list(answer)[: len(found)]


def test_a_text_is_closed_at_its_last_whole_sentence() -> None:
    assert broken_off.closed("It is good. It is very good. It is ve", 300) == (
        "It is good. It is very good."
    )
    assert broken_off.closed("and so on and so on and so o", 300) == "and so on and so on and so"
    assert broken_off.closed("word " * 100, 20) == "word word word"
    assert broken_off.closed("w" * 100, 20) == "w" * 20
    assert broken_off.closed("", 20) == ""
