"""An answer in JSON that was broken off: what of it is whole, its last text, closed, and what is
left to ask."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from reelmake.editing import prompts, sentences

LONGEST = 300
"""Characters that are kept of a text that ran on."""
SHOWN = (LONGEST, 100, 30, 0)
"""Characters of a text that a model sees again when it is asked for the rest: the first that leave
a quarter of the room."""
SHORTEST = 8
"""Tokens, of an answer."""

_SPACE = re.compile(r"[\s,{]*")
_COLON = re.compile(r"\s*:\s*")
# What can stand at the end of half a text: a backslash, or a part of \u1234.
_HALF_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\(?:u[0-9a-fA-F]{0,3})?$")


@dataclass(frozen=True)
class Asked:
    """content: a message to a model, text or a list of parts with pictures. schema: of the JSON
    that answers it. room: its longest answer, in tokens. opening: the text that each message of
    its kind begins with. whole: an answer that is longer is none."""

    content: Any
    schema: dict[str, Any]
    room: int
    opening: str = ""
    whole: bool = False


def take_up(
    asked: Asked, said: str, tokens: Callable[[str], int]
) -> tuple[dict[str, Any], Asked | None]:
    """What there is of an answer that was broken off, and the question for the rest of it; None
    where nothing is missing.

    A text that ran on is closed, and what the schema has behind it asked for by itself. tokens:
    how many a text is. Raises ValueError where there is no whole answer to be had.
    """
    found, name = read(said)
    if name is None or asked.whole:
        raise ValueError(f"the answer is longer than {asked.room} tokens")
    found[name] = closed(found[name], LONGEST)
    names = list(asked.schema["properties"])
    rest = names[names.index(name) + 1 :]
    if not rest:
        return found, None
    # The rest is asked for after what there is of the answer; of a text whose every character
    # is a token, after its beginning.
    for most in SHOWN:
        begun = {key: prompts.neutral(str(value))[:most] for key, value in found.items()}
        more = (
            f"\n\nThe answer begins: {json.dumps(begun, ensure_ascii=False)}\nGive the rest of it."
        )
        left = asked.room - tokens(more)
        if left >= asked.room // 4:
            break
    if left < SHORTEST:
        raise ValueError(f"the answer is longer than {asked.room} tokens")
    properties = {key: asked.schema["properties"][key] for key in rest}
    shorter = asked.schema | {"properties": properties, "required": rest}
    return found, replace(asked, content=_with(asked.content, more), schema=shorter, room=left)


def _with(content: Any, more: str) -> Any:
    """A message with more text at its end."""
    if isinstance(content, str):
        return content + more
    return [*content, {"type": "text", "text": more}]


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
