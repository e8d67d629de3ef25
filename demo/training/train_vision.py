"""Train the tiny vision-language model of the demo and write its two GGUF files.

Two stages, because joint training alone learns colours but not shapes: first the vision
tower learns to see (attributes, and how much of each patch the shape covers), then tower
and text model together learn to describe.  About half an hour on one CPU core.

    python demo/training/train_vision.py --out demo/models/vision --work /tmp/vision
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F

import byte_pairs
import vision_batches
import vision_prompts
import vision_tokenizer
import write_gguf
from optimizer import Optimizer, learning_rate
from text_model import TextModel, TextShape
from vision_examiner import Examiner
from vision_model import VisionShape, VisionTower

KEYS = ("visual_content", "mood", "action", "setting")


def learn_to_see(
    tower: VisionTower,
    examiner: Examiner,
    masks: vision_batches.Masks,
    steps: int,
    rng: np.random.Generator,
    work: Path,
) -> None:
    """Stage 1: attributes and coverage, without any text.

    It begins with many pictures in black and white: an edge between any two colours is
    learned much faster from there.
    """
    optimizer = Optimizer(tower, examiner)
    started, recent = time.monotonic(), []
    for step in range(steps):
        uncolored = 0.7 * max(0.0, 1 - 2 * step / steps)
        batch = vision_batches.random_batch(masks, 128, rng, uncolored)
        loss, right = examiner(*tower(batch.pixels), batch)
        optimizer.step(loss, learning_rate(step, steps, 1.5e-3))
        recent = [*recent[-49:], [hit.float().mean().item() for hit in right.values()]]
        if step % 50 == 49:
            shares = zip(right, np.mean(recent, axis=0), strict=True)
            print(
                f"see {step + 1}: loss {loss.item():.3f}, right: "
                + ", ".join(f"{name} {share:.3f}" for name, share in shares)
                + f", {time.monotonic() - started:.0f} s",
                flush=True,
            )
            torch.save([tower.state_dict(), examiner.state_dict()], work / "seeing.pt")


def learn_to_describe(
    tower: VisionTower,
    text: TextModel,
    examiner: Examiner,
    tokenizer: Tokenizer,
    masks: vision_batches.Masks,
    steps: int,
    rng: np.random.Generator,
    out: Path,
) -> None:
    """Stage 2: tower and text model together; the files are written every 200 steps."""
    words = random.Random(int(rng.integers(2**31)))
    models = (tower, text, examiner)
    optimizer = Optimizer(*models)
    started, recent = time.monotonic(), []
    for step in range(steps):
        batch = vision_batches.random_batch(masks, 32, rng)
        features, tokens = tower(batch.pixels)
        seen, _ = examiner(features, tokens, batch)
        ids, pictured, answered = prompt_ids(batch, tokenizer, tokens.shape[1], words)
        embeddings = text.token_embd(ids)
        embeddings = embeddings.masked_scatter(pictured[..., None], tokens)
        states = text(embeddings)[:, :-1][answered[:, 1:]]
        scores, wanted = text.logits(states), ids[:, 1:][answered[:, 1:]]
        loss = F.cross_entropy(scores, wanted) + 0.4 * seen
        optimizer.step(loss, learning_rate(step, steps, 1.2e-3))
        hit = torch.zeros(answered.shape, dtype=torch.bool)
        hit[:, 1:][answered[:, 1:]] = scores.argmax(1) == wanted
        recent = [*recent[-49:], (hit | ~answered).all(1).float().mean().item()]
        if step % 50 == 49:
            print(
                f"describe {step + 1}: loss {loss.item():.3f}, whole answers right "
                f"{np.mean(recent):.3f}, {time.monotonic() - started:.0f} s",
                flush=True,
            )
        if step % 200 == 199 or step + 1 == steps:
            write_gguf.write_models(out, tower, text, tokenizer)


def prompt_ids(
    batch: vision_batches.Batch, tokenizer: Tokenizer, patches: int, words: random.Random
) -> tuple[Tensor, Tensor, Tensor]:
    """A random prompt around the pictures and their answers, as the engine lays them out.

    Returns:
        ids (batch, tokens), padded; pictured (batch, tokens), true where the picture's
        tokens go; answered (batch, tokens), true on the answer and its end.
    """
    # One prompt for the whole batch: prompts of many lengths would be half padding.
    # mtmd tokenizes each text around the picture on its own.
    before, after = (
        tokenizer.encode(part, add_special_tokens=False).ids
        for part in vision_prompts.random_rendering(words)
    )
    before = [byte_pairs.BEGIN, *before]
    rows = []
    for index in range(len(batch.pixels)):
        keys = KEYS
        if words.random() < 0.1:  # another schema than the project's
            keys = tuple(words.sample(KEYS, words.randint(1, 4)))
        reply = vision_tokenizer.answer_text(batch.picture(index), keys)
        answer = tokenizer.encode(reply, add_special_tokens=False).ids
        rows.append((before, after, [*answer, byte_pairs.END]))
    longest = max(patches + sum(map(len, row)) for row in rows)
    ids = torch.full((len(rows), longest), byte_pairs.PAD)
    pictured = torch.zeros(ids.shape, dtype=torch.bool)
    answered = torch.zeros(ids.shape, dtype=torch.bool)
    for index, (before, after, answer) in enumerate(rows):
        start, end = len(before), len(before) + patches
        total = end + len(after) + len(answer)
        ids[index, :start] = torch.tensor(before)
        pictured[index, start:end] = True
        ids[index, end:total] = torch.tensor(after + answer)
        answered[index, total - len(answer) : total] = True
    return ids, pictured, answered


def main() -> None:
    """Train both stages and write the files."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the two GGUF files")
    parser.add_argument("--work", type=Path, required=True, help="folder of the checkpoints")
    parser.add_argument("--geometries", type=int, default=16000, help="different shapes drawn")
    parser.add_argument("--see-steps", type=int, default=1500)
    parser.add_argument("--describe-steps", type=int, default=1600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true", help="skip stage 1: load seeing.pt")
    args = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    for folder in (args.out, args.work):
        folder.mkdir(parents=True, exist_ok=True)
    tokenizer = vision_tokenizer.train_tokenizer()
    text = TextModel(TextShape(vocabulary=tokenizer.get_vocab_size()))
    tower = VisionTower(VisionShape(), text.shape.width)
    examiner = Examiner(tower, text.shape.width)
    masks = vision_batches.draw_masks(args.geometries, tower.shape.image_size, args.seed)
    if args.resume:
        states = torch.load(args.work / "seeing.pt")
        for model, state in zip((tower, examiner), states, strict=True):
            model.load_state_dict(state)
    else:
        learn_to_see(tower, examiner, masks, args.see_steps, rng, args.work)
    learn_to_describe(tower, text, examiner, tokenizer, masks, args.describe_steps, rng, args.out)


if __name__ == "__main__":
    main()
