"""Pictures to text with the tiny model: what is seen is what is shown."""

import io
from pathlib import Path

import pytest

from drawing import Picture, answer, draw
from reelmake.foundation.errors import StageError
from reelmake.library import config
from reelmake.models import vision_model

MODELS = Path(__file__).resolve().parents[3] / "demo" / "models" / "vision"
TINY = {"context": 2048, "max_tokens": 160}
SHOWN = Picture("triangle", "green", "right", "black")


def settings(**more):
    return config.load({"description": TINY | more})["description"]


def load(model=MODELS / "text.gguf", mmproj=MODELS / "mmproj.gguf", **more):
    return vision_model.VisionModel(model, mmproj, settings(**more), threads=1)


def jpeg(picture, width=320, height=180):
    file = io.BytesIO()
    draw(picture, width, height).save(file, "JPEG", quality=90)
    return file.getvalue()


def describe(seeing, picture):
    """Its answer about a single picture. Raises the ValueError where it fails."""
    (description,) = seeing.describe([picture])
    if isinstance(description, ValueError):
        raise description
    return description


@pytest.mark.parametrize("handler", ["auto", "llava-1-5"])
def test_it_says_what_is_shown_and_the_same_twice(handler):
    others = [
        Picture("circle", "red", "left", "white"),
        Picture("square", "blue", "center", "pink"),
    ]
    with load(handler=handler) as seeing:
        for picture in (SHOWN, *others, SHOWN):  # what came before changes nothing
            assert describe(seeing, jpeg(picture)) == answer(picture)


def test_a_frame_that_is_no_picture_fails_alone():
    with load() as seeing:
        assert describe(seeing, jpeg(SHOWN)) == answer(SHOWN)
        with pytest.raises(ValueError, match="bitmap"):
            describe(seeing, b"not a picture")
        assert describe(seeing, jpeg(SHOWN)) == answer(SHOWN)


def test_an_answer_that_does_not_end_is_none():
    with load(max_tokens=16) as seeing, pytest.raises(ValueError, match="longer than 16 tokens"):
        describe(seeing, jpeg(SHOWN))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"model": Path("nowhere.gguf")}, r"description\.model"),
        ({"mmproj": Path("nowhere.gguf")}, r"description\.mmproj"),
        ({"model": Path(__file__)}, "not a GGUF file"),
        ({"model": MODELS / "mmproj.gguf"}, "cannot be loaded"),
        ({"mmproj": MODELS / "text.gguf"}, "not the vision encoder"),
        ({"handler": "gpt"}, r"description\.handler is one of"),
    ],
)
def test_files_that_are_no_model_are_named(given, says):
    with pytest.raises(StageError, match=says) as error, load(**given) as seeing:
        describe(seeing, jpeg(SHOWN))
    assert error.value.kind == "engine"


def edited(tmp_path, old, new):
    """The model with other bytes in its head, of the same length."""
    path = tmp_path / "llava-v1.5-edited.gguf"
    content = (MODELS / "text.gguf").read_bytes()
    assert len(old) == len(new) and content.count(old) == 1
    path.write_bytes(content.replace(old, new))
    return path


TEXT = b"{% if message.content is string %}{{ message.content }}"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (TEXT, b"{{ 'joined ' + message.content }}{% if 1 %}            ", "list"),
        (b"tokenizer.chat_template", b"tokenizer.chat_templete", "has no chat template"),
        (b"{{ part.text }}", b"{{ part.tixt }}", "leaves out"),
        (b"message.content is string", b"message.content          ", "as code"),
    ],
)
def test_a_template_that_can_show_no_picture_is_named_with_its_handler(tmp_path, old, new, says):
    path = edited(tmp_path, old, new)
    with pytest.raises(StageError, match=says) as error, load(model=path):
        pass
    assert "set description.handler to the one of its kind: 'llava-1-5', probably" in str(
        error.value
    )
    with load(model=path, handler="llava-1-5") as seeing:
        assert describe(seeing, jpeg(SHOWN)) == answer(SHOWN)


@pytest.mark.parametrize("handler", ["auto", "llava-1-5"])
def test_a_context_without_room_for_the_picture_is_said_in_tokens(handler):
    long = "Describe this frame of a film. " * 60
    with (
        load(context=256, max_tokens=160, prompt=long, handler=handler) as seeing,
        pytest.raises(StageError, match=r"description\.context \(256 tokens\) has no room"),
    ):
        describe(seeing, jpeg(SHOWN))
