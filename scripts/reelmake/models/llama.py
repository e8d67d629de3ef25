"""llama.cpp, through llama-cpp-python: the only module that imports it."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reelmake.foundation.errors import StageError
from reelmake.models import broken_off, chat_templates, greedy, model_files
from reelmake.models.broken_off import Asked
from reelmake.models.groups import Groups
from reelmake.models.one_by_one import OneByOne

HANDLERS = {
    "auto": "MTMDChatHandler",
    "llava-1-5": "Llava15ChatHandler",
    "llava-1-6": "Llava16ChatHandler",
    "obsidian": "ObsidianChatHandler",
    "moondream2": "MoondreamChatHandler",
    "nanollava": "NanoLlavaChatHandler",
    "llama-3-vision-alpha": "Llama3VisionAlphaChatHandler",
    "minicpm-v-2.6": "MiniCPMv26ChatHandler",
    "qwen2.5-vl": "Qwen25VLChatHandler",
}
"""Names as llama-cpp-python's server has them; auto: the template that the GGUF carries."""


class Model:
    """A language model, loaded.

    path: a GGUF file; setting: the one that names it (`description.model`), for messages.
    settings: `context` and `max_tokens` (tokens), `seed`, and `thinking` where there is such a
    one. gpu_layers: as llama.cpp counts them, 0 for none. handler: what `picture_handler` gives,
    for questions about pictures. at_once: how many answers are decoded together; with 1, and with
    a handler that is for one kind of model, they come one after the other.
    Raises StageError where the file is not a language model.
    """

    def __init__(
        self,
        path: Path,
        setting: str,
        settings: dict[str, Any],
        gpu_layers: int = 0,
        threads: int = 4,
        handler: Any = None,
        at_once: int = 1,
    ):
        model_files.require(path, setting)
        import llama_cpp
        from jinja2 import TemplateError

        self._max_tokens, self._context = settings["max_tokens"], settings["context"]
        in_groups = at_once > 1 and (not handler or type(handler).__name__ == HANDLERS["auto"])
        try:
            self._llama = llama_cpp.Llama(
                str(path),
                chat_handler=handler,
                # Groups have a context of their own.
                **({"n_ctx": 64, "n_batch": 64} if in_groups else {"n_ctx": self._context}),
                n_gpu_layers=gpu_layers,
                n_threads=threads,
                n_threads_batch=threads,
                seed=settings["seed"],
                verbose=False,
            )
        except ValueError as error:
            raise StageError(
                f"{path} cannot be loaded ({error}): damaged, not a language model, or too large "
                f"for the memory; download it again, or choose a smaller one ({setting}) or a "
                f"smaller context ({setting.partition('.')[0]}.context)",
                kind="engine",
            ) from error
        except TemplateError as error:
            raise StageError(
                f"{path}: its chat template is broken ({error}); choose another model",
                kind="engine",
            ) from error

        self._choose_by_grammar(llama_cpp)
        self.template = chat_templates.Template(llama_cpp.llama_chat_format, self._llama)
        if not handler and not settings.get("thinking", True) and self.template.may_think:
            self._llama.chat_handler = self.template.without_thoughts()
        alone = OneByOne(self._llama, settings["seed"])
        self._written = alone.written
        self._speaker: OneByOne | Groups = alone
        if in_groups:
            self._speaker = Groups(
                llama_cpp,
                self._llama,
                at_once,
                self._context,
                alone.written,
                handler,
                self.template.render_for_pictures,
                gpu_layers != 0 and llama_cpp.llama_supports_gpu_offload(),
            )

    @property
    def at_once(self) -> int:
        """How many answers are decoded together; fewer, once memory has been short."""
        return self._speaker.at_once if isinstance(self._speaker, Groups) else 1

    def _choose_by_grammar(self, engine: Any) -> None:
        """Have tokens chosen by `greedy.Sampler` where there is a grammar and nothing else."""
        plain = self._llama._init_sampler

        def init_sampler(**options: Any) -> Any:
            grammar = options.get("grammar")
            alone = (
                options["temp"] == 0.0
                and options["repeat_penalty"] == 1.0
                and not options["frequency_penalty"]
                and not options["presence_penalty"]
                and options["logits_processor"] is None
            )
            if grammar is None or not alone:
                return plain(**options)
            return greedy.Sampler(engine, self._llama, grammar)

        self._llama._init_sampler = init_sampler

    def close(self) -> None:
        """Free the memory."""
        self._speaker.close()
        self._llama.close()

    @property
    def name(self) -> str:
        """What the file says that it is; empty where it says nothing."""
        return str(self._llama.metadata.get("general.name", ""))

    def answers(
        self,
        contents: Sequence[Any],
        schema: dict[str, Any],
        opening: str = "",
        whole: bool = False,
    ) -> list[dict[str, Any] | ValueError]:
        """The JSON that answers each of some messages; a ValueError where there is no whole one.

        contents: each text, or a list of parts with pictures. schema: of an answer; its
        properties come in the schema's order. opening: the text that each message of their kind
        begins with; it is evaluated once where answers are decoded together.
        Greedy decoding of a state that knows nothing of the questions before: the same messages
        have the same answers, in whichever order and job they are asked. A text that runs on
        until there is no room left is closed, and what the schema has behind it asked for by
        itself; or, if it has to be `whole`, there is no answer. Raises MemoryError.
        """
        return self._answers(
            [Asked(content, schema, self._max_tokens, opening, whole) for content in contents]
        )

    def _answers(self, asked: list[Asked]) -> list[dict[str, Any] | ValueError]:
        found: list[dict[str, Any] | ValueError] = []
        begun: dict[int, Asked] = {}
        for number, (each, said) in enumerate(zip(asked, self._speaker.say(asked), strict=True)):
            try:
                if isinstance(said, ValueError):
                    raise said
                text, ended = said
                if ended:
                    found.append(json.loads(text))
                    continue
                beginning, rest = broken_off.take_up(each, text, self.tokens)
                found.append(beginning)
                if rest:
                    begun[number] = rest
            except ValueError as error:
                found.append(error)
        rests = self._answers(list(begun.values())) if begun else []
        for number, rest_said in zip(begun, rests, strict=True):
            there = found[number]
            assert isinstance(there, dict)
            found[number] = there | rest_said if isinstance(rest_said, dict) else rest_said
        return found

    def tokens(self, text: str) -> int:
        """How many tokens a text is."""
        return len(self._llama.tokenize(text.encode(), add_bos=False, special=True))

    def chat_tokens(self) -> int:
        """How many tokens a message has that says nothing: the chat template's, and one.

        Raises ValueError where the model can't be asked: the context is too small for them, or
        the template is broken or refuses.
        """
        from jinja2 import TemplateError

        try:
            tokens, _ = self._written(".")
        except (TemplateError, ArithmeticError, TypeError, LookupError) as error:
            raise ValueError(f"its chat template is broken: {error}") from error
        if len(tokens) >= self._context:
            raise ValueError(
                f"Requested tokens ({len(tokens)}) exceed context window of {self._context}"
            )
        return len(tokens)

    def has_control_token(self, text: str) -> bool:
        """Whether a part of the text would reach the model as one of its control tokens.

        In a message it would: llama-cpp-python tokenises the whole rendered chat with
        `special=True`, what a user has written included.
        """
        raw = text.encode()
        as_chat, as_text = (
            self._llama.tokenize(raw, add_bos=False, special=special) for special in (True, False)
        )
        return bool(as_chat != as_text)


