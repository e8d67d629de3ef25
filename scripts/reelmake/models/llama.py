"""llama.cpp, through llama-cpp-python: the only module that imports it."""

import json
import re
from pathlib import Path
from typing import Any

from reelmake.editing import prompts
from reelmake.foundation.errors import StageError
from reelmake.models import broken_off, chat_templates, greedy, model_files

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


LONGEST = 300
"""Characters that are kept of a text that ran on."""
SHOWN = (LONGEST, 100, 30, 0)
"""Characters of a text that a model sees again when it is asked for the rest: the first that leave
a quarter of the room."""
SHORTEST = 8
"""Tokens, of an answer."""


class Model:
    """A language model, loaded.

    path: a GGUF file; setting: the one that names it (`description.model`), for messages.
    settings: `context` and `max_tokens` (tokens), `seed`, and `thinking` where there is such a
    one. gpu_layers: as llama.cpp counts them, 0 for none. handler: what `picture_handler` gives,
    for questions about pictures.
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
    ):
        model_files.require(path, setting)
        import llama_cpp
        from jinja2 import TemplateError

        self._max_tokens, self._seed = settings["max_tokens"], settings["seed"]
        try:
            self._llama = llama_cpp.Llama(
                str(path),
                chat_handler=handler,
                n_ctx=settings["context"],
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
        if not handler and not settings.get("thinking", True) and self._may_think:
            self._llama.chat_handler = self._without_thoughts()

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
        self._llama.close()

    @property
    def name(self) -> str:
        """What the file says that it is; empty where it says nothing."""
        return str(self._llama.metadata.get("general.name", ""))

    def render(self, content: Any, **more: Any) -> str:
        """A message as the file's own chat template writes it down.

        Raises what the template does: TypeError, ValueError, Jinja's errors.
        """
        formatter = self._formatter()
        written = formatter(messages=[{"role": "user", "content": content}], **more)
        return str(written.prompt)

    def _formatter(self) -> Any:
        from llama_cpp import llama_chat_format

        llama = self._llama
        bos, eos = (
            llama._model.token_get_text(token) if token != -1 else ""
            for token in (llama.token_bos(), llama.token_eos())
        )
        return llama_chat_format.Jinja2ChatFormatter(
            self._template, eos, bos, stop_token_ids=[llama.token_eos()]
        )

    @property
    def _may_think(self) -> bool:
        """Whether the template lets the model think before it answers."""
        return "enable_thinking" in self._template or chat_templates.THINK in self._template

    def _without_thoughts(self) -> Any:
        """A chat handler with which the model answers at once: by the template's own argument
        where there is one, or else after a thought that is closed before it begins."""
        from llama_cpp import llama_chat_format

        plain = self._formatter()

        def format_chat(**given: Any) -> Any:
            made = plain(**given | {"enable_thinking": False})
            made.prompt = chat_templates.closed_thought(made.prompt)
            return made

        return llama_chat_format.chat_formatter_to_chat_completion_handler(format_chat)

    @property
    def has_template(self) -> bool:
        """Whether the file says how a chat is written down. For one that does not,
        llama-cpp-python takes Llama 2's way without a word."""
        return bool(self._template)

    @property
    def _template(self) -> str:
        return str(self._llama.metadata.get("tokenizer.chat_template", ""))

    def chat(self, content: Any, schema: dict[str, Any]) -> dict[str, Any]:
        """The JSON that answers one message.

        content: text, or a list of parts with pictures. schema: of the answer; its properties
        come in the schema's order.
        Greedy decoding of a state that knows nothing of the questions before: the same message
        has the same answer, in whichever order and job it is asked. A text that runs on until
        there is no room left is closed, and what the schema has behind it asked for by itself.
        Raises ValueError where there is no whole answer.
        """
        return self._chat(content, schema, self._max_tokens)

    def _chat(self, content: Any, schema: dict[str, Any], room: int) -> dict[str, Any]:
        answer = self._ask(
            content,
            # Any other type is silently ignored in-process.
            response_format={"type": "json_object", "schema": schema},
            max_tokens=room,
        )
        choice = answer["choices"][0]
        said = choice["message"]["content"]
        if choice["finish_reason"] != "length":
            found: dict[str, Any] = json.loads(said)
            return found
        found, name = broken_off.read(said)
        if name is None:
            raise ValueError(f"the answer is longer than {self._max_tokens} tokens")
        found[name] = broken_off.closed(found[name], LONGEST)
        names = list(schema["properties"])
        rest = names[names.index(name) + 1 :]
        if not rest:
            return found
        # The rest is asked for after what there is of the answer; of a text whose every character
        # is a token, after its beginning.
        for most in SHOWN:
            begun = {key: prompts.neutral(str(value))[:most] for key, value in found.items()}
            more = (
                f"\n\nThe answer begins: {json.dumps(begun, ensure_ascii=False)}\n"
                "Give the rest of it."
            )
            left = room - self.tokens(more)
            if left >= room // 4:
                break
        room = left
        if room < SHORTEST:
            raise ValueError(f"the answer is longer than {self._max_tokens} tokens")
        properties = {key: schema["properties"][key] for key in rest}
        shorter = schema | {"properties": properties, "required": rest}
        return found | self._chat(_with(content, more), shorter, room)

    def _ask(self, content: Any, **options: Any) -> Any:
        # Otherwise the state of what this message and the last begin with is kept. It came of
        # batches of other sizes, for which a backend may have other kernels: the last bits of
        # its numbers, and then the answer, would depend on what was asked before.
        self._llama.reset()
        try:
            return self._llama.create_chat_completion(
                messages=[{"role": "user", "content": content}],
                temperature=0.0,
                repeat_penalty=1.0,  # the default forbids what a schema repeats
                seed=self._seed,
                **options,
            )
        except RuntimeError as error:
            raise ValueError(str(error)) from error

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
            answer = self._ask(".", max_tokens=1)
        except (TemplateError, ArithmeticError, TypeError, LookupError) as error:
            raise ValueError(f"its chat template is broken: {error}") from error
        used: int = answer["usage"]["prompt_tokens"]
        return used

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


def _with(content: Any, more: str) -> Any:
    """A message with more text at its end."""
    if isinstance(content, str):
        return content + more
    return [*content, {"type": "text", "text": more}]


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
