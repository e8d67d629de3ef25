"""Answers that are decoded together are what they are one by one, and disturb none beside them."""

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from drawing import Picture, answer, draw
from reelmake.editing import scoring
from reelmake.editing.prompts import Question
from reelmake.foundation.errors import StageError
from reelmake.library import config
from reelmake.models import broken_off, greedy, llama, together
from reelmake.models.text_model import TextModel
from reelmake.models.vision_model import VisionModel

ROOT = Path(__file__).resolve().parents[3]
MODELS = ROOT / "demo" / "models"
TRAINED, OTHER = MODELS / "text" / "model.gguf", MODELS / "vision" / "text.gguf"
SEEING = (OTHER, MODELS / "vision" / "mmproj.gguf")
SETTINGS = config.load({"text_model": {"context": 1024}, "description": {"context": 2048}})
SCORES = SETTINGS["scores"]["prompt"]
SAID = (
    "the red ball falls",
    "we see seven birds",
    "the crowd is loud and the dog jumps over the ball",
    "a goal",
    "the cat sleeps",
    "goal goal goal",
    "nothing happens now",
)
SHOWN = [
    Picture(shape, color, place, ground)
    for shape, color, place, ground in (
        ("circle", "red", "left", "white"),
        ("square", "blue", "center", "pink"),
        ("triangle", "green", "right", "black"),
        ("circle", "yellow", "center", "black"),
        ("square", "red", "right", "white"),
    )
]


def question(said: str) -> Question:
    return Question(SCORES, (said,), ())


def readable(answers: list) -> list:
    """Answers, and how the model failed, as what can be compared."""
    return [str(each) if isinstance(each, ValueError) else each for each in answers]


def ask(at_once: int, *said: str, model: Path = TRAINED, **more) -> list:
    with TextModel(model, SETTINGS["text_model"] | more, threads=1, at_once=at_once) as asked:
        return readable(asked.answers(list(map(question, said)), scoring.FORM.schema))


def jpeg(picture: Picture, width: int = 320, height: int = 180) -> bytes:
    file = io.BytesIO()
    draw(picture, width, height).save(file, "JPEG", quality=90)
    return file.getvalue()


def describe(at_once: int, pictures: list[bytes], **more) -> list:
    settings = SETTINGS["description"] | more
    with VisionModel(*SEEING, settings, threads=1, at_once=at_once) as seeing:
        return readable(seeing.describe(pictures))


@pytest.mark.parametrize("model", [TRAINED, OTHER])
@pytest.mark.parametrize("at_once", [3, 8])
def test_texts(at_once, model):
    """Groups that are full, and the rest; one of the two models runs on and is asked again."""
    assert ask(at_once, *SAID, model=model) == ask(1, *SAID, model=model)


@pytest.mark.parametrize("at_once", [3, 8])
def test_pictures(at_once):
    assert describe(at_once, list(map(jpeg, SHOWN))) == list(map(answer, SHOWN))


def test_pictures_of_other_sizes_in_a_group():
    sizes = ((320, 180), (180, 320), (64, 64), (640, 360), (321, 181))
    pictures = [jpeg(shown, *size) for shown, size in zip(SHOWN, sizes, strict=True)]
    assert describe(5, pictures) == describe(1, pictures)


@pytest.mark.parametrize("place", [0, 2, 3])
def test_one_that_fails_disturbs_no_neighbour(place):
    whole = describe(4, [jpeg(shown) for shown in SHOWN[:4]])
    pictures = [jpeg(shown) for shown in SHOWN[:4]]
    pictures[place] = b"not a picture"
    found = describe(4, pictures)
    assert "bitmap" in found[place]
    assert found[:place] + found[place + 1 :] == whole[:place] + whole[place + 1 :]

    asked = list(SAID[:4])
    neighbours = ask(4, *asked)
    asked[place] = "a <|end|> b"
    found = ask(4, *asked)
    assert "control tokens" in found[place]
    assert found[:place] + found[place + 1 :] == neighbours[:place] + neighbours[place + 1 :]


def test_an_answer_without_an_end_fails_alone(monkeypatch):
    """With room for most answers, and too little for the longest."""
    lengths = {}
    plain = together.Decoder._choose

    def spied(self, each, number, said):
        plain(self, each, number, said)
        if not isinstance(said[each.index], ValueError):
            lengths[each.index] = len(each.tokens)

    monkeypatch.setattr(together.Decoder, "_choose", spied)
    whole = ask(len(SAID), *SAID)
    room = max(lengths.values())
    cut = {index for index, length in lengths.items() if length >= room}
    assert 0 < len(cut) < len(SAID)
    found = ask(len(SAID), *SAID, max_tokens=room)
    for index in set(range(len(SAID))) - cut:
        assert found[index] == whole[index]


