"""Measure the tiny vision-language model through the real engine, on held-out pictures.

    python demo/training/evaluate_vision.py demo/models/vision

Prints a markdown table: share of pictures with the visual content, the position and all
four fields exactly right, and seconds a picture.
"""

from __future__ import annotations

import argparse
import base64
import ctypes
import json
import time
from pathlib import Path
from typing import Any

import llama_cpp
from llama_cpp import mtmd_cpp
from llama_cpp.llama_chat_format import Llava15ChatHandler, MTMDChatHandler

import drawing
import vision_prompts
import vision_samples

FIELDS = ("visual_content", "mood", "action", "setting")
SCHEMA = {
    "type": "object",
    "properties": {field: {"type": "string"} for field in FIELDS},
    "required": list(FIELDS),
}
# Wordings that no training prompt has.
UNSEEN_PROMPTS = (
    "Summarise the still below for an archivist.",
    "Hello! Could you kindly explain what happens in this photograph, and how it feels?",
    "List objects; then the atmosphere; then movement; then location.",
)


@llama_cpp.llama_log_callback
def _silence(level: int, text: bytes, user_data: ctypes.c_void_p) -> None:
    """Swallow mtmd's log, which goes to stderr whatever `verbose` says."""


def load(folder: Path, handler: type = MTMDChatHandler) -> llama_cpp.Llama:
    """Open the model of a folder with one of llama_cpp's chat handlers."""
    mtmd_cpp.mtmd_helper_log_set(_silence, ctypes.c_void_p(0))
    return llama_cpp.Llama(
        str(folder / "text.gguf"),
        chat_handler=handler(clip_model_path=str(folder / "mmproj.gguf"), verbose=False),
        n_ctx=2048,
        n_threads=1,
        n_threads_batch=1,
        seed=1,
        verbose=False,
    )


def ask(llama: llama_cpp.Llama, jpeg: bytes, prompt: str) -> dict[str, Any]:
    """The engine's choice (message and finish_reason) for one picture."""
    url = "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
    reply = llama.create_chat_completion(
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": url}},
                    {"type": "text", "text": prompt},
                ],
            }
        ],
        response_format={"type": "json_object", "schema": SCHEMA},
        temperature=0.0,
        seed=1,
        max_tokens=128,
    )
    return reply["choices"][0]


def measure(
    llama: llama_cpp.Llama,
    samples: list[vision_samples.Sample],
    prompts: tuple[str, ...] = (vision_prompts.DEFAULT_PROMPT,),
    misses: list[str] | None = None,
) -> tuple[str, list[str]]:
    """A table row (without its name) and the raw answers."""
    right = dict.fromkeys(("visual_content", "action", "all"), 0)
    answers, seconds = [], 0.0
    for index, sample in enumerate(samples):
        started = time.perf_counter()
        choice = ask(llama, sample.jpeg, prompts[index % len(prompts)])
        seconds += time.perf_counter() - started
        text, wanted = choice["message"]["content"], drawing.answer(sample.picture)
        answers.append(text)
        told = json.loads(text) if choice["finish_reason"] == "stop" else {}
        right["visual_content"] += told.get("visual_content") == wanted["visual_content"]
        place = wanted["action"].rpartition("stands ")[2]
        right["action"] += told.get("action", "").endswith(place)
        right["all"] += told == wanted
        if told != wanted and misses is not None:
            misses.append(f"{sample.source} {sample.picture}: {choice['finish_reason']} {text}")
    shares = " | ".join(f"{count}/{len(samples)}" for count in right.values())
    return f"{len(samples)} | {shares} | {seconds / len(samples):.3f}", answers


def main() -> None:
    """Measure every set and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path, help="folder of text.gguf and mmproj.gguf")
    parser.add_argument("--count", type=int, default=150, help="pictures of each set")
    parser.add_argument("--seed", type=int, default=70000)
    args = parser.parse_args()

    fresh = vision_samples.fresh(args.count, args.seed)
    foreign = vision_samples.foreign(args.count, args.seed + 1)
    video = vision_samples.compressed(args.count, args.seed + 2)
    misses: list[str] = []
    print("| pictures | count | content right | position right | all four right | s a picture |")
    print("|---|---|---|---|---|---|")
    llama = load(args.folder)
    row, answers = measure(llama, fresh, misses=misses)
    print(f"| drawn by `drawing.py`, JPEG 90 | {row} |", flush=True)
    row, _ = measure(llama, foreign, misses=misses)
    print(f"| drawn otherwise, JPEG 90 | {row} |", flush=True)
    row, _ = measure(llama, video, misses=misses)
    print(f"| through H.264 crf 23 and JPEG 90 | {row} |", flush=True)
    row, _ = measure(llama, fresh, UNSEEN_PROMPTS)
    print(f"| the first row's, with unseen prompts | {row} |", flush=True)
    llama.close()
    llama = load(args.folder, Llava15ChatHandler)
    row, _ = measure(llama, fresh)
    print(f"| the first row's, by Llava15ChatHandler | {row} |", flush=True)
    llama.close()
    llama = load(args.folder)
    _, again = measure(llama, fresh)
    llama.close()
    same = sum(first == second for first, second in zip(answers, again, strict=True))
    print(f"\nSame answer in a second run: {same}/{len(answers)}.")
    for miss in misses:
        print(f"- {miss}")


if __name__ == "__main__":
    main()
