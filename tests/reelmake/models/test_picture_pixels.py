"""Pictures as CLIP and the demo's model want them."""

import io

import numpy as np
import pytest
from PIL import Image

from reelmake.models.picture_pixels import Preprocessor

CLIP = {
    "do_resize": True,
    "size": {"shortest_edge": 224},
    "do_center_crop": True,
    "crop_size": {"height": 224, "width": 224},
    "do_normalize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}


def png(width: int, height: int, left: int, right: int) -> bytes:
    """Two halves beside each other, by their gray."""
    image = Image.new("L", (width, height), left)
    image.paste(right, (width // 2, 0, width, height))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("size", [(640, 360), (360, 640), (224, 224), (20, 20)])
def test_a_picture_is_resized_and_cropped_in_its_middle(size):
    pixels = Preprocessor(CLIP).pixels(png(*size, 0, 255))
    assert pixels.shape == (3, 224, 224) and pixels.dtype == np.float32
    assert pixels[:, :, :100].max() == pytest.approx(-1, abs=0.1)
    assert pixels[:, :, 124:].min() == pytest.approx(1, abs=0.1)


def test_a_picture_may_be_squeezed_whole():
    config = CLIP | {"size": {"height": 32, "width": 64}, "do_center_crop": False}
    assert Preprocessor(config).pixels(png(640, 360, 0, 255)).shape == (3, 32, 64)


@pytest.mark.parametrize(
    "change",
    [
        {"size": {}},
        {"size": None},
        {"size": {"shortest_edge": 0}},
        {"image_mean": [1]},
        {"image_mean": "abc"},
        {"crop_size": {"height": 10**9, "width": 1}},
    ],
)
def test_what_is_no_preprocessor_is_refused(change):
    with pytest.raises(ValueError, match="preprocessor_config"):
        Preprocessor(CLIP | change)


def test_what_is_no_picture_is_refused():
    for damaged in (b"", b"\xff\xd8\xff", png(64, 64, 0, 1)[:60]):
        with pytest.raises(ValueError, match="can't be decoded"):
            Preprocessor(CLIP).pixels(damaged)
