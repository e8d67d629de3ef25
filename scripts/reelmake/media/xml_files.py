"""XML that editors read, of text that nobody vouches for."""

from fractions import Fraction
from xml.etree import ElementTree

Element = ElementTree.Element


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
