"""Models on a server: a real one on this machine, and one that fails as real ones do."""

import io
import json
import re
import threading
from pathlib import Path

import pytest

from drawing import Picture, answer, draw
from model_servers import Double, LlamaServer, chat, error
from reelmake.editing import scoring
from reelmake.foundation.errors import StageError
from reelmake.jobs import model_answers
from reelmake.library import config
from reelmake.library.scene_descriptions import FIELDS
from reelmake.models import endpoint
from reelmake.models.endpoint import Address, Endpoint
from reelmake.models.served_models import ServedTextModel, ServedVisionModel
from text_job import TextJob, film

SETTINGS = config.load(
    {name: {"context": 2048, "max_tokens": 160} for name in ("text_model", "description")}
)
SEEN = dict.fromkeys(FIELDS, "a cat")
GOOD = {"reason": "a goal", "score": 7}
PICTURES = [
    Picture("triangle", "green", "right", "black"),
    Picture("circle", "red", "left", "white"),
    Picture("square", "blue", "center", "pink"),
]


@pytest.fixture(scope="module")
def server():
    """A real one, with the model that sees; it answers questions without pictures, too."""
    found = LlamaServer.seeing()
    yield found
    found.close()


@pytest.fixture(autouse=True)
def key(monkeypatch):
    """No key, whatever this machine has."""
    monkeypatch.delenv(endpoint.KEY, raising=False)


def jpeg(picture):
    file = io.BytesIO()
    draw(picture, 320, 180).save(file, "JPEG", quality=90)
    return file.getvalue()


def describe(url, *pictures, name="tiny", at_once=4, timeout=20.0, **more):
    """What a server's model sees in each: its answer, or the error."""
    settings = SETTINGS["description"] | more
    with ServedVisionModel(Address("description", url, at_once, timeout), name, settings) as model:
        return [model.finish(task) for task in [model.begin(each) for each in pictures]]


def scored(this, segments):
    """What the text model of a job answers."""
    questions = scoring.questions(segments, {}, SETTINGS["scores"]["prompt"])
    return model_answers.ask(this, questions, scoring.FORM, needed=True)


def job(folder, url, name="tiny", at_once=4, **more):
    folder.mkdir(exist_ok=True)
    settings = SETTINGS["text_model"] | SETTINGS["scores"] | more
    return TextJob(folder, "scores", settings, name, endpoint=url, requests_at_once=at_once)


def quick(answers, **more):
    """A double whose clients try again at once."""
    found = Double(answers, **more)
    found.more = {"retry-after-ms": "1"}
    return found


def test_a_real_server_says_what_is_shown(server, capfd):
    pictures = [jpeg(picture) for picture in PICTURES]
    found = describe(server.url, *pictures, b"not a picture", pictures[0], name="text.gguf")
    failed = found.pop(3)
    assert found == [answer(each) for each in (*PICTURES, PICTURES[0])]
    assert isinstance(failed, ValueError) and "bitmap" in str(failed)
    said = capfd.readouterr().out
    assert said.count("takes no json_schema") == 1
    assert "json_object with a schema" in said


def test_a_real_server_s_answers_are_by_the_schema_however_long_the_question(server, tmp_path):
    """Also where it has less room than the settings say."""
    texts = ["the ball rolls", "\n".join(f"the ball {n} rolls" for n in range(3000)), "a goal"]
    this = job(tmp_path, server.url, "text.gguf", context=8192)
    found = scored(this, film(*texts))
    assert [sorted(each) for each in found] == [["reason", "score"]] * 3
    assert this.record["engines"]["endpoint"].endswith("demo/models/vision/text.gguf")
    assert this.record["items_failed"] == 0
    assert "answers_at_once" not in this.record


def test_a_real_server_that_is_killed_in_the_middle_costs_what_was_in_work(tmp_path):
    segments = film(*(f"the ball {n} rolls" for n in range(8)))
    server = LlamaServer.seeing()
    try:
        whole = scored(job(tmp_path / "whole", server.url, "text.gguf"), segments)
        this = job(tmp_path / "killed", server.url, "text.gguf", at_once=2)
        this.progress = lambda done, total: server.kill() if done == 3 else None
        with pytest.raises(StageError, match=r"can't be reached .*; start it, or check") as failed:
            scored(this, segments)
        assert failed.value.kind == "transient"
        server = LlamaServer.seeing(server.port)
        again = job(tmp_path / "killed", server.url, "text.gguf")
        assert scored(again, segments) == whole
        assert again.said[0] == (3, 8)  # two more were in work
    finally:
        server.close()


