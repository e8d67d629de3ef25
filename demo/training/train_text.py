"""Train the tiny text model of the demo and write its GGUF file.

It learns from endless random questions (`text_questions.py`, `german_questions.py`) to answer by
the rules of `text_samples.py` and `german.py`.  About an hour on a free CPU core.

    python demo/training/train_text.py --out demo/models/text
    python demo/training/train_text.py --out new --resume demo/models/text/model.gguf
"""

from __future__ import annotations

import argparse
import itertools
import random
import time
from collections.abc import Callable
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch.nn import functional as F

import byte_pairs
import german
import read_gguf
import text_prompts
import text_tokenizer
import write_gguf
from german_questions import Translations
from optimizer import Optimizer, learning_rate
from text_alignment import Watcher
from text_batches import Batch, batches
from text_model import TextModel, TextShape
from text_questions import Questions

TOKENS = 6000  # a step


def new_model(tokenizer: Tokenizer) -> TextModel:
    """A model whose tokens begin alike where they are forms of one word: " goal" and "Goal"."""
    size = tokenizer.get_vocab_size()
    model = TextModel(TextShape(vocabulary=size, rope_base=100000.0))
    words: dict[str, int] = {}
    with torch.no_grad():
        weights = model.token_embd.weight
        for number in range(size):
            word = str(tokenizer.id_to_token(number)).removeprefix("Ġ").lower()
            first = words.setdefault(word, number)
            if first != number:
                weights[number] = weights[first] + 0.2 * weights[number]
    return model


def begin_at_english(model: TextModel, tokenizer: Tokenizer) -> None:
    """Have each German word begin near the English one: to translate is then much like to copy,
    which the model can."""
    with torch.no_grad():
        weights = model.token_embd.weight
        for english, word in german.WORDS.items():
            for form in ("", "Ġ"):
                known = tokenizer.token_to_id(f"{form}{english}")
                (new,) = tokenizer.encode(form.replace("Ġ", " ") + word).ids
                if new != known:
                    weights[new] = weights[known] + 0.5 * weights[new]


def losses(model: TextModel, batch: Batch) -> tuple[torch.Tensor, float]:
    """The weighted loss of a batch, and the share of its answers that are wholly right."""
    asked = batch.weights[:, 1:] > 0
    states = model(model.token_embd(batch.ids))[:, :-1][asked]
    scores, wanted = model.logits(states), batch.ids[:, 1:][asked]
    weights = batch.weights[:, 1:][asked]
    loss = F.cross_entropy(scores, wanted, reduction="none") @ weights / weights.sum()
    right = ~asked
    right[asked] = scores.argmax(1) == wanted
    return loss, right.all(1).float().mean().item()


def mixed(seed: int, share: float) -> Callable[[float], tuple[str, str]]:
    """Random questions of both kinds; share: of those for a translation."""
    rng, others, translations = random.Random(seed), Questions(seed), Translations(seed)

    def question(whole: float) -> tuple[str, str]:
        kind = translations if rng.random() < share else others
        return kind.question(whole)

    return question


def train(
    model: TextModel,
    tokenizer: Tokenizer,
    question: Callable[[float], tuple[str, str]],
    steps: int,
    peak: float,
    guide: float,
    save: Callable[[], None],
) -> None:
    """Follow the gradient for some steps, and save now and then. guide: the share of the steps in
    which the model is told where to look."""
    optimizer, watcher = Optimizer(model), Watcher(model)
    started, step = time.monotonic(), 0
    recent: list[tuple[float, float]] = []
    looks: list[float] = []
    while step < steps:
        # Short questions first: a step has more of them.
        whole = 0.08 if step < 0.4 * steps else 0.4
        for batch in itertools.islice(batches(question, tokenizer, TOKENS, whole), steps - step):
            loss, right = losses(model, batch)
            recent = [*recent[-49:], (loss.item(), right)]
            looking = watcher.loss(batch.sources, batch.ids == byte_pairs.PAD)
            if step < guide * steps:
                loss = loss + looking * (1 - step / (guide * steps))
            optimizer.step(loss, learning_rate(step, steps, peak))
            looks.append(looking.item())
            step += 1
            if step % 50 == 0:
                mean = torch.tensor(recent).mean(0)
                print(
                    f"step {step}: loss {mean[0]:.4f}, whole answers right {mean[1]:.3f}, "
                    f"looking {sum(looks[-50:]) / 50:.3f}, "
                    f"{time.monotonic() - started:.0f} s",
                    flush=True,
                )
            if step % 200 == 0 or step == steps:
                save()


def main() -> None:
    """Train and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of model.gguf")
    parser.add_argument("--steps", type=int, default=2700)
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--german", type=float, default=0.35, help="share of translations")
    parser.add_argument(
        "--guide",
        type=float,
        default=0.6,
        help="share of the steps in which it is told where to look",
    )
    parser.add_argument("--new-words", action="store_true", help="of German: it knew none before")
    parser.add_argument("--resume", type=Path, help="go on from the weights of this model.gguf")
    args = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    tokenizer = text_tokenizer.train_tokenizer()
    model = new_model(tokenizer)
    if args.resume:
        read_gguf.read_text(args.resume, model)
        if args.new_words:
            begin_at_english(model, tokenizer)

    def save() -> None:
        path = args.out / "model.gguf"
        write_gguf.write_text(path, model, tokenizer, text_prompts.CHAT_TEMPLATE)

    train(model, tokenizer, mixed(args.seed, args.german), args.steps, args.rate, args.guide, save)


if __name__ == "__main__":
    main()
