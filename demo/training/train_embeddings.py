"""Train the tiny embedding models of the demo and write them as ONNX folders.

    python demo/training/train_embeddings.py --out demo/models/embedding

Three folders, as fastembed loads them: `text` (what is said and described), `image`, and
`image_text`, whose vectors of a query lie beside those of the pictures that it asks for. A few
minutes on one CPU core.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
from torch import Tensor, nn, optim

import byte_pairs
import drawing
import paraphrases
import vocabulary
from embedding_model import EmbeddingShape, ImageEncoder, TextEncoder, contrast
from optimizer import learning_rate

SPECIALS = ("<|begin|>", "<|end|>", "<|pad|>")
VOCABULARY = 1000  # at most
SIZES = ((160, 120), (192, 108), (108, 192), (144, 144), (240, 100))  # width x height


def train_tokenizer() -> Tokenizer:
    """Learn the words; case, width and punctuation don't count."""
    tokenizer = byte_pairs.train(paraphrases.corpus(), SPECIALS, VOCABULARY)
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.Lowercase(),
            normalizers.Replace(Regex(r"[^\w]+"), " "),
            normalizers.Strip(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.enable_padding(pad_id=byte_pairs.PAD, pad_token=SPECIALS[byte_pairs.PAD])
    return tokenizer


def tokens(tokenizer: Tokenizer, texts: list[str]) -> tuple[Tensor, Tensor]:
    """Texts to ids and mask, (batch, longest) each."""
    encoded = tokenizer.encode_batch(texts)
    return (
        torch.tensor([one.ids for one in encoded]),
        torch.tensor([one.attention_mask for one in encoded]),
    )


def text_pairs(seed: int, held_out: bool = False):
    """Endless pairs of a text and a query: three of four are of speech, one of a description."""
    rng = random.Random(seed)
    said = vocabulary.sentences(seed, held_out)
    pictures = drawing.all_pictures()
    while True:
        if rng.random() < 0.75:
            sentence = next(said)
            if paraphrases.meaning(sentence):
                yield paraphrases.of_sentence(sentence, rng)
        else:
            yield paraphrases.of_picture(rng.choice(pictures), rng)


def near_miss(text: str, rng: random.Random) -> str:
    """A text in which one word that counts is another one of its kind."""
    words = text.split()
    places = [place for place, word in enumerate(words) if word.strip(";") in _KIND]
    if not places:
        return text
    place = rng.choice(places)
    word = words[place].strip(";")
    other = rng.choice([one for one in _KIND[word] if one != word])
    words[place] = words[place].replace(word, other)
    return " ".join(words)


_KIND = {
    word: kind
    for kind in (
        vocabulary.NOUNS + vocabulary.SHAPES,
        vocabulary.COLORS,
        vocabulary.ADJECTIVES,
        vocabulary.VERBS,
        vocabulary.ADVERBS,
        vocabulary.NUMBERS,
        ["left", "right", "center"],
    )
    for word in kind
}


def containment(asked: list[frozenset[str]], meanings: list[frozenset[str]]) -> Tensor:
    """(asked, meanings): whether a meaning holds all that is asked for."""
    return torch.tensor([[ask <= meaning for meaning in meanings] for ask in asked])


def train(
    models: tuple[nn.Module, ...],
    batch_loss: Callable[[Tensor], Tensor],
    steps: int,
    rate: float,
    name: str,
) -> None:
    """Follow the gradient of `batch_loss`, which is given the scale of the cosines."""
    scale = nn.Parameter(torch.tensor(2.7))
    parameters = [*itertools.chain(*(model.parameters() for model in models)), scale]
    optimizer = optim.AdamW(parameters, betas=(0.9, 0.98), weight_decay=0.01)
    started, recent = time.monotonic(), []
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = learning_rate(step, steps, rate)
        optimizer.zero_grad()
        loss = batch_loss(scale.clamp(max=4).exp())
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        recent = [*recent[-49:], loss.item()]
        if step % 100 == 99:
            took = time.monotonic() - started
            print(f"{name} {step + 1}: loss {np.mean(recent):.3f}, {took:.0f} s", flush=True)


def train_text(shape: EmbeddingShape, tokenizer: Tokenizer, steps: int, seed: int) -> TextEncoder:
    """Queries find the texts that they are paraphrases of, among others and near misses."""
    model = TextEncoder(shape, tokenizer.get_vocab_size(), pooled=False)
    pairs, rng = text_pairs(seed), random.Random(seed)

    def loss(scale: Tensor) -> Tensor:
        batch = list(itertools.islice(pairs, 160))
        texts = [pair.text for pair in batch]
        misses = [near_miss(text, rng) for text in texts[:80]]
        right = containment([pair.asked for pair in batch], [pair.meaning for pair in batch])
        # A near miss may still mean all that a query asks for: it counts for the others only.
        right = torch.cat([right, torch.zeros(len(batch), len(misses), dtype=torch.bool)], 1)
        for row, pair in enumerate(batch[:80]):
            right[row, len(batch) + row] = _still(pair, misses[row])
        found = model.embed(*tokens(tokenizer, texts + misses))
        return contrast(
            model.embed(*tokens(tokenizer, [pair.query for pair in batch])), found, right, scale
        )

    train((model,), loss, steps, 2e-3, "text")
    return model


def _still(pair: paraphrases.Pair, miss: str) -> bool:
    """Whether a near miss of a text still is what the query asks for."""
    if ";" not in pair.text:
        return pair.asked <= paraphrases.meaning(miss)
    return miss == pair.text


def draw_masks(count: int, side: int, seed: int) -> dict[tuple[str, str], list[np.ndarray]]:
    """White shapes on black, squeezed into squares of `side` pixels, by shape and position."""
    rng = random.Random(seed)
    masks: dict[tuple[str, str], list[np.ndarray]] = {}
    white, black = (255, 255, 255), (0, 0, 0)
    for index in range(count):
        shape, position = rng.choice(drawing.SHAPES), rng.choice(drawing.POSITIONS)
        width, height = SIZES[index % len(SIZES)]
        middle = {"left": 0.24, "center": 0.5, "right": 0.76}[position] + rng.uniform(-0.05, 0.05)
        center = (middle * width, rng.uniform(0.35, 0.65) * height)
        tall = min(rng.uniform(0.2, 0.6) * height, 0.45 * width)
        wide = tall if shape == "circle" else tall * rng.uniform(0.93, 1.15)
        image = drawing.draw_shape(
            shape, white, black, (width, height), center, (wide, tall), rng.random() < 0.6
        )
        small = image.convert("L").resize((side, side), Image.Resampling.BICUBIC)
        masks.setdefault((shape, position), []).append(np.asarray(small, np.float32) / 255)
    return masks


def color_mask(
    mask: np.ndarray, picture: drawing.Picture, rng: random.Random, noise: np.random.Generator
) -> np.ndarray:
    """A picture of a mask, (3, side, side) from -1 to 1, with a little noise."""
    color, background = (
        np.array(drawing.vary_color(name, rng, 16), np.float32)[:, None, None]
        for name in (picture.color, picture.background)
    )
    pixels = background + mask * (color - background)
    pixels += noise.normal(0, rng.uniform(0, 4), pixels.shape)
    return pixels.clip(0, 255).astype(np.float32) / 127.5 - 1


def train_image(
    shape: EmbeddingShape, tokenizer: Tokenizer, steps: int, seed: int
) -> tuple[ImageEncoder, TextEncoder]:
    """Queries find the pictures that they ask for, in many wordings."""
    image = ImageEncoder(shape)
    text = TextEncoder(shape, tokenizer.get_vocab_size(), pooled=True)
    masks = draw_masks(6000, shape.image_size, seed)
    rng, noise, pictures = random.Random(seed), np.random.default_rng(seed), drawing.all_pictures()

    def loss(scale: Tensor) -> Tensor:
        shown = [rng.choice(pictures) for _ in range(160)]
        pairs = [paraphrases.of_picture(picture, rng) for picture in shown]
        pixels = np.stack(
            [
                color_mask(rng.choice(masks[one.shape, one.position]), one, rng, noise)
                for one in shown
            ]
        )
        right = containment([pair.asked for pair in pairs], [pair.meaning for pair in pairs])
        return contrast(
            text.embed(*tokens(tokenizer, [pair.query for pair in pairs])),
            image.embed(torch.from_numpy(pixels)),
            right,
            scale,
        )

    train((image, text), loss, steps, 1.5e-3, "image")
    return image, text


def write_text(folder: Path, model: TextEncoder, tokenizer: Tokenizer, name: str) -> None:
    """Write a text model's folder."""
    shape = EmbeddingShape()
    _export(
        folder,
        model,
        tuple(tokens(tokenizer, ["a red circle", "now the train stops"])),
        {"input_ids": {0: "batch", 1: "tokens"}, "attention_mask": {0: "batch", 1: "tokens"}},
        name,
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    pad = SPECIALS[byte_pairs.PAD]
    _write(folder / "config.json", {"pad_token_id": byte_pairs.PAD, "hidden_size": shape.dims})
    _write(folder / "special_tokens_map.json", {"pad_token": pad})
    _write(folder / "tokenizer_config.json", {"model_max_length": shape.tokens, "pad_token": pad})


def write_image(folder: Path, model: ImageEncoder) -> None:
    """Write the image model's folder. The whole picture is squeezed: nothing is cropped away."""
    side = EmbeddingShape().image_size
    _export(
        folder,
        model,
        (torch.zeros(2, 3, side, side),),
        {"pixel_values": {0: "batch"}},
        "image_embeds",
    )
    _write(folder / "config.json", {"projection_dim": EmbeddingShape().dims})
    _write(
        folder / "preprocessor_config.json",
        {
            "image_processor_type": "CLIPImageProcessor",
            "do_resize": True,
            "size": {"height": side, "width": side},
            "resample": 3,
            "do_center_crop": False,
            "do_rescale": True,
            "do_normalize": True,
            "image_mean": [0.5, 0.5, 0.5],
            "image_std": [0.5, 0.5, 0.5],
        },
    )


def _export(
    folder: Path, model: nn.Module, example: tuple[Tensor, ...], axes: dict, output: str
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        model.eval(),
        example,
        str(folder / "model.onnx"),
        input_names=list(axes),
        output_names=[output],
        dynamic_axes={**axes, output: {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )


def _write(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n")


def main() -> None:
    """Train the models and write their folders."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the three models")
    parser.add_argument("--text-steps", type=int, default=1500)
    parser.add_argument("--image-steps", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    shape, tokenizer = EmbeddingShape(), train_tokenizer()
    print(f"{tokenizer.get_vocab_size()} tokens", flush=True)
    if args.text_steps:
        text = train_text(shape, tokenizer, args.text_steps, args.seed)
        write_text(args.out / "text", text, tokenizer, "last_hidden_state")
    if args.image_steps:
        image, query = train_image(shape, tokenizer, args.image_steps, args.seed)
        write_image(args.out / "image", image)
        write_text(args.out / "image_text", query, tokenizer, "text_embeds")


if __name__ == "__main__":
    main()
