"""Whether a model's chat template can write a message down, found out with a probe.

A template that joins the parts of a message as if they were text breaks, or prints them as Python
would, and then a model describes brackets. One that ends in `<think>` has the model think aloud
where it is to answer.
"""

from collections.abc import Callable
from typing import Any

PROBE = "Is this sentence here?"
PICTURE = "<__picture__>"
"""What stands where a picture is."""
PARTS = [{"type": "text", "text": PICTURE}, {"type": "text", "text": PROBE}]
"""A message with a picture, as llama-cpp-python gives it to a template."""

HANDLERS = {
    "qwen2.5": "qwen2.5-vl",
    "qwen2vl": "qwen2.5-vl",
    "minicpm": "minicpm-v-2.6",
    "moondream": "moondream2",
    "nanollava": "nanollava",
    "llama-3-vision": "llama-3-vision-alpha",
    "obsidian": "obsidian",
    "llava-v1.6": "llava-1-6",
    "llava-1.6": "llava-1-6",
    "llava-v1.5": "llava-1-5",
    "llava-1.5": "llava-1-5",
    "llava": "llava-1-5",
}
"""The chat handler of llama-cpp-python for a model with this in its name, the closest first."""

THINK, THOUGHT = "<think>", "</think>"


def fault(render: Callable[[Any], str], message: Any) -> str | None:
    """What is wrong with how a template writes the probe down; None: nothing.

    render: writes a message's content down; raises TypeError, ValueError or Jinja's errors.
    message: PROBE, or PARTS.
    """
    from jinja2 import TemplateError

    try:
        written = render(message)
    except (TemplateError, ArithmeticError, TypeError, LookupError, ValueError) as error:
        return f"its chat template can't write down such a message ({error})"
    if PROBE not in written or (isinstance(message, list) and PICTURE not in written):
        return "its chat template leaves out what it is asked"
    if "{'type'" in written or '{"type"' in written:
        return "its chat template prints the parts of a message as code"
    return None


def handler(name: str) -> str | None:
    """The chat handler that probably belongs to a model, by its name; None: nobody knows."""
    return next((each for part, each in HANDLERS.items() if part in name.lower()), None)


def closed_thought(written: str) -> str:
    """A chat whose last word is that the model begins to think, with an empty thought."""
    bare = written.rstrip()
    return f"{bare}\n\n{THOUGHT}\n\n" if bare.endswith(THINK) else written
