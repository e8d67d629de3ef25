"""Vectors of texts and pictures, by the demo's models."""

import shutil

import numpy as np
import pytest

from drawing import Picture
from embedding_job import MODELS, jpeg
from reelmake.foundation.errors import StageError
from reelmake.models import embedding
from reelmake.models.embedding import ImageModel, TextModel

TEXT, IMAGE, ASKING = (
    f"embeddings.{name}" for name in ("text_model", "image_model", "image_text_model")
)


@pytest.fixture(scope="module")
def texts() -> TextModel:
    return TextModel(MODELS / "text", TEXT, 1)


@pytest.fixture(scope="module")
def images() -> ImageModel:
    return ImageModel(MODELS / "image", IMAGE, 1)


@pytest.mark.parametrize(
    "query, wanted",
    [
        ("the audience applauds", "now the train stops and the crowd cheers"),
        ("a little songbird chants softly", "a small bird sings quietly near the door"),
        ("the golden squad makes a point", "the yellow team scores the amazing goal"),
    ],
)
def test_a_text_is_found_in_other_words(texts, query, wanted):
    said = [
        "hello and welcome to the big room",
        "the red ball is in the river",
        "a small bird sings quietly near the door",
        "now the train stops and the crowd cheers",
        "the yellow team scores the amazing goal",
        "nothing happens in this quiet room",
    ]
    vectors = np.stack(texts.embed(said))
    assert said[int(np.argmax(vectors @ texts.embed([query])[0]))] == wanted


def test_a_picture_is_found_in_words(images):
    asking = TextModel(MODELS / "image_text", ASKING, 1)
    shown = [
        Picture("circle", "red", "center", "white"),
        Picture("square", "red", "center", "white"),
        Picture("circle", "white", "center", "red"),
        Picture("triangle", "green", "right", "black"),
    ]
    vectors = np.stack(images.embed([jpeg(picture) for picture in shown]))
    for query, place in (("a round crimson shape", 0), ("a green pyramid at the right edge", 3)):
        assert int(np.argmax(vectors @ asking.embed([query])[0])) == place


def test_a_vector_has_unit_length_whatever_it_is_embedded_with(texts):
    said = ["goal", "the small dog jumps on the blue car and the crowd cheers again", "a bird"]
    together, alone = texts.embed(said), [texts.embed([text])[0] for text in said]
    for one, other in zip(together, alone, strict=True):
        assert one.dtype == np.float32
        assert np.linalg.norm(one) == pytest.approx(1, abs=1e-5)
        np.testing.assert_allclose(one, other, atol=1e-5)
    np.testing.assert_array_equal(np.stack(texts.embed(said, at_once=1)), np.stack(alone))


def test_what_has_no_content_has_no_vector(texts, images):
    assert texts.embed(["", " ", "...!"]) == [None, None, None]
    found = texts.embed(["", "goal", "half \ud83d of a pair", "x" * 100_000])
    assert found[0] is None and all(vector is not None for vector in found[1:])
    picture = jpeg(Picture("circle", "red", "center", "white"))
    found = images.embed([b"", picture, picture[:100], b"GIF89a"])
    assert [vector is None for vector in found] == [True, False, True, True]


def test_what_is_no_model_is_said_with_its_setting(tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(MODELS / "text", folder)
    (folder / "model.onnx").write_bytes(b"no model")
    with pytest.raises(StageError, match=r"can't be loaded.*check embeddings\.text_model"):
        TextModel(folder, TEXT, 1)
    shutil.copy(MODELS / "text" / "model.onnx", folder)
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(StageError, match=r"is no embedding model.*check embeddings\.text_model"):
        TextModel(folder, TEXT, 1)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(StageError, match=r"has no tokenizer\.json"):
        embedding.folder(str(folder), TEXT)


def test_a_model_of_the_other_kind_is_said():
    with pytest.raises(StageError, match=r"has no preprocessor_config\.json"):
        ImageModel(MODELS / "text", IMAGE, 1)
    with pytest.raises(StageError, match=r"has no tokenizer\.json"):
        TextModel(MODELS / "image", TEXT, 1)


def test_a_model_that_is_not_here_is_said_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert embedding.known("nobody/has-this", TEXT) is None
    with pytest.raises(StageError, match="`reel models` downloads it"):
        embedding.folder("nobody/has-this", TEXT)
    for name in ("./no/folder", "no", "a/b/c"):
        with pytest.raises(StageError, match="does not exist"):
            embedding.folder(name, TEXT)
