"""Pictures as an image model wants them, by its `preprocessor_config.json`."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]


class Preprocessor:
    """What is done to each picture: resized, cropped in the middle, scaled, normalized.

    config: of `preprocessor_config.json`, as CLIP's has it: `size` ({"shortest_edge"}, or
    {"height", "width"}, pixels), `crop_size`, `resample` (Pillow's number), `rescale_factor`,
    `image_mean`, `image_std`, and a `do_…` for each step. Raises ValueError for what is not one.
    """

    def __init__(self, config: Mapping[str, Any]):
        try:
            self._size = _size(config["size"]) if config.get("do_resize", True) else None
            self._crop = _crop(config["crop_size"]) if config.get("do_center_crop") else None
            self._resample = int(config.get("resample", 3))  # bicubic
            scale = float(config.get("rescale_factor", 1 / 255))
            self._scale = scale if config.get("do_rescale", True) else 1.0
            normal = config.get("do_normalize", True)
            self._mean = _channels(config["image_mean"] if normal else [0.0, 0.0, 0.0])
            self._std = _channels(config["image_std"] if normal else [1.0, 1.0, 1.0])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"preprocessor_config.json: {error!r}") from None

    def pixels(self, picture: bytes) -> Pixels:
        """A picture (the bytes of a JPEG or PNG file) as float32, (3, height, width).

        Raises ValueError for what can't be decoded.
        """
        from PIL import Image

        try:
            with Image.open(io.BytesIO(picture), formats=("JPEG", "PNG")) as image:
                shown = image.convert("RGB")
        except Exception as error:  # of a damaged file, Pillow raises many kinds
            raise ValueError(f"it can't be decoded ({type(error).__name__})") from error
        if self._size is not None:
            resample = Image.Resampling(self._resample)
            shown = shown.resize(_resized(shown.size, self._size), resample)
        if self._crop is not None:
            left, top = ((a - b) // 2 for a, b in zip(shown.size, self._crop, strict=True))
            # Where the picture is smaller, what is around it is black.
            shown = shown.crop((left, top, left + self._crop[0], top + self._crop[1]))
        levels = np.asarray(shown, np.float32).transpose(2, 0, 1) * np.float32(self._scale)
        return np.ascontiguousarray((levels - self._mean) / self._std, np.float32)


def _resized(size: tuple[int, int], wanted: int | tuple[int, int]) -> tuple[int, int]:
    """Width and height; wanted: those, or the length of the shorter edge."""
    if isinstance(wanted, tuple):
        return wanted
    shorter = min(size)
    width, height = (wanted if edge == shorter else int(wanted * edge / shorter) for edge in size)
    return width, height


def _size(given: Any) -> int | tuple[int, int]:
    if isinstance(given, int):
        return _positive(given)
    if "shortest_edge" in given:
        return _positive(given["shortest_edge"])
    return _positive(given["width"]), _positive(given["height"])


def _crop(given: Any) -> tuple[int, int]:
    found = _size(given)
    return found if isinstance(found, tuple) else (found, found)


def _positive(number: Any) -> int:
    if not isinstance(number, int) or not 0 < number <= 4096:
        raise ValueError(f"{number} is no length of an edge")
    return number


def _channels(values: Any) -> Pixels:
    found = np.array(values, np.float32).reshape(3, 1, 1)
    if not np.isfinite(found).all():
        raise ValueError(f"{values} are no numbers")
    return found