def test_the_same_group_has_the_same_numbers_in_another_process():
    """To the last bit: the logits that each token was chosen by."""
    program = f"""
import hashlib, sys
sys.path[:0] = {sys.path!r}
from reelmake.models import greedy
from test_groups import *
import numpy as np
found = hashlib.sha256()
plain = greedy.Sampler.sample
def spied(self, context, index=-1):
    pointer = self._engine.llama_get_logits_ith(context.ctx, index)
    found.update(np.ctypeslib.as_array(pointer, (self._count,)).tobytes())
    return plain(self, context, index)
greedy.Sampler.sample = spied
for before in sys.argv[1:]:
    with TextModel(OTHER, SETTINGS["text_model"], threads=1, at_once=4) as asked:
        asked.answers(list(map(question, SAID[4:])), scoring.FORM.schema)
found = hashlib.sha256()
ask(4, *SAID[:4], model=OTHER)
print(found.hexdigest())
"""
    folder = str(Path(__file__).parent)

    def digest(*more: str) -> str:
        command = [sys.executable, "-c", program, *more]
        return subprocess.run(
            command, env={"PYTHONPATH": folder}, capture_output=True, text=True, check=True
        ).stdout

    first = digest()
    assert len(first) == 65
    assert digest() == first == digest("another group before")


def read(monkeypatch, *said: str, failing: int = -1, model: Path = OTHER) -> dict[str, tuple]:
    """For each, where the last piece of its prompt begins and ends, and the logits that the first
    token of its answer was chosen by: all that the model made of it. Of the calls that evaluate
    prompts, the one of the number `failing` is refused, after its work."""
    found: dict[str, tuple] = {}
    waiting = [each for each in said if "<|" not in each]
    calls: list[tuple[int, int]] = []
    reading = [False]
    plain_sample, plain_decode = greedy.Sampler.sample, together.decode
    plain_evaluate = together.Decoder._evaluate

    def decode(engine, context, batch):
        plain_decode(engine, context, batch)
        if reading[0]:
            calls.append((batch[0][1], len(batch)))
            if len(calls) - 1 == failing:
                raise ValueError("llama_decode returned 1")

    def evaluate(self, *given):
        reading[:] = [True]
        asked = waiting.pop(0)
        try:
            position = plain_evaluate(self, *given)
        finally:
            reading[:] = [False]
        found[asked] = (calls[-1],)
        return position

    def sample(self, context, index=-1):
        if index == -1:
            pointer = self._engine.llama_get_logits_ith(context.ctx, index)
            numbers = np.ctypeslib.as_array(pointer, (self._count,)).tobytes()
            found[list(found)[-1]] += (numbers,)
        return plain_sample(self, context, index)

    with monkeypatch.context() as patched:
        patched.setattr(greedy.Sampler, "sample", sample)
        patched.setattr(together, "decode", decode)
        patched.setattr(together.Decoder, "_evaluate", evaluate)
        patched.setattr(broken_off, "take_up", lambda asked, said, tokens: ({}, None))
        ask(8, *said, model=model)
    return found


@pytest.mark.parametrize("shared", [True, False])
def test_a_prompt_is_read_the_same_whoever_is_beside_it(monkeypatch, shared):
    """To the last bit, in whichever place, alone, and beside one that is refused."""
    if not shared:
        monkeypatch.setattr(Question, "opening", lambda self: "")
    whole = read(monkeypatch, *SAID)
    assert len(set(whole.values())) == len(SAID)
    assert all((piece[0] > 0) == shared for piece, _ in whole.values())
    assert read(monkeypatch, *reversed(SAID)) == whole
    assert read(monkeypatch, "a <|end|> b", SAID[3]) == {SAID[3]: whole[SAID[3]]}
    for failing in range(len(SAID) + shared):
        left = read(monkeypatch, *SAID, failing=failing)
        assert len(left) == len(SAID) - 1
        assert left.items() < whole.items()


def evaluated(monkeypatch, ask: Callable[[], object]) -> int:
    """How many tokens of prompts are evaluated: those of batches with one sequence."""
    counts = []
    plain = together.decode

    def decode(engine, context, batch):
        if len({sequence for _, _, sequence, _ in batch}) == 1 and len(batch) > 1:
            counts.append(len(batch))
        plain(engine, context, batch)

    monkeypatch.setattr(together, "decode", decode)
    ask()
    monkeypatch.setattr(together, "decode", plain)
    return sum(counts)