def tokens_needed(error: ValueError) -> int | None:
    """How many tokens did not fit into the context, where that is what an error says; 0: nobody
    knows how many."""
    found = re.search(r"exceeds n_ctx: (\d+)|Requested tokens \((\d+)\) exceed", str(error))
    if found:
        return int(found[1] or found[2])
    return 0 if "could not broadcast" in str(error) else None


def picture_handler(name: str, mmproj: Path, on_gpu: bool) -> Any:
    """A chat handler for pictures, by its name in `HANDLERS`.

    mmproj: the vision encoder, a GGUF file; its `mtmd_ctx` is None until the first picture.
    Raises StageError for a name that is not there.
    """
    from llama_cpp import llama_chat_format

    if name not in HANDLERS:
        raise StageError(
            f"there is no chat handler '{name}'; "
            f"description.handler is one of {', '.join(HANDLERS)}",
            kind="engine",
        )
    handler_class = getattr(llama_chat_format, HANDLERS[name])
    # The handlers of single models always take the GPU for the picture, if there is one.
    device = {"use_gpu": on_gpu} if name == "auto" else {}
    return handler_class(clip_model_path=str(mmproj), verbose=False, **device)


def gpus() -> tuple[bool, list[str]]:
    """Whether llama.cpp sees a GPU, and for which kinds of GPU it was compiled."""
    import llama_cpp

    system = llama_cpp.llama_print_system_info().decode(errors="replace")
    kinds = [kind for kind in ("CUDA", "ROCm", "Metal", "Vulkan", "SYCL") if f"{kind} :" in system]
    return bool(llama_cpp.llama_supports_gpu_offload()), kinds


def quantize(model: Path, output: Path) -> None:
    """Write a model with its numbers in 8 bits (Q8_0). Raises RuntimeError where that fails."""
    import llama_cpp

    how = llama_cpp.llama_model_quantize_default_params()
    how.ftype = llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0
    if llama_cpp.llama_model_quantize(str(model).encode(), str(output).encode(), how):
        raise RuntimeError(f"{model} can't be quantized")
