"""Keyframes that are pictures: what perceptual hashes are made of."""

import json
from pathlib import Path

import numpy as np
from PIL import Image


def picture(seed: int, size: tuple[int, int] = (320, 180)) -> Image.Image:
    """A picture of some soft blots, the same for each seed, as large as it is wanted (pixels)."""
    dice = np.random.default_rng(seed)
    small = Image.fromarray(dice.integers(0, 256, (6, 8), np.uint8), "L")
    return small.resize((640, 360), Image.Resampling.BICUBIC).resize(size)


def write_keyframes(
    film: Path, pictures: list[Image.Image], quality: int = 90, every: float = 6.0
) -> None:
    """Have these pictures as the keyframes of a film that is there: one a scene, a scene each
    `every` seconds."""
    listed = json.loads((film / "keyframes.json").read_text())
    frames = []
    for number, each in enumerate(pictures):
        name = f"scene{number:04}_0.jpg"
        (film / "keyframes").mkdir(exist_ok=True)
        each.convert("RGB").save(film / "keyframes" / name, quality=quality)
        frames.append({"scene_id": number, "frame": number, "timestamp": number * every + 1.2,
                       "file": name, "sharpness": 1.0, "width": each.width, "height": each.height,
                       "faces": 0})  # fmt: skip
    (film / "keyframes.json").write_text(json.dumps(listed | {"keyframes": frames}))