def test_requests_are_in_work_at_once_and_answers_in_order(tmp_path):
    """Of each three the last is answered first."""
    answered = [threading.Event() for _ in range(11)]

    def answers(body):
        number = int(re.search(r"segment (\d+) of it", body["messages"][0]["content"])[1])
        in_time = number % 3 == 0 or answered[number + 1].wait(timeout=20)
        answered[number].set()
        return chat({"reason": f"of {number}", "score": number if in_time else 0})

    segments = film(*(f"segment {number} of it" for number in range(10)))
    with Double(answers) as double:
        this = job(tmp_path, double.url, at_once=3)
        found = scored(this, segments)
    assert double.most == 3
    assert [each["score"] for each in found] == list(range(10))
    assert this.said == [(number, 10) for number in range(11)]


def test_after_a_signal_what_is_in_work_finishes_and_nothing_begins(tmp_path):
    segments = film(*(f"segment {number}" for number in range(12)))
    with Double(lambda body: chat(GOOD)) as double:
        this = job(tmp_path, double.url, at_once=3)
        plain = this.progress

        def progress(done, total):
            plain(done, total)
            this.is_stopping = done >= 4

        this.progress = progress
        with pytest.raises(KeyboardInterrupt):
            scored(this, segments)
        begun = len(double.asked)
        assert 4 < begun <= 4 + 3
        again = job(tmp_path, double.url)
        assert scored(again, segments) == [GOOD] * 12
        assert again.said[0] == (begun, 12)
        assert len(double.asked) == 12


@pytest.mark.parametrize(
    ("taken", "asked"),
    [
        ({"json_schema"}, ["json_schema"] * 4),
        ({"json_object"}, ["json_schema", *["json_object"] * 4]),
    ],
)
@pytest.mark.parametrize("status", [400, 422, 500])
def test_a_form_that_a_server_refuses_is_asked_once(tmp_path, capfd, taken, asked, status):
    def answers(body):
        form = body["response_format"]["type"]
        return chat(GOOD) if form in taken else error(status, f"{form}: unknown")

    with quick(answers) as double:
        found = scored(job(tmp_path, double.url, at_once=1), film("a", "b", "c", "d"))
        assert found == [GOOD] * 4
        forms = [body["response_format"] for body in double.asked]
        tries = 3 if status == 500 and len(taken & {"json_schema"}) == 0 else 1
        assert [form["type"] for form in forms][tries - 1 :] == asked
        sent = forms[-1].get("json_schema", forms[-1])["schema"]
        assert list(sent["properties"]) == ["reason", "score"]
    said = capfd.readouterr().out
    assert said.count("takes no json_schema (json_schema: unknown)") == len(asked) - 4


def test_a_server_that_minds_what_it_does_not_know_gets_the_plain_form(tmp_path):
    known = {"model", "messages", "temperature", "seed", "max_tokens", "response_format"}

    def answers(body):
        plain = body.keys() == known and body["response_format"] == {"type": "json_object"}
        return chat(GOOD) if plain else error(400, "unknown argument")

    with Double(answers) as double:
        assert scored(job(tmp_path, double.url), film("a", "b")) == [GOOD] * 2
        assert len(double.asked) == 4


def test_a_model_that_can_think_is_asked_not_to(tmp_path):
    with Double(lambda body: chat(GOOD)) as double:
        scored(job(tmp_path, double.url), film("a"))
        (body,) = double.asked
        assert body["chat_template_kwargs"] == {"enable_thinking": False}
        assert (body["temperature"], body["seed"], body["max_tokens"]) == (0.0, 0, 160)
        describe(double.url, b"a")
        assert "chat_template_kwargs" not in double.asked[-1]