def test_what_prompts_begin_with_is_evaluated_once_a_group(monkeypatch):
    one = evaluated(monkeypatch, lambda: ask(7, SAID[0]))
    same = evaluated(monkeypatch, lambda: ask(7, *[SAID[0]] * 7))
    assert same < 0.6 * 7 * one


def test_prompts_that_begin_otherwise_disturb_none():
    """Two templates in one group, in turn; and a text that is not what it is said to begin with."""
    other = "Is this a goal?\n{text}\nAnswer in JSON with reason and score."
    questions = [
        Question(template, (said,), ())
        for said, template in zip(SAID, [SCORES, other, other, SCORES] * 2, strict=False)
    ]
    settings = SETTINGS["text_model"]
    with TextModel(TRAINED, settings, threads=1, at_once=7) as asked:
        together = readable(asked.answers(questions, scoring.FORM.schema))
    with TextModel(TRAINED, settings, threads=1) as asked:
        assert together == readable(asked.answers(questions, scoring.FORM.schema))

    messages = [question.message() for question in questions]
    wrong = ["", messages[0][:40], "What stands elsewhere", messages[1], f"{messages[0]} and more"]
    found = []
    for opening in wrong:
        model = llama.Model(TRAINED, "text_model.model", settings, threads=1, at_once=7)
        found.append(readable(model.answers(messages, scoring.FORM.schema, opening)))
        model.close()
    assert found == [found[0]] * len(wrong)


def test_where_memory_is_short_fewer_are_asked_at_once(monkeypatch):
    """That it is short is simulated: the engine can make no context for more than two."""
    from llama_cpp import _internals

    whole = ask(2, *SAID)
    plain = _internals.LlamaContext

    def short(*, model, params, verbose):
        if params.n_seq_max > 2:
            raise ValueError("Failed to create llama_context")
        return plain(model=model, params=params, verbose=verbose)

    with TextModel(TRAINED, SETTINGS["text_model"], threads=1, at_once=7) as model:
        monkeypatch.setattr(_internals, "LlamaContext", short)
        answers = model.answers(list(map(question, SAID)), scoring.FORM.schema)
        assert model.at_once == 2
    assert answers == whole
    monkeypatch.setattr(_internals, "LlamaContext", plain)
    with TextModel(TRAINED, SETTINGS["text_model"], threads=1, at_once=2) as model:
        monkeypatch.setattr(_internals, "LlamaContext", lambda **_: int("none"))
        with pytest.raises(MemoryError):
            model.answers([question("a")], scoring.FORM.schema)


def test_where_memory_is_short_while_tokens_are_decoded_fewer_are_asked_at_once(monkeypatch):
    """That it is short is simulated: once, in the middle of a group."""
    whole = ask(4, *SAID)
    plain, calls = together.decode, []

    def short(engine, context, batch):
        calls.append(len(batch))
        if len(calls) == 12:
            raise MemoryError("llama_decode returned -3")
        plain(engine, context, batch)

    monkeypatch.setattr(together, "decode", short)
    with TextModel(TRAINED, SETTINGS["text_model"], threads=1, at_once=7) as model:
        assert model.answers(list(map(question, SAID)), scoring.FORM.schema) == whole
        assert model.at_once == 4


@pytest.mark.parametrize(
    "given", [{"context": 192, "max_tokens": 160}, {"context": 40, "max_tokens": 16}]
)
def test_a_context_without_room_is_said(given):
    with pytest.raises(StageError, match=r"text_model\.context|cannot be asked"):
        ask(4, *SAID, **given)
    long = "Describe this frame of a film. " * 60
    with pytest.raises(StageError, match=r"description\.context \(256 tokens\) has no room"):
        describe(2, list(map(jpeg, SHOWN)), context=256, max_tokens=160, prompt=long)


def test_a_vision_encoder_of_another_model_is_said():
    with (
        pytest.raises(StageError, match="not the vision encoder"),
        VisionModel(OTHER, OTHER, SETTINGS["description"], threads=1, at_once=2) as seeing,
    ):
        seeing.describe([jpeg(SHOWN[0])])


def test_handlers_of_single_models_answer_one_by_one():
    settings = SETTINGS["description"] | {"handler": "llava-1-5"}
    with VisionModel(*SEEING, settings, threads=1, at_once=4) as seeing:
        assert seeing.at_once == 1
        assert seeing.describe(list(map(jpeg, SHOWN[:2]))) == list(map(answer, SHOWN[:2]))
