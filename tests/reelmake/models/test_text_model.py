"""Questions to a real language model: it answers in the form that is asked for, whatever is asked.

The demo's vision model is one without pictures, too. What it says of a text means nothing.
"""

import contextlib
import random
import re
from pathlib import Path

import pytest

from reelmake.editing import narrative, scoring
from reelmake.editing.prompts import Question
from reelmake.foundation.errors import StageError
from reelmake.library import config
from reelmake.models.one_by_one import OneByOne
from reelmake.models.text_model import TextModel
from text_job import ask_one

VISION = Path(__file__).resolve().parents[3] / "demo" / "models" / "vision"
MODEL = VISION / "text.gguf"
SCORES = config.load({})["scores"]["prompt"]
WORDS = ["the", "ball", "rolls", "red", "background", "near", "crowd", "cat", "sleeps"]


def load(path=MODEL, **more):
    settings = config.load({"text_model": {"context": 2048, "max_tokens": 160} | more})
    return TextModel(path, settings["text_model"], threads=1)


def question(*sentences, scenes=(), template=SCORES):
    return Question(template, sentences, scenes)


def spoken(number, words=8):
    rng = random.Random(number)
    return tuple(" ".join(rng.choices(WORDS, k=words)) for _ in range(1 + number % 3))


@pytest.fixture
def calls(monkeypatch):
    """Every call of the engine: its message, its options, and how many tokens it used."""
    import llama_cpp

    found = []
    plain = llama_cpp.Llama.create_chat_completion

    def spied(self, messages, **options):
        answer = plain(self, messages=messages, **options)
        found.append((messages, options, answer["usage"]))
        return answer

    monkeypatch.setattr(llama_cpp.Llama, "create_chat_completion", spied)
    return found


def test_an_answer_is_what_the_schema_says_in_its_order(calls):
    with load() as model:
        answer = ask_one(model, question("a goal"), scoring.FORM.schema)
        assert list(answer) == ["reason", "score"]
        assert type(answer["score"]) is int and 0 <= answer["score"] <= 10
        assert isinstance(answer["reason"], str)
        assert list(ask_one(model, question("a goal"), narrative.FORM.schema)) == ["title", "why"]
    messages, options, _ = calls[-1]
    assert messages == [{"role": "user", "content": question("a goal").message()}]
    assert (options["temperature"], options["repeat_penalty"]) == (0.0, 1.0)


def test_a_grammar_that_prefers_other_scores_is_followed():
    """That it is the schema that makes the answer, and not the model: 7 is all it may say."""
    only = {**scoring.FORM.schema, "properties": {"score": {"type": "integer", "enum": [7]}}}
    with load() as model:
        assert ask_one(model, question("a goal"), only | {"required": ["score"]}) == {"score": 7}


def test_an_answer_does_not_depend_on_what_was_asked_before(monkeypatch):
    """Not even on how its tokens came in batches: each question is read from its beginning."""
    import llama_cpp

    batches = []
    plain = llama_cpp.Llama.eval
    monkeypatch.setattr(
        llama_cpp.Llama,
        "eval",
        lambda self, tokens: batches.append(len(tokens)) or plain(self, tokens),
    )
    questions = [question(*spoken(number)) for number in range(6)]

    def ask(model, asked):
        batches.clear()
        return ask_one(model, asked, scoring.FORM.schema), tuple(batches)

    with load() as model:
        in_order = [ask(model, each) for each in questions]
        reverse = [ask(model, each) for each in reversed(questions)][::-1]
        twice = [ask(model, each) for each in questions for _ in range(2)]
    alone = []
    for each in questions:
        with load() as model:
            alone.append(ask(model, each))
    assert in_order == reverse == alone == twice[::2] == twice[1::2]


@pytest.mark.parametrize(
    ("sentences", "scenes"),
    [
        ([" ".join(spoken(n)) for n in range(3000)], []),
        ([], [f"- a {n} ball; warm; it rolls; white" for n in range(3000)]),
        ([" ".join(spoken(n)) for n in range(30)], ["- a ball; warm; it rolls; white"] * 500),
        (["\U0001f40b" * 20000], []),
        (["a" * 100_000], ["- " + "é" * 100_000]),
    ],
)
def test_an_answer_always_fits(calls, sentences, scenes):
    """The room is used, too, unless a single line has to be cut."""
    # This model, which was trained on other texts, may go on as long as it is let.
    with load(context=1024) as model, contextlib.suppress(ValueError):
        ask_one(model, Question(SCORES, tuple(sentences), tuple(scenes)), scoring.FORM.schema)
    used = calls[0][2]["prompt_tokens"]
    assert used + 160 <= 1024
    assert all(usage["total_tokens"] <= 1024 for _, _, usage in calls)
    assert used > (700 if len(sentences + scenes) > 2 else 250)


def test_what_the_template_says_by_itself_has_room_too(calls, tmp_path):
    """Some carry a whole page of instructions."""
    wordy = edited(tmp_path, b"{{ message.role | upper }}", b"{{ 'USER ' * 150 }}       ")
    sentences = tuple(" ".join(spoken(n)) for n in range(3000))
    with load(wordy, context=1024) as model, contextlib.suppress(ValueError):
        ask_one(model, Question(SCORES, sentences, ()), scoring.FORM.schema)
    assert 700 < calls[0][2]["prompt_tokens"] <= 1024 - 160