@pytest.mark.parametrize(
    "said",
    [
        chat("no JSON"),
        chat(None),
        chat([GOOD]),
        chat({"visual_content": "a cat"}),
        chat(SEEN | {"more": 1}),
        chat(SEEN | {"mood": 7}),
        chat("[" * 100_000),
        chat('{"mood": "a', finish="length"),
        chat('{["a"]: 1, "mood": "b', finish="length"),
        chat("", finish="length"),
    ],
)
def test_an_answer_that_is_none_is_one_frame_s(said):
    with Double(lambda body: said if b"bad" in _picture(body) else chat(SEEN)) as double:
        found = describe(double.url, b"good", b"bad", b"good")
    assert isinstance(found.pop(1), ValueError)
    assert found == [SEEN] * 2


def _picture(body):
    import base64

    (url,) = (part["image_url"]["url"] for part in _parts(body) if part["type"] == "image_url")
    return base64.b64decode(url.partition(",")[2])


def _parts(body):
    return body["messages"][0]["content"]


def test_the_rest_of_an_answer_that_was_broken_off_is_asked_for():
    def answers(body):
        if "The answer begins" not in json.dumps(_parts(body)):
            return chat('{"visual_content": "a cat. A dog. And then', finish="length")
        schema = body["response_format"]["json_schema"]["schema"]
        return chat(dict.fromkeys(schema["properties"], "rest"))

    with Double(answers) as double:
        (found,) = describe(double.url, b"a", at_once=1)
    assert found == {"visual_content": "a cat. A dog."} | dict.fromkeys(FIELDS[1:], "rest")


@pytest.mark.parametrize(
    ("listed", "name", "found"),
    [
        (["a", "b"], "b", "b"),
        (["/models/m.gguf"], "m.gguf", "/models/m.gguf"),
        (["qwen:latest", "qwen:4b"], "qwen", "qwen:latest"),
        (["a/m.gguf", "m.gguf"], "m.gguf", "m.gguf"),
    ],
)
def test_the_model_is_known_as_the_server_lists_it(listed, name, found):
    with Double(lambda body: chat(SEEN), models=listed) as double:
        assert endpoint.check(Address("description", double.url), name) == found
        describe(double.url, b"a", name=name)
        assert double.asked[0]["model"] == found


@pytest.mark.parametrize("listed", [["a", "b"], [], ["x/tiny", "y/tiny"]])
def test_a_model_that_a_server_has_not_is_said_with_those_it_has(listed):
    with Double(lambda body: chat(SEEN), models=listed) as double:
        with pytest.raises(StageError) as failed:
            describe(double.url, b"a")
        assert double.asked == []
    has = ", ".join(listed) or "none"
    assert f"has no model tiny; it has {has}: name one of them in description.model" in str(
        failed.value
    )
    assert failed.value.kind == "engine"


def test_a_server_that_lists_no_models_is_asked_all_the_same():
    with Double(lambda body: chat(SEEN)) as double:
        double.lists = False
        assert describe(double.url, b"a") == [SEEN]


FAULTS = {
    401: ("engine", r"wants another key .*OPENAI_API_KEY"),
    403: ("engine", r"wants another key"),
    404: ("engine", r"check description\.endpoint, which ends in /v1 mostly"),
    429: ("transient", r"is overloaded or not ready \(429: no\); .*requests_at_once"),
    503: ("transient", r"is overloaded or not ready \(503: no\)"),
}


@pytest.mark.parametrize("status", FAULTS)
def test_what_fails_every_request_ends_the_stage_with_what_to_do(status):
    kind, says = FAULTS[status]
    with quick(lambda body: error(status, "no")) as double:
        with pytest.raises(StageError, match=says) as failed:
            describe(double.url, b"a", b"b")
        assert str(failed.value).startswith(f"the server at {double.url} ")
        assert failed.value.kind == kind
        assert len(double.asked) <= 4  # the second may have begun


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_passes_is_tried_again(status):
    with quick(lambda body: error(status, "no")) as double:
        double.answers = lambda body: chat(SEEN) if len(double.asked) > 2 else error(status, "no")
        assert describe(double.url, b"a") == [SEEN]


