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
        return str(self._formatter(*self._names())(messages=_message(content)).prompt)

    def render_for_pictures(self, content: Any) -> str:
        """A message as llama-cpp-python writes it down where there are pictures: the control
        tokens at its ends are left to the tokeniser."""
        bos, eos = (
            self._llama.detokenize([token]).decode(errors="ignore") for token in self._ends()
        )
        return str(self._formatter(bos, eos)(messages=_message(content)).prompt)

    def without_thoughts(self) -> Any:
        """A chat handler with which the model answers at once: by the template's own argument
        where there is one, or else after a thought that is closed before it begins."""
        plain = self._formatter(*self._names())

        def format_chat(**given: Any) -> Any:
            made = plain(**given | {"enable_thinking": False})
            made.prompt = closed_thought(made.prompt)
            return made

        return self._formats.chat_formatter_to_chat_completion_handler(format_chat)

    def _ends(self) -> tuple[int, int]:
        return self._llama.token_bos(), self._llama.token_eos()

    def _names(self) -> list[str]:
        model = self._llama._model
        return [model.token_get_text(token) if token != -1 else "" for token in self._ends()]

    def _formatter(self, bos: str, eos: str) -> Any:
        return self._formats.Jinja2ChatFormatter(
            self.text, eos, bos, stop_token_ids=[self._llama.token_eos()]
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
