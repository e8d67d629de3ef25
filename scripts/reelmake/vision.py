"""Pictures to text with llama.cpp, through llama-cpp-python: the only module that imports it."""

import base64
import json
from pathlib import Path
from typing import Any

from reelmake import gguf
from reelmake.descriptions import ANSWER_SCHEMA, FIELDS
from reelmake.errors import StageError

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


class Vision:
    """A vision-language model, loaded.

    model, mmproj: GGUF files. settings: the config section `description`. gpu_layers: as
    llama.cpp counts them, 0 for none. Use it as a context manager: it frees the memory.
    Raises StageError where the two files are not a model that can see.
    """

    def __init__(
        self,
        model: Path,
        mmproj: Path,
        settings: dict[str, Any],
        gpu_layers: int = 0,
        threads: int = 4,
    ):
        self._settings = settings
        for setting, path in (("model", model), ("mmproj", mmproj)):
            gguf.require(path, f"description.{setting}")
        import llama_cpp
        from llama_cpp import llama_chat_format

        if settings["handler"] not in HANDLERS:
            raise StageError(
                f"there is no chat handler '{settings['handler']}'; "
                f"description.handler is one of {', '.join(HANDLERS)}",
                kind="engine",
            )
        handler_class = getattr(llama_chat_format, HANDLERS[settings["handler"]])
        # The handlers of single models always take the GPU for the picture, if there is one.
        device = {"use_gpu": gpu_layers != 0} if settings["handler"] == "auto" else {}
        self._handler = handler_class(clip_model_path=str(mmproj), verbose=False, **device)
        self._mismatch = (
            f"{mmproj} is not the vision encoder of {model}, or damaged; "
            "take both from the same model's page (description.model, description.mmproj)"
        )
        try:
            self._llama = llama_cpp.Llama(
                str(model),
                chat_handler=self._handler,
                n_ctx=settings["context"],
                n_gpu_layers=gpu_layers,
                n_threads=threads,
                n_threads_batch=threads,
                seed=settings["seed"],
                verbose=False,
            )
        except ValueError as error:
            raise StageError(
                f"{model} cannot be loaded ({error}): damaged, not a language model, "
                "or too large for the memory; download it again or choose a smaller one",
                kind="engine",
            ) from error

    def __enter__(self) -> "Vision":
        return self

    def __exit__(self, *_: object) -> None:
        self._llama.close()

    def describe(self, picture: bytes) -> dict[str, str]:
        """The answer about one picture (the bytes of a JPEG or PNG file).

        Greedy decoding, so the same picture gets the same answer. Raises ValueError for a
        frame that the model fails on (no whole answer, a picture that can't be decoded), and
        StageError for what would fail every frame.
        """
        url = "data:image/jpeg;base64," + base64.b64encode(picture).decode()
        try:
            answer = self._llama.create_chat_completion(
                messages=[
                    {
                        "role": "user",
                        "content": [
                            {"type": "image_url", "image_url": {"url": url}},
                            {"type": "text", "text": self._settings["prompt"]},
                        ],
                    }
                ],
                # Any other type is silently ignored in-process.
                response_format={"type": "json_object", "schema": ANSWER_SCHEMA},
                temperature=0.0,
                repeat_penalty=1.0,  # the default forbids what a schema repeats
                seed=self._settings["seed"],
                max_tokens=self._settings["max_tokens"],
            )
        except (ValueError, RuntimeError) as error:
            if self._handler.mtmd_ctx is None:  # loaded with the first picture
                raise StageError(self._mismatch, kind="engine") from error
            raise ValueError(str(error)) from error
        choice = answer["choices"][0]
        if choice["finish_reason"] == "length":
            raise ValueError(f"the answer is longer than {self._settings['max_tokens']} tokens")
        description = json.loads(choice["message"]["content"])
        return {field: str(description[field]) for field in FIELDS}


def gpus() -> tuple[bool, list[str]]:
    """Whether llama.cpp sees a GPU, and for which kinds of GPU it was compiled."""
    import llama_cpp

    system = llama_cpp.llama_print_system_info().decode(errors="replace")
    kinds = [kind for kind in ("CUDA", "ROCm", "Metal", "Vulkan", "SYCL") if f"{kind} :" in system]
    return bool(llama_cpp.llama_supports_gpu_offload()), kinds