def test_a_server_that_is_not_there():
    with Double(lambda body: chat(SEEN)) as double:
        pass
    with pytest.raises(StageError, match=r"can't be reached .*check description\.endpoint") as it:
        describe(double.url, b"a")
    assert it.value.kind == "transient"


def test_a_server_that_is_slow():
    done = threading.Event()
    with Double(lambda body: (done.wait(60), chat(SEEN))[1]) as double:
        with pytest.raises(StageError, match=r"no answer within 0\.2 s; hardware\.request") as it:
            describe(double.url, b"a", timeout=0.2)
        done.set()
    assert it.value.kind == "transient"


@pytest.mark.parametrize("rubbish", [b"<html>Welcome</html>", b"[1, 2]", b"{}", b'{"choices": []}'])
def test_a_server_that_answers_rubbish(rubbish):
    with Double(lambda body: (200, rubbish)) as double:
        with pytest.raises(StageError, match="something else") as failed:
            describe(double.url, *[b"a"] * 6)
        assert failed.value.kind == "engine"
        assert len(double.asked) <= 12


def test_a_server_whose_engine_died_makes_no_film_of_failed_frames():
    with quick(lambda body: error(500, "engine is dead")) as double:
        with pytest.raises(StageError, match="one request after the other") as failed:
            describe(double.url, *[b"a"] * 20)
        assert "(500: engine is dead)" in str(failed.value)
        assert failed.value.kind == "transient"


@pytest.mark.parametrize(
    "said",
    [
        "image input is not supported - hint: you may need to provide the mmproj",
        "tiny is not a multimodal model",
        "Model does not support images",
        "this model is missing data required for image input",
    ],
)
def test_a_model_that_takes_no_pictures(said):
    with (
        Double(lambda body: error(400, said)) as double,
        pytest.raises(StageError, match="takes no pictures for tiny") as failed,
    ):
        describe(double.url, b"a", b"b")
    assert said in str(failed.value) and failed.value.kind == "engine"


def test_a_context_without_room_for_a_picture():
    said = "the request exceeds the available context size"
    with (
        Double(lambda body: error(400, said)) as double,
        pytest.raises(StageError, match=r"no room for a picture .*keyframes\.max_resolution"),
    ):
        describe(double.url, b"a", b"b")


def test_a_prompt_without_room(tmp_path):
    said = "This model's maximum context length is 20 tokens"
    with (
        Double(lambda body: error(400, said)) as double,
        pytest.raises(StageError, match=r"no room for the prompt .*text_model\.max_tokens"),
    ):
        scored(job(tmp_path, double.url), film("a " * 500))


def test_the_key_goes_to_the_server_and_nowhere_else(monkeypatch, tmp_path, capfd):
    monkeypatch.setenv(endpoint.KEY, "sk-secret")
    with quick(lambda body: chat(GOOD)) as double:
        this = job(tmp_path, double.url)
        scored(this, film("a", "b"))
        assert {each["authorization"] for each in double.headers} == {"Bearer sk-secret"}
        double.answers = lambda body: error(401, "wrong key: sk-secret")
        with pytest.raises(StageError, match="wrong key: …") as failed:
            scored(job(tmp_path / "other", double.url), film("c"))
    kept = [path.read_bytes() for path in Path(tmp_path).rglob("*") if path.is_file()]
    written = [str(failed.value), str(this.record), *capfd.readouterr(), *map(repr, kept)]
    assert kept and not any("sk-secret" in each for each in written)


def test_an_address_that_can_not_be_one():
    with pytest.raises(StageError, match=r"check text_model\.endpoint"):
        ServedTextModel(Address("text_model", "http://[::1"), "a", SETTINGS["text_model"])


def test_what_was_begun_ends_with_the_block():
    """Nothing is left for the loop to warn of, whatever was in work."""
    never = threading.Event()
    with Double(lambda body: (never.wait(60), chat(SEEN))[1]) as double:
        with Endpoint(Address("description", double.url), "tiny") as found:
            tasks = [found.begin(found.chat(_asked(), 0)) for _ in range(3)]
        assert all(task.cancelled() for task in tasks)
        never.set()


def _asked():
    from reelmake.models.broken_off import Asked

    return Asked("?", scoring.FORM.schema, 100)
