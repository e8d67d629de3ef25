"""Whether a model's chat template can write a message down, found out with a probe.

A template that joins the parts of a message as if they were text breaks, or prints them as Python
would, and then a model describes brackets. One that ends in `<think>` has the model think aloud
where it is to answer.
"""

import functools
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


class Template:
    """The chat template that a model's file carries.

    formats: the module llama_cpp.llama_chat_format. llama: a loaded model. text: the template;
    empty: there is none, and llama-cpp-python takes Llama 2's without a word.
    """

    def __init__(self, formats: Any, llama: Any):
        self._formats, self._llama = formats, llama
        self.text = str(llama.metadata.get("tokenizer.chat_template", ""))

    @property
    def may_think(self) -> bool:
        """Whether it lets the model think before it answers."""
        return "enable_thinking" in self.text or THINK in self.text

    def render(self, content: Any) -> str:
        """A message as the template writes it down, for a tokeniser that reads control tokens.

        Raises what the template does: TypeError, ValueError, Jinja's errors.
        """
        return str(self._formatter(messages=_message(content)).prompt)

    def render_for_pictures(self, content: Any) -> str:
        """A message as llama-cpp-python writes it down where there are pictures: the control
        tokens at its ends are left to the tokeniser."""
        return str(self._formatter_for_pictures(messages=_message(content)).prompt)

    def without_thoughts(self) -> Any:
        """A chat handler with which the model answers at once: by the template's own argument
        where there is one, or else after a thought that is closed before it begins."""
        plain = self._formatter

        def format_chat(**given: Any) -> Any:
            made = plain(**given | {"enable_thinking": False})
            made.prompt = closed_thought(made.prompt)
            return made

        return self._formats.chat_formatter_to_chat_completion_handler(format_chat)

    # Each is made once: a template is compiled with it.

    @functools.cached_property
    def _formatter(self) -> Any:
        model = self._llama._model
        return self._made(lambda token: model.token_get_text(token) if token != -1 else "")

    @functools.cached_property
    def _formatter_for_pictures(self) -> Any:
        return self._made(lambda token: self._llama.detokenize([token]).decode(errors="ignore"))

    def _made(self, written: Callable[[int], str]) -> Any:
        """A formatter. written: what it writes for the tokens at the ends of a chat."""
        bos, eos = self._llama.token_bos(), self._llama.token_eos()
        return self._formats.Jinja2ChatFormatter(
            self.text, written(eos), written(bos), stop_token_ids=[eos]
        )


def _message(content: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": content}]


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
