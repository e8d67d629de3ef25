"""An answer in JSON that was broken off: what of it is whole, and its last text, closed."""

import json
import re
from typing import Any

from reelmake.editing import sentences

_SPACE = re.compile(r"[\s,{]*")
_COLON = re.compile(r"\s*:\s*")
# What can stand at the end of half a text: a backslash, or a part of \u1234.
_HALF_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\(?:u[0-9a-fA-F]{0,3})?$")


def read(text: str) -> tuple[dict[str, Any], str | None]:
    """The properties of an object that are whole, and the name of the text that is not, whose
    beginning is among them; None where it broke off elsewhere.

    text: the beginning of a JSON object of texts and numbers.
    """
    decoder = json.JSONDecoder()
    found: dict[str, Any] = {}
    place = _end(_SPACE, text, 0)
    while place < len(text):
        try:
            name, place = decoder.raw_decode(text, place)
        except ValueError:
            break
        place = _end(_COLON, text, place)
        is_text = text[place : place + 1] == '"'
        try:
            value, after = decoder.raw_decode(text, place)
        except ValueError:
            return (found | {name: _beginning(text[place:])}, name) if is_text else (found, None)
        if not is_text and after == len(text):
            break  # a number may go on
        found[name] = value
        place = _end(_SPACE, text, after)
    return found, None


def closed(text: str, most: int) -> str:
    """The text up to its last sentence that is whole, or else to its last word; at most so many
    characters."""
    words = re.findall(r"\S+\s*", text[:most])
    for count in range(len(words), 0, -1):
        if sentences.ENDING.search(words[count - 1].strip()) and count < len(words):
            return "".join(words[:count]).strip()
    return "".join(words[:-1] or words).strip()


def _beginning(literal: str) -> str:
    """What half a JSON text says so far."""
    whole = _HALF_ESCAPE.sub(r"\1", literal)
    try:
        found: str = json.loads(f'{whole}"', strict=False)
    except ValueError:
        return ""
    return found


def _end(pattern: re.Pattern[str], text: str, place: int) -> int:
    match = pattern.match(text, place)
    return match.end() if match else place
