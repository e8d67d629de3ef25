"""XML that editors read, of text that nobody vouches for."""

import re
from fractions import Fraction
from xml.etree import ElementTree

from reelmake.foundation.text import visible

MOST = 1000
"""Characters of a text: editors show a line of it."""

# What XML 1.0 can't hold in any way (2.2), beyond what `visible` takes out.
_ILLEGAL = re.compile("[^\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Element = ElementTree.Element


def text(said: str | None) -> str:
    """One line of what can be seen, which XML can hold."""
    return _ILLEGAL.sub("", visible(said or ""))[:MOST].strip()


def add(parent: Element, tag: str, said: object = None, **attributes: object) -> Element:
    """A new element at the end of another, with its text and attributes."""
    element = ElementTree.SubElement(parent, tag, {k: str(v) for k, v in attributes.items()})
    if said is not None:
        element.text = str(said)
    return element


def document(root: Element) -> bytes:
    """The file's content. Everything in it is escaped."""
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE {root.tag}>\n'
    return f"{head}{body}\n".encode()


def seconds(frames: int, rate: Fraction) -> str:
    """A time as FCPXML has it: exactly, as 1001/24000s."""
    time = frames / rate
    number = f"{time.numerator}/{time.denominator}" if time.denominator > 1 else time.numerator
    return f"{number}s"
