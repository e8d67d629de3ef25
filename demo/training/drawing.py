"""Pictures of one plain shape on a plain background, and what can truly be said of them.

Depends only on Pillow and the standard library: the training, the tests and the
maker of the demo video all draw with it, and only the training has torch.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from PIL import Image, ImageDraw

SHAPES = ("circle", "square", "triangle")
POSITIONS = ("left", "center", "right")

# Anchors per colour name (RGB, 0 to 255); the first one is the canonical one.  Several,
# because "green" in CSS is (0, 128, 0) and in a video test card (0, 255, 0).
ANCHORS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "red": ((220, 30, 30), (255, 0, 0), (190, 20, 20)),
    "green": ((30, 160, 60), (0, 128, 0), (0, 255, 0), (0, 200, 0)),
    "blue": ((40, 70, 210), (0, 0, 255), (10, 30, 180)),
    "yellow": ((245, 220, 40), (255, 255, 0)),
    "white": ((250, 250, 250), (255, 255, 255)),
    "black": ((12, 12, 12), (0, 0, 0)),
    "gray": ((128, 128, 128), (160, 160, 160), (105, 105, 105)),
    "orange": ((245, 140, 25), (255, 165, 0), (255, 128, 0)),
    "purple": ((130, 40, 160), (128, 0, 128), (150, 50, 200)),
    "cyan": ((40, 215, 225), (0, 255, 255)),
    "pink": ((250, 160, 195), (255, 192, 203), (255, 105, 180)),
}
COLORS = tuple(ANCHORS)

# The mood follows from the background alone, so that the answer can be checked.
MOODS = {
    "white": "bright",
    "yellow": "bright",
    "black": "dark",
    "purple": "dark",
    "red": "warm",
    "orange": "warm",
    "pink": "warm",
    "blue": "cool",
    "cyan": "cool",
    "gray": "calm",
    "green": "calm",
}

_PLACES = {"left": "on the left", "center": "in the center", "right": "on the right"}
# Where the middle of the shape lies, as a share of the width; the bands stay far apart.
_CENTERS = {"left": 0.23, "center": 0.5, "right": 0.77}
_OVERSAMPLING = 3  # drawn larger and reduced, for smooth edges
_LARGEST_DRAWING = 2400  # pixels of the longer side beyond which nothing is oversampled


@dataclass(frozen=True)
class Picture:
    """What a picture shows: one shape, its colour and place, and the background's colour."""

    shape: str
    color: str
    position: str
    background: str

    def __post_init__(self) -> None:
        """Refuse words that no picture can be drawn of.

        Raises:
            ValueError: a word is outside SHAPES, COLORS or POSITIONS, or the shape
                has the colour of its background.
        """
        for name, value, known in (
            ("shape", self.shape, SHAPES),
            ("color", self.color, COLORS),
            ("position", self.position, POSITIONS),
            ("background", self.background, COLORS),
        ):
            if value not in known:
                raise ValueError(f"{name} is {value!r}; expected one of {', '.join(known)}")
        if self.color == self.background:
            raise ValueError(f"a {self.color} {self.shape} cannot be seen on {self.background}")


def all_pictures() -> list[Picture]:
    """Every picture that can be named: 3 shapes x 3 positions x 11 x 10 colours = 990."""
    return [
        Picture(shape, color, position, background)
        for shape in SHAPES
        for color in COLORS
        for position in POSITIONS
        for background in COLORS
        if color != background
    ]


def caption(picture: Picture) -> str:
    """What is seen, for example "a red circle on a white background"."""
    return f"{article(picture.color)} {picture.color} {picture.shape} on {_background(picture)}"


def answer(picture: Picture) -> dict[str, str]:
    """The right description of a picture, in the order in which the model writes it."""
    return {
        "visual_content": caption(picture),
        "mood": MOODS[picture.background],
        "action": f"a {picture.shape} stands {_PLACES[picture.position]}",
        "setting": f"a plain {picture.background} background",
    }


def article(word: str) -> str:
    """The article "a" or "an" that goes before a word."""
    return "an" if word[0] in "aeiou" else "a"


def _background(picture: Picture) -> str:
    return f"{article(picture.background)} {picture.background} background"


def draw(picture: Picture, width: int, height: int, seed: int = 0) -> Image.Image:
    """Draw a picture.

    Args:
        picture: what to draw.
        width: pixels.
        height: pixels.
        seed: varies size (a quarter to half of the height), place and colours a little;
            0 draws the canonical picture without any variation.

    Returns:
        An RGB image of width x height pixels.
    """
    if seed == 0:
        size, dx, dy = 0.42, 0.0, 0.0
        color, background = ANCHORS[picture.color][0], ANCHORS[picture.background][0]
    else:
        rng = random.Random(f"{seed} {picture}")
        size, dx, dy = rng.uniform(0.25, 0.5), rng.uniform(-0.03, 0.03), rng.uniform(-0.15, 0.15)
        color = vary_color(picture.color, rng)
        background = vary_color(picture.background, rng)
    # A shape at 0.23 of a portrait picture would otherwise be cut off by its edge.
    side = min(size * height, 0.42 * width)
    center = ((_CENTERS[picture.position] + dx) * width, (0.5 + dy) * height)
    return draw_shape(picture.shape, color, background, (width, height), center, (side, side))


def vary_color(name: str, rng: random.Random, spread: int = 10) -> tuple[int, int, int]:
    """A colour near one of the anchors of a name, each channel off by `spread` at most."""
    anchor = rng.choice(ANCHORS[name])
    # Gray, white and black keep their channels together: tinted, they are other colours.
    if name in ("white", "black", "gray"):
        shift = rng.randint(-spread, spread)
        shifts = [shift + rng.randint(-3, 3) for _ in anchor]
    else:
        shifts = [rng.randint(-spread, spread) for _ in anchor]
    red, green, blue = (
        max(0, min(255, level + by)) for level, by in zip(anchor, shifts, strict=True)
    )
    return red, green, blue


def draw_shape(
    shape: str,
    color: tuple[int, int, int],
    background: tuple[int, int, int],
    frame: tuple[int, int],
    center: tuple[float, float],
    sides: tuple[float, float],
    smooth: bool = True,
) -> Image.Image:
    """Draw one shape at an exact place.

    Args:
        shape: one of SHAPES; a triangle stands upright on its base.
        color: of the shape, RGB.
        background: RGB.
        frame: width and height of the picture, pixels.
        center: middle of the shape's box, pixels from the left and the top.
        sides: width and height of the shape's box, pixels.
        smooth: soften the edges; False draws hard edges as ffmpeg's drawbox does.
    """
    factor = _OVERSAMPLING if smooth and max(frame) * _OVERSAMPLING <= _LARGEST_DRAWING else 1
    image = Image.new("RGB", (frame[0] * factor, frame[1] * factor), background)
    pen = ImageDraw.Draw(image)
    left, right = (factor * (center[0] + side) for side in (-sides[0] / 2, sides[0] / 2))
    top, bottom = (factor * (center[1] + side) for side in (-sides[1] / 2, sides[1] / 2))
    if shape == "circle":
        pen.ellipse((left, top, right, bottom), fill=color)
    elif shape == "square":
        pen.rectangle((left, top, right, bottom), fill=color)
    else:
        pen.polygon([((left + right) / 2, top), (right, bottom), (left, bottom)], fill=color)
    return image.resize(frame, Image.Resampling.BOX) if factor > 1 else image