def test_a_text_that_runs_on_is_closed_and_the_rest_asked_for(calls):
    """As this model does, which was trained on other texts."""
    asked = Question(SCORES, (), tuple(f"- a {n} ball; warm; it rolls; white" for n in range(40)))
    with load() as model:
        answer = ask_one(model, asked, scoring.FORM.schema)
        first, second = calls
        assert ask_one(model, asked, scoring.FORM.schema) == answer
        # Unless it has to be whole: half a translation is none.
        (whole,) = model.answers([asked], scoring.FORM.schema, whole=True)
        assert "longer than 160 tokens" in str(whole)
    assert list(answer) == ["reason", "score"]
    assert answer["score"] in range(11)
    assert 0 < len(answer["reason"]) <= 300
    assert first[2]["completion_tokens"] == 160
    begun = second[0][0]["content"].removeprefix(first[0][0]["content"])
    assert begun.startswith('\n\nThe answer begins: {"reason": "')
    assert list(second[1]["response_format"]["schema"]["properties"]) == ["score"]
    # The second question and its answer have the room of the first.
    used = first[2]["prompt_tokens"] + first[2]["completion_tokens"]
    assert second[2]["prompt_tokens"] + second[1]["max_tokens"] <= used + 8


def test_an_answer_without_room_is_none():
    with load(max_tokens=16) as model, pytest.raises(ValueError, match="longer than 16 tokens"):
        ask_one(model, question("a goal"), scoring.FORM.schema)


def test_a_control_token_in_the_data_is_no_answer():
    """Models name theirs as they like; ours replaces brackets, so what is left is refused."""
    with load() as model:
        for raw in ({"sentences": ("a <|end|> b",)}, {"scenes": ("- <|begin|>",)}):
            with pytest.raises(ValueError, match="control tokens"):
                ask_one(
                    model,
                    Question(SCORES, **{"sentences": (), "scenes": ()} | raw),
                    scoring.FORM.schema,
                )
        asked = Question.about(SCORES, {"text": "a <|end|> b\n<|begin|>", "scenes": []}, {})
        assert "a ‹|end|› b" in asked.message()
        ask_one(model, asked, scoring.FORM.schema)


def edited(tmp_path, old, new):
    """The model with other bytes in its head, of the same length."""
    path = tmp_path / "edited.gguf"
    content = MODEL.read_bytes()
    assert len(old) == len(new) and content.count(old) == 1
    path.write_bytes(content.replace(old, new))
    return path


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"path": Path("nowhere.gguf")}, r"check text_model\.model"),
        ({"path": Path(__file__)}, "not a GGUF file"),
        ({"path": VISION / "mmproj.gguf"}, "cannot be loaded"),
        ({"context": 256, "max_tokens": 200}, r"make it larger"),
        ({"path": (b"tokenizer.chat_template", b"tokenizer.chat_templete")}, "no chat template"),
        ({"path": (b"{% for part in", b"{{ part / 0 in")}, "chat template is broken"),
        ({"path": (b"message.role | upper", b"message.role / 0.000")}, "chat template can't"),
        ({"path": (b"message.role | upper", b"message.x.y  | upper")}, "chat template can't"),
        ({"path": (b"{{ message.content }}", b"{{ message.role    }}")}, "leaves out"),
        ({"path": (b"message.role | upper", b"raise_exception('a')")}, "cannot be asked"),
    ],
)
def test_what_no_question_can_be_asked_is_said_clearly(tmp_path, given, says):
    if isinstance(given.get("path"), tuple):
        given = given | {"path": edited(tmp_path, *given["path"])}
    with pytest.raises(StageError, match=says) as error, load(**given) as model:
        ask_one(model, question("a goal"), scoring.FORM.schema)
    assert error.value.kind == "engine"
    assert not re.search("Traceback", str(error.value))


THINKS = (b"ASSISTANT: {% endif %}", b"    <think>{% endif %}")
ARGUMENT = (b"message.role | upper", b"enable_thinking     ")


@pytest.mark.parametrize(
    ("change", "thinking", "written"),
    [
        (THINKS, False, "<think>\n\n</think>\n\n"),
        (THINKS, True, "<think>"),
        (ARGUMENT, False, "False: "),
        (ARGUMENT, True, ": "),
    ],
)
def test_a_model_that_thinks_answers_at_once(tmp_path, monkeypatch, change, thinking, written):
    """By its template's argument, or after a thought that is closed before it begins."""
    import llama_cpp

    prompts = []
    plain = llama_cpp.Llama.tokenize

    def spied(self, text, *more, **options):
        prompts.append(text.decode())
        return plain(self, text, *more, **options)

    with load(edited(tmp_path, *change), thinking=thinking) as model:
        monkeypatch.setattr(llama_cpp.Llama, "tokenize", spied)
        answer = ask_one(model, question("a goal"), scoring.FORM.schema)
    assert list(answer) == ["reason", "score"]
    chats = [prompt for prompt in prompts if "a goal" in prompt]
    assert any(p.endswith(written) if change is THINKS else p.startswith(written) for p in chats)


def test_a_text_of_which_each_character_is_a_token_is_closed_too(monkeypatch):
    """Some models write zeros without end; that they do is simulated."""
    plain, messages = OneByOne._complete, []

    def endless(self, content, room, schema):
        messages.append(content)
        if len(messages) > 1:
            return plain(self, content, room, schema)
        text = '{"reason": "1' + "0" * 150
        return {"choices": [{"message": {"content": text}, "finish_reason": "length"}]}

    with load() as model:
        monkeypatch.setattr(OneByOne, "_complete", endless)
        answer = ask_one(model, question("a goal"), scoring.FORM.schema)
    assert answer["reason"].startswith("1000") and answer["score"] in range(11)
    begun = messages[1].removeprefix(messages[0])
    assert '{"reason": "1' in begun and len(begun) < 110
