"""The grammar is asked about the likeliest token first: the answers are the same."""

import io
from pathlib import Path

import pytest

from drawing import Picture, draw
from reelmake.editing import narrative, scoring
from reelmake.editing.prompts import Question
from reelmake.library import config
from reelmake.models import greedy, llama
from reelmake.models.text_model import TextModel
from reelmake.models.vision_model import VisionModel

MODELS = Path(__file__).resolve().parents[3] / "demo" / "models"
DEFAULTS = config.load({"text_model": {"context": 2048}, "description": {"context": 2048}})
SAID = ("the red ball falls", "we see seven birds", "", "a", "goal goal goal", "the cat is loud")


def answers(path: Path) -> list:
    """What a model says of some texts; of those that it fails on, how."""
    found = []
    with TextModel(path, DEFAULTS["text_model"] | {"max_tokens": 96}, threads=1) as model:
        for form, template in (
            (scoring.FORM, DEFAULTS["scores"]["prompt"]),
            (narrative.FORM, DEFAULTS["narrative"]["prompt"]),
        ):
            questions = [Question(template, (said,), (), "climax") for said in SAID]
            found += map(readable, model.answers(questions, form.schema))
    return found


def readable(answer: object) -> object:
    """An answer, or how the model failed, as what can be compared."""
    return str(answer) if isinstance(answer, ValueError) else answer


@pytest.mark.parametrize("model", ["text/model.gguf", "vision/text.gguf"])
def test_texts_have_the_answers_that_the_engine_gives(monkeypatch, model) -> None:
    refused = []
    plain = greedy.Sampler._best_of_all
    monkeypatch.setattr(
        greedy.Sampler, "_best_of_all", lambda *args: refused.append(1) or plain(*args)
    )
    quick = answers(MODELS / model)
    if model == "vision/text.gguf":  # trained on other texts: the grammar must often say no
        assert len(refused) > 5
    monkeypatch.setattr(llama.Model, "_choose_by_grammar", lambda *args: None)
    asked = len(refused)
    assert answers(MODELS / model) == quick
    assert len(refused) == asked


def test_pictures_have_the_answers_that_the_engine_gives(monkeypatch) -> None:
    pictures = []
    for color in ("red", "blue", "green"):
        file = io.BytesIO()
        draw(Picture("circle", color, "left", "white"), 320, 180).save(file, "JPEG")
        pictures.append(file.getvalue())

    def described() -> list:
        files = (MODELS / "vision" / name for name in ("text.gguf", "mmproj.gguf"))
        with VisionModel(*files, DEFAULTS["description"], threads=1) as model:
            return model.describe(pictures)

    quick = described()
    monkeypatch.setattr(llama.Model, "_choose_by_grammar", lambda *args: None)
    assert described() == quick
